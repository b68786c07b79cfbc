export { AuditLog, type AuditRecord, type RecordedEntry } from './audit-log.js';
export { AuditLogModule } from './audit-log.module.js';
export { bodyHash, contentHash, entryHash, type EntrySource, GENESIS_HASH, hashDetails } from './entry.js';
