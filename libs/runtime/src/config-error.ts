/** A wrong setting. Its one-line message names the variable, what it should be, and an example. */
export class ConfigError extends Error {}
