import { randomBytes } from 'node:crypto';
import { newId } from '@haldir/kernel';
import { contentHash, hashDetails } from '@haldir/verifier';

/**
 * Who wrote an entry, which decides what the flag rules count: an agent itself (`agent`), the proxy for a tool call
 * (`proxy`), Haldir for something a session did (`session`), or Haldir for anything else (`haldir`).
 */
export type EntrySource = 'agent' | 'proxy' | 'session' | 'haldir';

/** What a writer knows of an entry. */
export interface NewEntry {
  tenantId: string;
  source: EntrySource;
  /** Empty for an entry without a session. */
  sessionId: string;
  agentId: string;
  tool: string;
  action: string;
  details: string | null;
  costMicros: bigint;
  at: Date;
  /** Why the writer itself flags the entry; the rules may add to it. */
  flag: string | null;
}

/** What an entry is known by before it is written, however often that is tried. */
export interface EntryIdentity {
  entryId: string;
  /** Hex; of its details. */
  salt: string;
}

export function newEntryIdentity(): EntryIdentity {
  return { entryId: newId('aud'), salt: randomBytes(16).toString('hex') };
}

/** An entry on its way into the log, with the salted commitment to its details and the hash of what the writer knows. */
export interface PreparedEntry extends NewEntry {
  entryId: string;
  detailsSalt: string | null;
  detailsHash: string | null;
  contentHash: string;
}

export function prepareEntry(entry: NewEntry, { entryId, salt } = newEntryIdentity()): PreparedEntry {
  const detailsSalt = entry.details === null ? null : salt;
  const detailsHash = entry.details === null || detailsSalt === null ? null : hashDetails(detailsSalt, entry.details);
  return {
    ...entry,
    entryId,
    detailsSalt,
    detailsHash,
    contentHash: contentHash({ ...entry, entryId, detailsHash }),
  };
}

/** The columns of `audit_append`, in its order. */
export function toColumns(entries: readonly PreparedEntry[]): [tenantIds: string[], ...rest: unknown[]] {
  return [
    entries.map(({ tenantId }) => tenantId),
    entries.map(({ entryId }) => entryId),
    entries.map(({ source }) => source),
    entries.map(({ sessionId }) => sessionId),
    entries.map(({ agentId }) => agentId),
    entries.map(({ tool }) => tool),
    entries.map(({ action }) => action),
    entries.map(({ costMicros }) => costMicros.toString()),
    entries.map(({ at }) => at.getTime() * 1000),
    entries.map(({ details }) => details),
    entries.map(({ detailsSalt }) => detailsSalt),
    entries.map(({ detailsHash }) => detailsHash),
    entries.map((entry) => entry.contentHash),
    entries.map(({ flag }) => flag),
  ];
}
