import { toUnixSeconds } from '@haldir/kernel';
import { type ConsistencyProof, type InclusionProof, type TreeHead } from '@haldir/audit-log';
import { nextCursor, pageQuery, queryInt } from '@haldir/http';
import { keyHash, verifierKey, writeEntry } from '@haldir/verifier';
import { z } from 'zod';
import { type AuditEntry } from '../audit-trail.repository.js';
import { type ChainVerdict } from '../chain-verification.js';

const MERKLE = 'RFC6962-SHA256';
const hex = (bytes: Buffer): string => bytes.toString('hex');

export const ChainChecked = z.object({
  verified: z.boolean(),
  entries_checked: z.int(),
  message: z.string().optional().describe('When the log is in order'),
  broken_at: z.int().optional().describe('Position of the first entry that is wrong or missing, from 0'),
  error: z.string().optional().describe('What is wrong with it'),
});
export type ChainChecked = z.infer<typeof ChainChecked>;

export function toChainChecked(verdict: ChainVerdict): ChainChecked {
  const { entriesChecked } = verdict;
  if (verdict.verified) {
    const message = entriesChecked === 0 ? 'The log is empty' : 'Every entry is as it was written, and in its place';
    return { verified: true, entries_checked: entriesChecked, message };
  }
  return { verified: false, entries_checked: entriesChecked, broken_at: verdict.brokenAt, error: verdict.error };
}

export const TreeHeadAnswer = z
  .object({
    tree_size: z.int().describe('Entries in the log'),
    root_hash: z.string().describe('Root of the RFC 6962 Merkle tree over them, hex'),
    signed_at: z.number().describe('Unix timestamp'),
    signature: z.string().describe('Ed25519 over the first three lines of the checkpoint, base64'),
    algorithm: z.string(),
    tenant_id: z.string(),
    origin: z.string().describe('The name of the log, and of its key'),
    key_id: z.string().describe('C2SP hash of the key, hex'),
    checkpoint: z.string().describe('The same as a C2SP checkpoint in a signed note'),
  })
  .meta({ id: 'TreeHead' });
export type TreeHeadAnswer = z.infer<typeof TreeHeadAnswer>;

export function toTreeHead(head: TreeHead): TreeHeadAnswer {
  return {
    tree_size: head.size,
    root_hash: hex(head.root),
    signed_at: toUnixSeconds(head.signedAt),
    signature: head.signature.toString('base64'),
    algorithm: 'Ed25519',
    tenant_id: head.tenantId,
    origin: head.origin,
    key_id: hex(keyHash(head.origin, head.publicKey)),
    checkpoint: head.note,
  };
}

export const InclusionProofAnswer = z.object({
  algorithm: z.literal(MERKLE),
  entry_id: z.string(),
  leaf_index: z.int(),
  leaf_hash: z.string(),
  tree_size: z.int(),
  root_hash: z.string(),
  audit_path: z.array(z.string()).describe('Hashes from the leaf to the root (RFC 6962, 2.1.1), hex'),
  sth: TreeHeadAnswer,
  entry: z
    .record(z.string(), z.unknown())
    .describe('The entry as a line of an export, without details and context: it hashes to leaf_hash'),
});
export type InclusionProofAnswer = z.infer<typeof InclusionProofAnswer>;

export function toInclusionProof(
  entry: AuditEntry,
  { head, leafIndex, leafHash, path }: InclusionProof,
): InclusionProofAnswer {
  return {
    algorithm: MERKLE,
    entry_id: entry.entryId,
    leaf_index: leafIndex,
    leaf_hash: hex(leafHash),
    tree_size: head.size,
    root_hash: hex(head.root),
    audit_path: path.map(hex),
    sth: toTreeHead(head),
    entry: writeEntry(entry, entry.seq),
  };
}

export const ConsistencyQuery = z.object({
  first: queryInt(1, Number.MAX_SAFE_INTEGER).describe('Size of the earlier tree, from 1'),
  second: queryInt(1, Number.MAX_SAFE_INTEGER).describe('Size of the later tree, up to the size of the log'),
});
export type ConsistencyQuery = z.infer<typeof ConsistencyQuery>;

export const ConsistencyProofAnswer = z.object({
  algorithm: z.literal(MERKLE),
  first_size: z.int(),
  second_size: z.int(),
  first_root: z.string(),
  second_root: z.string(),
  consistency_path: z.array(z.string()).describe('RFC 6962, 2.1.2, hex'),
});
export type ConsistencyProofAnswer = z.infer<typeof ConsistencyProofAnswer>;

export function toConsistencyProof({ first, second, path }: ConsistencyProof): ConsistencyProofAnswer {
  return {
    algorithm: MERKLE,
    first_size: first.size,
    second_size: second.size,
    first_root: hex(first.root),
    second_root: hex(second.root),
    consistency_path: path.map(hex),
  };
}

export const ListCheckpoints = z.object(pageQuery);
export type ListCheckpoints = z.infer<typeof ListCheckpoints>;

export const CheckpointList = z.object({
  checkpoints: z.array(TreeHeadAnswer),
  count: z.int(),
  next_cursor: nextCursor,
});
export type CheckpointList = z.infer<typeof CheckpointList>;

export const LogKeyAnswer = z.object({
  origin: z.string(),
  verifier_key: z.string().describe('C2SP: name+hash+base64(type ‖ key)'),
  jwks: z.object({
    keys: z.array(
      z.object({ kty: z.string(), crv: z.string(), alg: z.string(), use: z.string(), kid: z.string(), x: z.string() }),
    ),
  }),
});
export type LogKeyAnswer = z.infer<typeof LogKeyAnswer>;

/** The public key as a C2SP verifier key, and as a JWK (RFC 8037). */
export function toLogKey({ origin, publicKey }: TreeHead): LogKeyAnswer {
  const kid = hex(keyHash(origin, publicKey));
  return {
    origin,
    verifier_key: verifierKey({ origin, publicKey }),
    jwks: {
      keys: [{ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', kid, x: publicKey.toString('base64url') }],
    },
  };
}
