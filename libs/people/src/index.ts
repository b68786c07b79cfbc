export { normalEmail } from './email.js';
export { InvitationRepository } from './invitation.repository.js';
export { OidcIdentityRepository } from './oidc-identity.repository.js';
export { PasskeyRepository } from './passkey.repository.js';
export { PEOPLE_ENTITIES } from './people-entities.js';
export { PeopleRepository } from './people.repository.js';
export { PeopleService } from './people.service.js';
export { type Role, ROLES } from './roles.js';
export { SignInRepository } from './sign-in.repository.js';
