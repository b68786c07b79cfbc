/** A wrong setting. Its one-line message names the variable, what it should be, and an example. */
export class ConfigError extends Error {}

export function missingSetting(name: string, expects: string, example: string): ConfigError {
  return new ConfigError(`${name} is missing; it should be ${expects}, for example ${example}`);
}

/** How settings name this machine. */
export const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];
