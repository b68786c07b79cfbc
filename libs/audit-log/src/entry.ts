import { randomBytes } from 'node:crypto';
import { type Actor, newId } from '@haldir/kernel';
import { contentHash, hashSalted } from '@haldir/verifier';

/**
 * Who wrote an entry, which decides what the flag rules count: an agent itself (`agent`), the proxy for a tool call
 * (`proxy`), Haldir for something a session did (`session`), or Haldir for anything else (`haldir`).
 */
export type EntrySource = 'agent' | 'proxy' | 'session' | 'haldir';

/** What a writer knows of an entry. */
export interface NewEntry {
  actor: Actor;
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
  return { entryId: newId('aud'), salt: newSalt() };
}

function newSalt(): string {
  return randomBytes(16).toString('hex');
}

/** A text that can be erased without breaking the entry: it is hashed through a salted commitment. All null where there is none. */
interface Erasable {
  text: string | null;
  /** Hex. */
  salt: string | null;
  /** Hex. */
  hash: string | null;
}

/** An entry on its way into the log, with its commitments and the hash of what the writer knows. */
export interface PreparedEntry {
  entry: NewEntry;
  entryId: string;
  details: Erasable;
  context: Erasable;
  contentHash: string;
}

export function prepareEntry(entry: NewEntry, { entryId, salt } = newEntryIdentity()): PreparedEntry {
  const details = erasable(entry.details, salt);
  const context = erasable(contextOf(entry.actor));
  return {
    entry,
    entryId,
    details,
    context,
    contentHash: contentHash({
      ...entry,
      tenantId: entry.actor.tenantId,
      actorId: entry.actor.id,
      entryId,
      detailsHash: details.hash,
      contextHash: context.hash,
    }),
  };
}

function erasable(text: string | null, given?: string): Erasable {
  if (text === null) return { text, salt: null, hash: null };
  const salt = given ?? newSalt();
  return { text, salt, hash: hashSalted(salt, text) };
}

/** What is known of who acted beside the id; null for Haldir itself, of which nothing more is to be said. */
function contextOf({ kind, label, origin }: Actor): string | null {
  if (kind === 'haldir') return null;
  const { address = null, traceId = null } = origin ?? {};
  return JSON.stringify({
    ...(address === null ? {} : { address }),
    label,
    ...(traceId === null ? {} : { trace_id: traceId }),
  });
}
