export { WatchHttpModule } from './watch-http.module.js';
export {
  ActionLogged,
  AuditEntryList,
  describeFilter,
  ListAuditEntries,
  LogAction,
  SpendAnswer,
  SpendQuery,
  spendPage,
  toActionLogged,
  toAuditEntryItem,
  toAuditFilter,
  toRecord,
} from './audit.dto.js';
