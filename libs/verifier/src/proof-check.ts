import {
  type Checkpoint,
  InvalidCheckpoint,
  isSignedBy,
  keyHash,
  type LogIdentity,
  parseCheckpoint,
} from './checkpoint.js';
import { faultOf } from './entry-check.js';
import { readEntry } from './export-line.js';
import { provesConsistency, provesInclusion } from './merkle.js';
import { broken, cannot, type Verdict } from './verdict.js';

const HASH = /^[0-9a-f]{64}$/;
/** A tree of 2^53 leaves has no longer path, and a consistency proof needs at most twice as many hashes. */
const MAX_PATH = 128;
const INCLUSION_MEMBERS = [
  ...['algorithm', 'entry_id', 'leaf_index', 'leaf_hash', 'tree_size', 'root_hash', 'audit_path', 'sth', 'entry'],
]; // prettier-ignore
const CONSISTENCY_MEMBERS = ['algorithm', 'first_size', 'second_size', 'first_root', 'second_root', 'consistency_path'];
const HEAD_MEMBERS = [
  ...['tree_size', 'root_hash', 'signed_at', 'signature', 'algorithm', 'tenant_id', 'origin', 'key_id', 'checkpoint'],
]; // prettier-ignore
/** Said of a proof that was made before proofs held their entries. */
const NO_ENTRY = 'the proof does not hold its entry: only that the log has one with this hash was checked';

/**
 * Checks a proof as the API answers it (`inclusion-proof`, with its signed tree head in `sth`; `consistency-proof`, whose two
 * roots are believed only when `pinned` and `newer` sign them). Of what it shows, `signed_at` alone is without proof.
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
  const foreign = foreignIn(record, INCLUSION_MEMBERS) ?? foreignIn(record['sth'], HEAD_MEMBERS);
  if (foreign !== null) return cannot(foreign);
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
  const fault = headFault(sth as Record<string, unknown>, checkpoint, log) ?? entryFault(record);
  if (fault !== null) return broken(index, fault);
  if (!provesInclusion(Buffer.from(leaf, 'hex'), index, size, path, checkpoint.root))
    return broken(index, 'the path does not lead from the entry to the signed root');
  return { outcome: 'intact', entries: 1, checkpoint, ...('entry' in record ? {} : { notice: NO_ENTRY }) };
}

/** What the tree head says beside its checkpoint, where it says it. */
function headFault(sth: Record<string, unknown>, { size, root }: Checkpoint, log: LogIdentity): string | null {
  const tenantId = log.origin.split('/').at(-1);
  const expected: Record<string, unknown> = {
    tree_size: size,
    root_hash: root.toString('hex'),
    algorithm: 'Ed25519',
    origin: log.origin,
    key_id: keyHash(log.origin, log.publicKey).toString('hex'),
    tenant_id: tenantId,
  };
  const wrong = Object.keys(expected).find((name) => name in sth && sth[name] !== expected[name]);
  if (wrong !== undefined) return `${wrong} of the tree head is not what was signed`;
  const { signature } = sth;
  if (signature === undefined) return null;
  const isSigned = typeof signature === 'string' && isSignedBy(log, { size, root }, Buffer.from(signature, 'base64'));
  return isSigned ? null : 'signature of the tree head is not the log’s';
}

/** Whether the entry in a proof is the one it names, and hashes to the leaf. */
function entryFault(record: Record<string, unknown>): string | null {
  const line = record['entry'];
  if (line === undefined) return null;
  if (typeof line !== 'object' || line === null) return 'the entry is none';
  const entry = readEntry(line as Record<string, unknown>);
  if (typeof entry === 'string') return entry;
  const isNamed =
    entry.entryId === record['entry_id'] &&
    (line as Record<string, unknown>)['leaf_index'] === record['leaf_index'] &&
    entry.entryHash.toString('hex') === record['leaf_hash'];
  return isNamed ? faultOf(entry, entry.prevHash) : 'the entry is not the one that the proof is for';
}

function foreignIn(value: unknown, known: readonly string[]): string | null {
  if (typeof value !== 'object' || value === null) return null;
  const foreign = Object.keys(value).find((name) => !known.includes(name));
  return foreign === undefined ? null : `the proof has a member that nothing covers: ${JSON.stringify(foreign)}`;
}

function checkConsistency(
  record: Record<string, unknown>,
  pinned: Checkpoint | undefined,
  newer: Checkpoint | undefined,
): Verdict {
  const foreign = foreignIn(record, CONSISTENCY_MEMBERS);
  if (foreign !== null) return cannot(foreign);
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
