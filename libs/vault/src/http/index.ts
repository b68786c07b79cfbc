export { VaultHttpModule } from './vault-http.module.js';
