import { hash, randomBytes } from 'node:crypto';
import { newId } from '@haldir/kernel';

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

/** An entry on its way into the log, with the salted commitment to its details and the hash of what the writer knows. */
export interface PreparedEntry extends NewEntry {
  entryId: string;
  detailsSalt: string | null;
  detailsHash: string | null;
  contentHash: string;
}

export function prepareEntry(entry: NewEntry): PreparedEntry {
  const entryId = newId('aud');
  const detailsSalt = entry.details === null ? null : randomBytes(16).toString('hex');
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
export function toColumns(entries: readonly PreparedEntry[]): unknown[] {
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

/** The commitment to an entry's details, hex: SHA-256(salt ‖ UTF-8), so that they can be erased and the entry still verifies. */
export function hashDetails(saltHex: string, details: string): string {
  return hash('sha256', Buffer.concat([Buffer.from(saltHex, 'hex'), Buffer.from(details, 'utf8')]), 'hex');
}

/**
 * SHA-256, hex, of the RFC 8785 JSON of every column the writer alone decides. The members are written in their sorted
 * order, and all are strings or null, so `JSON.stringify` gives the canonical bytes.
 */
export function contentHash(entry: {
  tenantId: string;
  entryId: string;
  source: string;
  sessionId: string;
  agentId: string;
  tool: string;
  action: string;
  costMicros: bigint | string;
  detailsHash: string | null;
}): string {
  return hash(
    'sha256',
    JSON.stringify({
      action: entry.action,
      agent_id: entry.agentId,
      cost_micros: entry.costMicros.toString(),
      details_hash: entry.detailsHash,
      entry_id: entry.entryId,
      session_id: entry.sessionId,
      source: entry.source,
      tenant_id: entry.tenantId,
      tool: entry.tool,
      v: '1',
    }),
    'hex',
  );
}

const NOT_FLAGGED = Buffer.from([0]);
const FLAGGED = Buffer.from([1]);

/**
 * SHA-256(content hash ‖ uint64be time ‖ 0x00, or 0x01 ‖ flag reason): what the database decides at append time is
 * covered too.
 *
 * @param atMicros the entry's time in microseconds since 1970
 */
export function bodyHash(contentHashHex: string, atMicros: bigint, flagReason: string | null): Buffer {
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(atMicros);
  const flag = flagReason === null ? NOT_FLAGGED : Buffer.concat([FLAGGED, Buffer.from(flagReason, 'utf8')]);
  return hash('sha256', Buffer.concat([Buffer.from(contentHashHex, 'hex'), time, flag]), 'buffer');
}

const LEAF = Buffer.from([0]);

/** SHA-256(0x00 ‖ prev_hash ‖ body_hash): the chain link, and at the same time the RFC 6962 leaf hash of those 64 bytes. */
export function entryHash(prevHash: Uint8Array, body: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([LEAF, prevHash, body]), 'buffer');
}

/** What the first entry of a log follows. */
export const GENESIS_HASH = Buffer.alloc(32);
