export { ApprovalsHttpModule } from './approvals-http.module.js';
