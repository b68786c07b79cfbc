import { type MicroUsd } from '@haldir/kernel';

/** A call has at most so many arguments, with names of at most so many characters, if others like it are to be granted. */
export const MAX_ARGUMENTS = 50;
export const MAX_ARGUMENT_CHARS = 128;
/** And of all names together, as JSON. */
const MAX_NAMES_CHARS = 4096;
/** Before the hash of an argument that mentions a secret: whoever approves has to see which. */
export const OF_SECRET = 'vault:';

/** What whoever approves a call allows beside it: calls like it, so many, so long. */
export interface GrantTerms {
  /** How many calls in all, the one that waits included. */
  uses: number;
  ttlSeconds: number;
  /** Arguments that may be anything; all others are as in the call that waits. In ascending order, each once. */
  freeArguments: readonly string[];
  /** What all of them may spend, as rules see it; null where they spend nothing. */
  totalAmount: MicroUsd | null;
}

/** A grant that is about to be given. */
export interface WantedGrant extends GrantTerms {
  id: string;
}

/** As the log, and what is signed, have the terms. */
export interface SaidTerms {
  free_arguments: readonly string[];
  uses: number;
  total_micros: string | null;
  ttl_seconds: number;
}

export function saidOfTerms({ freeArguments, uses, totalAmount, ttlSeconds }: GrantTerms): SaidTerms {
  return {
    free_arguments: freeArguments,
    uses,
    ttl_seconds: ttlSeconds,
    total_micros: totalAmount === null ? null : totalAmount.toString(),
  };
}

/** Names of arguments in ascending order, each with the SHA-256 (hex) of its value, `vault:` before it where that mentions a secret. */
export type HashedArguments = readonly (readonly [name: string, sha256: string])[];

/** The same with null for what may be anything. */
export type AlikeArguments = readonly (readonly [name: string, sha256: string | null])[];

/** What a call has that others may have, too. */
export interface GrantableCall {
  /** SHA-256 (hex) of all that its digest has, but session, arguments and amount. */
  basis: string;
  destructive: boolean;
  arguments: HashedArguments;
}

/** The arguments of a call as grants see them; null when there are too many of them, or names that are too long. */
export function hashedArguments(
  args: Readonly<Record<string, unknown>>,
  hashOf: (value: unknown) => string,
): HashedArguments | null {
  const names = Object.keys(args).sort();
  if (names.length > MAX_ARGUMENTS || names.some((name) => name.length > MAX_ARGUMENT_CHARS)) return null;
  if (JSON.stringify(names).length > MAX_NAMES_CHARS) return null;
  return names.map((name) => [name, hashOf(args[name])]);
}

/** What calls have to be like. */
export function alikeArguments(args: HashedArguments, freeArguments: readonly string[]): AlikeArguments {
  return args.map(([name, sha256]) => [name, freeArguments.includes(name) ? null : sha256]);
}

/** Whether a call has the same arguments, but for those that may be anything but secrets: none more, none fewer. */
export function isAlike(alike: AlikeArguments, args: HashedArguments): boolean {
  if (alike.length !== args.length) return false;
  return alike.every(([name, sha256], i) => {
    const [ownName, own] = args[i] ?? [];
    return name === ownName && (sha256 === null ? own?.startsWith(OF_SECRET) === false : sha256 === own);
  });
}
