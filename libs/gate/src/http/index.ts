export { GateHttpModule } from './gate-http.module.js';
export {
  CheckPermission,
  CreateSession,
  PermissionResult,
  SessionCreated,
  SessionDetail,
  SessionRevoked,
  toNewSession,
  toSessionCreated,
  toSessionDetail,
} from './session.dto.js';
