export { ProxyHttpModule } from './proxy-http.module.js';
