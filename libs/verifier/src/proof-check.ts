import { type Checkpoint, InvalidCheckpoint, type LogIdentity, parseCheckpoint } from './checkpoint.js';
import { provesConsistency, provesInclusion } from './merkle.js';
import { broken, cannot, type Verdict } from './verdict.js';

const HASH = /^[0-9a-f]{64}$/;
/** A tree of 2^53 leaves has no longer path, and a consistency proof needs at most twice as many hashes. */
const MAX_PATH = 128;

/**
 * Checks a proof as the API answers it (`inclusion-proof`, with its signed tree head in `sth`; `consistency-proof`, whose two
 * roots are believed only when `pinned` and `newer` sign them).
 *
 * @param proof the answer, parsed
 * @param checkpoints what else is known of the log: a consistency proof connects two of them
 */
export function checkProof(
  proof: unknown,
  { log, pinned, newer }: { log: LogIdentity; pinned?: Checkpoint | undefined; newer?: Checkpoint | undefined },
): Verdict {
  if (typeof proof !== 'object' || proof === null) return cannot('the file is not a proof');
  const record = proof as Record<string, unknown>;
  if (record['algorithm'] !== 'RFC6962-SHA256') return cannot('the file is not a proof of a kind this program knows');
  if ('audit_path' in record) return checkInclusion(record, log);
  if ('consistency_path' in record) return checkConsistency(record, pinned, newer);
  return cannot('the file is not a proof of a kind this program knows');
}

function checkInclusion(record: Record<string, unknown>, log: LogIdentity): Verdict {
  const { leaf_index: index, leaf_hash: leaf, tree_size: size, root_hash: root, sth } = record;
  const path = readPath(record['audit_path']);
  if (!isIndex(index) || !isIndex(size) || !isHash(leaf) || !isHash(root) || path === null) {
    return cannot('the proof is malformed');
  }
  let checkpoint: Checkpoint;
  try {
    checkpoint = parseCheckpoint(String((sth as Record<string, unknown> | null)?.['checkpoint']), log);
  } catch (error) {
    if (!(error instanceof InvalidCheckpoint)) throw error;
    return /another log/.test(error.message) ? cannot(error.message) : broken(index, error.message);
  }
  if (checkpoint.size !== size || checkpoint.root.toString('hex') !== root) {
    return broken(index, 'the proof is for another tree than the one that was signed');
  }
  return provesInclusion(Buffer.from(leaf, 'hex'), index, size, path, checkpoint.root)
    ? { outcome: 'intact', entries: 1, checkpoint }
    : broken(index, 'the path does not lead from the entry to the signed root');
}

function checkConsistency(
  record: Record<string, unknown>,
  pinned: Checkpoint | undefined,
  newer: Checkpoint | undefined,
): Verdict {
  const { first_size: first, second_size: second, first_root: firstRoot, second_root: secondRoot } = record;
  const path = readPath(record['consistency_path']);
  if (!isIndex(first) || !isIndex(second) || !isHash(firstRoot) || !isHash(secondRoot) || path === null) {
    return cannot('the proof is malformed');
  }
  if (!pinned || !newer) return cannot('a consistency proof connects two checkpoints: give both');
  if (pinned.size !== first || newer.size !== second)
    return cannot('the proof is for other sizes than the checkpoints');
  if (pinned.root.toString('hex') !== firstRoot || newer.root.toString('hex') !== secondRoot) {
    return broken(0, 'the proof is for other trees than those that were signed');
  }
  return provesConsistency(first, second, pinned.root, newer.root, path)
    ? { outcome: 'intact', entries: first, checkpoint: newer }
    : broken(0, 'the log of the second checkpoint does not begin with that of the first');
}

function readPath(value: unknown): Buffer[] | null {
  if (!Array.isArray(value) || value.length > MAX_PATH || !value.every(isHash)) return null;
  return value.map((hash) => Buffer.from(hash, 'hex'));
}

function isHash(value: unknown): value is string {
  return typeof value === 'string' && HASH.test(value);
}

function isIndex(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
