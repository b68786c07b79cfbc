export { BigIntColumn, wholeNumber } from './columns.js';
export { dataSourceOptions } from './data-source-options.js';
export { DatabaseModule } from './database.module.js';
export { columnsOf } from './entity-columns.js';
export { tolerateLostConnections } from './lost-connections.js';
export { noticeParts, Notices } from './notices.js';
export { migrate, pendingMigrations } from './migrate.js';
export { ping } from './ping.js';
export { openSchemaStatements } from './roles.js';
export {
  type Collector,
  EVERY_TENANT,
  isConnectionFailure,
  isDataFailure,
  type Statement,
  Transactions,
  type Tx,
} from './transactions.js';
