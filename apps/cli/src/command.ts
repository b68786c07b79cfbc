/** A command of the `haldir` program. */
export interface Command {
  help: string;
  /** Answers the exit code. @throws UsageError for arguments that make no sense */
  run(args: string[], env: Readonly<Record<string, string | undefined>>): Promise<number>;
}

/** The arguments make no sense; the message says why. */
export class UsageError extends Error {}

/** sysexits.h: the command was used wrongly, or a setting is wrong. */
export const EXIT_USAGE = 64;
export const EXIT_CONFIG = 78;

/** There is no such command. */
export const EXIT_UNKNOWN = 2;
