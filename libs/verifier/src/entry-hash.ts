import { hash } from 'node:crypto';

/** What of an entry its writer alone decides, as it is hashed. */
export interface HashedEntry {
  tenantId: string;
  entryId: string;
  source: string;
  sessionId: string;
  agentId: string;
  tool: string;
  action: string;
  costMicros: bigint | string;
  /** Hex; null for an entry without details. */
  detailsHash: string | null;
  /** Who acted; null in an entry of format 1, which does not say so. */
  actorId: string | null;
  /** Hex; null where there is no context, as in every entry of format 1. */
  contextHash: string | null;
}

/** What the first entry of a log follows. */
export const GENESIS_HASH = Buffer.alloc(32);

/** The commitment to details or a context, hex: SHA-256(salt ‖ UTF-8), so that they can be erased and the entry still verifies. */
export function hashSalted(saltHex: string, text: string): string {
  const salt = Buffer.from(saltHex, 'hex');
  const bytes = Buffer.allocUnsafe(salt.length + Buffer.byteLength(text));
  bytes.set(salt);
  bytes.write(text, salt.length, 'utf8');
  return hash('sha256', bytes, 'hex');
}

/** Of an entry: 2 for one that names who acted, 1 for one that was written before entries did. */
export function formatOf({ actorId }: Pick<HashedEntry, 'actorId'>): 1 | 2 {
  return actorId === null ? 1 : 2;
}

/**
 * SHA-256, hex, of the RFC 8785 JSON of every column the writer alone decides. The members are written in their sorted
 * order, and all are strings or null, so `JSON.stringify` gives the canonical bytes.
 */
export function contentHash(entry: HashedEntry): string {
  const names = formatOf(entry) === 2;
  return hash(
    'sha256',
    JSON.stringify({
      action: entry.action,
      ...(names ? { actor_id: entry.actorId } : {}),
      agent_id: entry.agentId,
      ...(names ? { context_hash: entry.contextHash } : {}),
      cost_micros: entry.costMicros.toString(),
      details_hash: entry.detailsHash,
      entry_id: entry.entryId,
      session_id: entry.sessionId,
      source: entry.source,
      tenant_id: entry.tenantId,
      tool: entry.tool,
      v: names ? '2' : '1',
    }),
    'hex',
  );
}

/**
 * SHA-256(content hash ‖ uint64be time ‖ 0x00, or 0x01 ‖ flag reason): what the database decides at append time is
 * covered too.
 *
 * @param atMicros the entry's time in microseconds since 1970
 */
export function bodyHash(contentHashHex: string, atMicros: bigint, flagReason: string | null): Buffer {
  const bytes = Buffer.allocUnsafe(41 + (flagReason === null ? 0 : Buffer.byteLength(flagReason)));
  bytes.write(contentHashHex, 'hex');
  bytes.writeBigUInt64BE(atMicros, 32);
  bytes[40] = flagReason === null ? 0 : 1;
  if (flagReason !== null) bytes.write(flagReason, 41, 'utf8');
  return hash('sha256', bytes, 'buffer');
}

/** SHA-256(0x00 ‖ prev_hash ‖ body_hash): the chain link, and at the same time the RFC 6962 leaf hash of those 64 bytes. */
export function entryHash(prevHash: Uint8Array, body: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(65);
  bytes[0] = 0;
  bytes.set(prevHash, 1);
  bytes.set(body, 33);
  return hash('sha256', bytes, 'buffer');
}
