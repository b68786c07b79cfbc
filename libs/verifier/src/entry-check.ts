import { bodyHash, contentHash, entryHash, hashSalted, type HashedEntry } from './entry-hash.js';

/** An entry as a log keeps it or an export shows it. */
export interface LoggedEntry extends HashedEntry {
  /** Null for an entry without details, and for one whose details were erased. */
  details: string | null;
  /** Hex. */
  detailsSalt: string | null;
  /** JSON text of what is known of who acted; null where there is none, and where it was erased. */
  context: string | null;
  /** Hex. */
  contextSalt: string | null;
  atMicros: bigint;
  flagReason: string | null;
  prevHash: Buffer;
  entryHash: Buffer;
}

/**
 * What is wrong with an entry that should follow the one with `previousHash`, in words; null when nothing is. Every member
 * of the entry is looked at. Whether details that are gone were erased on the record is for `Erasures` to say.
 */
export function faultOf(entry: LoggedEntry, previousHash: Buffer): string | null {
  if (!entry.prevHash.equals(previousHash)) return 'the entry does not follow the one before it';
  const fault =
    erasableFault('details', entry.details, entry.detailsSalt, entry.detailsHash) ??
    erasableFault('context', entry.context, entry.contextSalt, entry.contextHash);
  if (fault !== null) return fault;
  if (entry.actorId === null && entry.contextHash !== null) return 'an entry of format 1 has no context';
  if (entry.atMicros < 0n) return 'the entry was changed';
  const body = bodyHash(contentHash(entry), entry.atMicros, entry.flagReason);
  return entryHash(previousHash, body).equals(entry.entryHash) ? null : 'the entry was changed';
}

function erasableFault(
  what: 'details' | 'context',
  text: string | null,
  salt: string | null,
  hash: string | null,
): string | null {
  if ((text === null) !== (salt === null) || (hash === null && text !== null)) {
    return `the ${what} of the entry and what commits to it do not go together`;
  }
  return text === null || salt === null || hashSalted(salt, text) === hash
    ? null
    : `the ${what} of the entry ${what === 'details' ? 'were' : 'was'} changed`;
}
