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
}

/** An entry on its way into the log, with the salted commitment to its details and the hash of what the writer knows. */
export interface PreparedEntry {
  tenant_id: string;
  entry_id: string;
  source: EntrySource;
  session_id: string;
  agent_id: string;
  tool: string;
  action: string;
  cost_micros: string;
  at: string;
  /** The time again, as microseconds since 1970, for the windows of the flag rules. */
  micros: number;
  details: string | null;
  details_salt: string | null;
  details_hash: string | null;
  content_hash: string;
}

/** RFC 3339 in UTC with microseconds, the form that is hashed. */
export function toRfc3339Micros(time: Date): string {
  return `${time.toISOString().slice(0, -1)}000Z`;
}

export function prepareEntry(entry: NewEntry): PreparedEntry {
  const salt = entry.details === null ? null : randomBytes(16).toString('hex');
  const detailsHash = entry.details === null || salt === null ? null : hashDetails(salt, entry.details);
  const at = toRfc3339Micros(entry.at);
  const prepared = {
    tenant_id: entry.tenantId,
    entry_id: newId('aud'),
    source: entry.source,
    session_id: entry.sessionId,
    agent_id: entry.agentId,
    tool: entry.tool,
    action: entry.action,
    cost_micros: entry.costMicros.toString(),
    at,
    details_hash: detailsHash,
  };
  return {
    ...prepared,
    micros: entry.at.getTime() * 1000,
    details: entry.details,
    details_salt: salt,
    content_hash: contentHash(prepared),
  };
}

/** The commitment to an entry's details, hex: SHA-256(salt ‖ UTF-8), so that they can be erased and the entry still verifies. */
export function hashDetails(saltHex: string, details: string): string {
  return hash('sha256', Buffer.concat([Buffer.from(saltHex, 'hex'), Buffer.from(details, 'utf8')]), 'hex');
}

/**
 * SHA-256, hex, of the RFC 8785 JSON of every column the writer decides. The members are written in their sorted
 * order, and all are strings or null, so `JSON.stringify` gives the canonical bytes.
 */
export function contentHash(entry: {
  action: string;
  agent_id: string;
  at: string;
  cost_micros: string;
  details_hash: string | null;
  entry_id: string;
  session_id: string;
  source: string;
  tenant_id: string;
  tool: string;
}): string {
  return hash(
    'sha256',
    JSON.stringify({
      action: entry.action,
      agent_id: entry.agent_id,
      at: entry.at,
      cost_micros: entry.cost_micros,
      details_hash: entry.details_hash,
      entry_id: entry.entry_id,
      session_id: entry.session_id,
      source: entry.source,
      tenant_id: entry.tenant_id,
      tool: entry.tool,
      v: '1',
    }),
    'hex',
  );
}

/** SHA-256(content hash ‖ flag reason): what the database decided at append time is covered too. */
export function bodyHash(contentHashHex: string, flagReason: string | null): Buffer {
  return hash(
    'sha256',
    Buffer.concat([Buffer.from(contentHashHex, 'hex'), Buffer.from(flagReason ?? '', 'utf8')]),
    'buffer',
  );
}

/** SHA-256(0x00 ‖ prev_hash ‖ body_hash): the chain link, and at the same time the RFC 6962 leaf hash of those 64 bytes. */
export function entryHash(prevHash: Uint8Array, body: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([Buffer.from([0]), prevHash, body]), 'buffer');
}

/** What the first entry of a log follows. */
export const GENESIS_HASH = Buffer.alloc(32);
