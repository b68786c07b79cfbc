export { PasskeyAssertion, PasskeyOptions } from './passkey.dto.js';
export { PeopleHttpModule } from './people-http.module.js';
export { SIGN_IN_PAGES } from './welcome-page.controller.js';
