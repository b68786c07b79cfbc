export { ConfigError } from './config-error.js';
export { databaseUrl, isDatabaseUrl } from './database-url.js';
export { HaldirConfig, type Tier, TIERS } from './haldir-config.js';
export { createLogger, Log } from './log.js';
export { type MailSettings } from './mail-settings.js';
export { Metrics } from './metrics.js';
export { type OidcSettings } from './oidc-settings.js';
export { runProcess } from './run-process.js';
export { RuntimeModule } from './runtime.module.js';
