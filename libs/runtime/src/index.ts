export { databaseUrl, isDatabaseUrl } from './database-url.js';
export { ConfigError, HaldirConfig, type Tier, TIERS } from './haldir-config.js';
export { createLogger, Log } from './log.js';
export { Metrics } from './metrics.js';
export { runProcess } from './run-process.js';
export { RuntimeModule } from './runtime.module.js';
