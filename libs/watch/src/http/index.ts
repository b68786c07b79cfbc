export { WatchHttpModule } from './watch-http.module.js';
export { ListAuditEntries } from './audit-filter.dto.js';
export { ActionLogged, AuditEntryList, auditPage, LogAction, toActionLogged, toRecord } from './audit.dto.js';
export { SpendAnswer, SpendQuery, spendPage } from './spend.dto.js';
