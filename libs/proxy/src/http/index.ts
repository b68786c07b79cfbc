export { ProxyHttpModule } from './proxy-http.module.js';
export { toCallAnswer } from './proxy-call.dto.js';
