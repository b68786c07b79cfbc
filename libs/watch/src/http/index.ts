export { WatchHttpModule } from './watch-http.module.js';
export {
  ActionLogged,
  AuditEntryList,
  auditPage,
  ListAuditEntries,
  LogAction,
  SpendAnswer,
  SpendQuery,
  spendPage,
  toActionLogged,
  toRecord,
} from './audit.dto.js';
