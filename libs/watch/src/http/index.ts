export { WatchHttpModule } from './watch-http.module.js';
export {
  ActionLogged,
  AuditEntryList,
  describeFilter,
  ListAuditEntries,
  LogAction,
  SpendAnswer,
  SpendQuery,
  toActionLogged,
  toAuditEntryItem,
  toAuditFilter,
  toRecord,
  toSpendAnswer,
} from './audit.dto.js';
