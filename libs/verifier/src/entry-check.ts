import { bodyHash, contentHash, entryHash, hashDetails, type HashedEntry } from './entry-hash.js';

/** An entry as a log keeps it or an export shows it. */
export interface LoggedEntry extends HashedEntry {
  /** Null for an entry without details, and for one whose details were erased. */
  details: string | null;
  /** Hex. */
  detailsSalt: string | null;
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
  const { details, detailsSalt, detailsHash } = entry;
  if ((details === null) !== (detailsSalt === null) || (detailsHash === null && details !== null)) {
    return 'the details of the entry do not go with their commitment';
  }
  if (details !== null && detailsSalt !== null && hashDetails(detailsSalt, details) !== detailsHash) {
    return 'the details of the entry were changed';
  }
  if (entry.atMicros < 0n) return 'the entry was changed';
  const body = bodyHash(contentHash(entry), entry.atMicros, entry.flagReason);
  return entryHash(previousHash, body).equals(entry.entryHash) ? null : 'the entry was changed';
}
