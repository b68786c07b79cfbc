import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import {
  bodyHash,
  checkpointBody,
  contentHash,
  entryHash,
  formatOf,
  Frontier,
  GENESIS_HASH,
  hashSalted,
  keyHash,
  type LogIdentity,
  manifestBody,
  verifierKey,
} from '@haldir/verifier';

/** How many entries there are to check. */
export const SIZE = 20;

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
export const log: LogIdentity = {
  origin: 'test/log/tnt_1',
  publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(12),
};

export function note(size: number, root: Buffer, key = privateKey): string {
  return signed(checkpointBody({ origin: log.origin, size, root }), key);
}

export function signed(body: string, key = privateKey): string {
  const blob = Buffer.concat([keyHash(log.origin, log.publicKey), sign(null, Buffer.from(body), key)]);
  return `${body}\n— ${log.origin} ${blob.toString('base64')}\n`;
}

export type Line = Record<string, unknown>;

/** Links entries properly from the first on: what whoever can write to the database can do, too. */
export function link(entries: Line[], by = 'agent'): Line[] {
  let previous: Buffer = GENESIS_HASH;
  return entries.map((entry, i) => {
    const details = entry['details'] as string | null;
    const [tool, source] = [entry['tool'] ?? 't', entry['source'] ?? by] as [string, string];
    const salt = details === null ? null : '00ff';
    const detailsHash = details === null || salt === null ? null : hashSalted(salt, details);
    const actorId = (entry['actor_id'] ?? null) as string | null;
    const context = (entry['context'] ?? null) as string | null;
    const contextHash = context === null ? null : hashSalted('0f', context);
    const content = contentHash({
      tenantId: 'tnt_1',
      entryId: entry['entry_id'] as string,
      source,
      sessionId: 's',
      agentId: 'a',
      tool,
      action: entry['action'] as string,
      costMicros: '1500000',
      ...{ detailsHash, actorId, contextHash },
    });
    const flag = entry['flag_reason'] as string | null;
    const timestamp = 1_760_000_000.123 + i;
    const hash = entryHash(previous, bodyHash(content, BigInt(Math.round(timestamp * 1e6)), flag));
    const line = {
      entry_id: entry['entry_id'],
      timestamp,
      tenant_id: 'tnt_1',
      session_id: 's',
      agent_id: 'a',
      tool,
      action: entry['action'],
      cost_usd: 1.5,
      flagged: flag !== null,
      flag_reason: flag,
      details,
      prev_hash: previous.toString('hex'),
      entry_hash: hash.toString('hex'),
      leaf_index: i,
      source,
      cost_micros: '1500000',
      details_salt: salt,
      details_hash: detailsHash,
      ...(entry['is_old'] === true
        ? {}
        : {
            format: formatOf({ actorId }),
            actor: context === null ? actorId : 'key:hld_1',
            ...{ actor_id: actorId, context, context_salt: context === null ? null : '0f', context_hash: contextHash },
          }),
    };
    previous = hash;
    return line;
  });
}

export const entryOf = (i: number): Line => ({
  entry_id: `aud_${i}`,
  action: `act ${i}`,
  details: i % 3 === 0 ? null : `details ${i}`,
  flag_reason: i % 7 === 0 ? 'rapid_fire' : null,
  // The first three as they were before entries named who acted, of the others some by Haldir itself.
  ...(i < 3 ? {} : { actor_id: i % 5 === 0 ? 'haldir' : 'hld_1' }),
  ...(i < 3 || i % 5 === 0 ? {} : { context: '{"address":"192.0.2.7","label":"key:hld_1"}' }),
});

/** As exports were before entries had a second format, and manifests a signature. */
export function oldExport(): { lines: Line[]; manifest: Line } {
  const old = link(Array.from({ length: SIZE }, (_, i) => ({ ...entryOf(i), ...NO_ACTOR, is_old: true })));
  const { signature: _, ...manifest } = manifestOf(old);
  return { lines: old, manifest: { ...manifest, format_version: 1 } };
}
const NO_ACTOR = { actor_id: null, context: null };

export function rootOf(lines: Line[]): Buffer {
  const frontier = new Frontier();
  for (const line of lines) frontier.append(Buffer.from(line['entry_hash'] as string, 'hex'));
  return frontier.root();
}

export function signManifest(manifest: Line): Line {
  return { ...manifest, signature: signed(manifestBody(log.origin, manifest)) };
}

export function manifestOf(lines: Line[], signed = lines): Line {
  return signManifest({
    type: 'manifest',
    format_version: 2,
    tenant_id: 'tnt_1',
    generated_at: 1_760_000_100.5,
    filters: {},
    count: lines.length,
    first_timestamp: lines[0]?.['timestamp'] ?? null,
    last_timestamp: lines.at(-1)?.['timestamp'] ?? null,
    tree_size: signed.length,
    verifier_key: verifierKey(log),
    last_chain_hash: lines.at(-1)?.['entry_hash'] ?? null,
    sha256: createHash('sha256')
      .update(lines.map((line) => `${String(line['entry_id'])}\n`).join(''))
      .digest('hex'),
    checkpoint: note(signed.length, rootOf(signed)),
    checkpoints: [5, 10, 15]
      .filter((size) => size < signed.length)
      .map((size) => note(size, rootOf(signed.slice(0, size)))),
  });
}
