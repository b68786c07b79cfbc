import { generateKeyPairSync, sign } from 'node:crypto';
import { checkpointBody, keyHash, type LogIdentity } from './checkpoint.js';
import { type LoggedEntry } from './entry-check.js';
import { bodyHash, contentHash, entryHash, GENESIS_HASH } from './entry-hash.js';
import { writeEntry } from './export-line.js';
import { consistencyPath, inclusionPath, rootOf } from './merkle.js';
import { checkProof } from './proof-check.js';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const log: LogIdentity = {
  origin: 'example.com/log/tnt_1',
  publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(12),
};
const entries: LoggedEntry[] = [];
for (let i = 0; i < 7; i++) {
  const entry: LoggedEntry = {
    ...{ tenantId: 'tnt_1', entryId: `aud_${i}`, source: 'agent', sessionId: '', agentId: 'agent', tool: 'mail' },
    ...{ action: 'send', costMicros: '0', details: null, detailsSalt: null, detailsHash: null, actorId: 'hld_1' },
    ...{ context: null, contextSalt: null, contextHash: null, atMicros: BigInt(i), flagReason: null },
    ...{ prevHash: entries.at(-1)?.entryHash ?? GENESIS_HASH, entryHash: GENESIS_HASH },
  };
  entry.entryHash = entryHash(entry.prevHash, bodyHash(contentHash(entry), entry.atMicros, null));
  entries.push(entry);
}
const leaves = entries.map((entry) => entry.entryHash);
/** Of the first `size` entries; `of` another log where one is named. */
function headOf(size: number, of = log.origin) {
  const checkpoint = { origin: of, size, root: rootOf(leaves.slice(0, size)) };
  const signature = sign(null, Buffer.from(checkpointBody(checkpoint)), privateKey);
  const line = Buffer.concat([keyHash(of, log.publicKey), signature]).toString('base64');
  const sth = {
    ...{ tree_size: size, root_hash: checkpoint.root.toString('hex'), signed_at: 1, algorithm: 'Ed25519' },
    ...{ tenant_id: 'tnt_1', origin: of, key_id: keyHash(of, log.publicKey).toString('hex') },
    ...{ signature: signature.toString('base64'), checkpoint: `${checkpointBody(checkpoint)}\n— ${of} ${line}\n` },
  };
  return { checkpoint, sth };
}
const { checkpoint, sth } = headOf(7);
const hashes = (path: { from: number; to: number }[]): string[] =>
  path.map(({ from, to }) => rootOf(leaves.slice(from, to)).toString('hex'));
const MALFORMED = { outcome: 'cannot_check', reason: 'the proof is malformed' };
const UNKNOWN = { outcome: 'cannot_check', reason: 'the file is not a proof of a kind this program knows' };
const HEX = 'ab'.repeat(32);
const NO_HASHES = [undefined, null, 1, '', HEX.slice(2), `${HEX}0`, HEX.toUpperCase(), [HEX]];
const NO_INDEXES = [undefined, null, '2', -1, 2.5, 2 ** 53, [2]];

/** Of the entry at an index in the tree of seven. */
const inclusion = (index: number): Record<string, unknown> => ({
  ...{ algorithm: 'RFC6962-SHA256', entry_id: `aud_${index}`, leaf_index: index, leaf_hash: leaves[index]?.toString('hex') },
  ...{ tree_size: 7, root_hash: checkpoint.root.toString('hex'), audit_path: hashes(inclusionPath(index, 7)), sth },
  entry: writeEntry(entries[index] as LoggedEntry, index),
}); // prettier-ignore

it.each([[null], [undefined], ['RFC6962-SHA256'], [7]])('%j is no proof', (value) => {
  expect(checkProof(value, { log })).toEqual({ outcome: 'cannot_check', reason: 'the file is not a proof' });
});

it('a proof of another kind is not known', () => {
  for (const value of [{}, { algorithm: 'RFC6962-SHA256' }, { ...inclusion(2), algorithm: 'RFC9162' }])
    expect(checkProof(value, { log })).toEqual(UNKNOWN);
});

describe('that the log has an entry', () => {
  const checked = (change: Record<string, unknown>): unknown => checkProof({ ...inclusion(2), ...change }, { log });
  const without = (name: string): unknown => {
    const { [name]: _, ...rest } = inclusion(2);
    return checkProof(rest, { log });
  };
  const broken = (reason: string): object => ({ outcome: 'broken', index: 2, reason });

  it('is proved for each of them', () => {
    const intact = { outcome: 'intact', entries: 1, checkpoint };
    for (const index of entries.keys()) expect(checkProof(inclusion(index), { log })).toEqual(intact);
  });

  it('is proved of its hash alone by a proof without the entry, which says so', () => {
    const notice = 'the proof does not hold its entry: only that the log has one with this hash was checked';
    expect(without('entry')).toEqual({ outcome: 'intact', entries: 1, checkpoint, notice });
  });

  it('needs nothing of the tree head but its checkpoint', () => {
    expect(checked({ sth: { checkpoint: sth.checkpoint } })).toEqual({ outcome: 'intact', entries: 1, checkpoint });
  });

  it.each([
    ['leaf_index', NO_INDEXES],
    ['tree_size', NO_INDEXES],
    ['leaf_hash', NO_HASHES],
    ['root_hash', NO_HASHES],
    ['audit_path', [undefined, null, HEX, {}, [HEX, 1], [1, HEX], ['x', HEX], Array<string>(129).fill(HEX)]],
  ])('is not read where %s is not as it is written', (name, values) => {
    for (const value of values) expect(checked({ [name]: value })).toEqual(MALFORMED);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['another size', { tree_size: 6 }, 'the proof is for another tree than the one that was signed'],
    ['another root', { root_hash: HEX }, 'the proof is for another tree than the one that was signed'],
    ['no head', { sth: null }, 'the checkpoint is not a signed note'],
    ['another path', { audit_path: [HEX, HEX, HEX] }, 'the path does not lead from the entry to the signed root'],
    ['the longest path', { audit_path: Array<string>(128).fill(HEX) }, 'the path does not lead from the entry to the signed root'],
    ...Object.entries({ tree_size: 6, root_hash: HEX, algorithm: 'ES256', origin: 'x', key_id: '00', tenant_id: 'tnt_2' }).map(
      ([name, value]): [string, Record<string, unknown>, string] => [`${name} of the head changed`, { sth: { ...sth, [name]: value } }, `${name} of the tree head is not what was signed`]),
    ['no text for a signature', { sth: { ...sth, signature: 7 } }, 'signature of the tree head is not the log’s'],
    ['the signature of another tree', { sth: { ...sth, signature: headOf(6).sth.signature } }, 'signature of the tree head is not the log’s'],
    ['no object for an entry', { entry: 'x' }, 'the entry is none'],
    ['null for an entry', { entry: null }, 'the entry is none'],
    ['an entry without members', { entry: {} }, 'the line is not an entry: it has no entry_id'],
    ['another name of the entry', { entry_id: 'aud_3' }, 'the entry is not the one that the proof is for'],
    ['an entry of another place', { entry: writeEntry(entries[2] as LoggedEntry, 3) }, 'the entry is not the one that the proof is for'],
    ['an entry with another hash', { entry: { ...(inclusion(2)['entry'] as object), entry_hash: HEX } }, 'the entry is not the one that the proof is for'],
    ['another entry', { entry: inclusion(3)['entry'] }, 'the entry is not the one that the proof is for'],
    ['a changed entry', { entry: { ...(inclusion(2)['entry'] as object), tool: 'x' } }, 'the entry was changed'],
  ])('is not proved with %s', (_, change, reason) => {
    expect(checked(change)).toEqual(broken(reason));
  }); // prettier-ignore

  it('is not checked against the checkpoint of another log', () => {
    const reason = 'the checkpoint is of another log';
    const foreign = headOf(7, 'example.com/log/tnt_2');
    expect(checked({ sth: { checkpoint: foreign.sth.checkpoint } })).toEqual({ outcome: 'cannot_check', reason });
  });

  it('shows nothing that is not covered', () => {
    const reason = 'the proof has a member that nothing covers: "approved"';
    for (const change of [{ approved: 1 }, { sth: { ...sth, approved: 1 } }])
      expect(checked(change)).toEqual({ outcome: 'cannot_check', reason });
  });
});

describe('that a log goes on from what it was', () => {
  const [pinned, newer] = [headOf(3).checkpoint, checkpoint];
  const growth: Record<string, unknown> = {
    ...{ algorithm: 'RFC6962-SHA256', first_size: 3, second_size: 7 },
    ...{ first_root: pinned.root.toString('hex'), second_root: newer.root.toString('hex') },
    consistency_path: hashes(consistencyPath(3, 7)),
  };
  const checked = (change: Record<string, unknown>): unknown => checkProof({ ...growth, ...change }, { log, pinned, newer }); // prettier-ignore

  it('is proved between two checkpoints, which are both needed', () => {
    expect(checked({})).toEqual({ outcome: 'intact', entries: 3, checkpoint: newer });
    const reason = 'a consistency proof connects two checkpoints: give both';
    for (const given of [{}, { pinned }, { newer }])
      expect(checkProof(growth, { log, ...given })).toEqual({ outcome: 'cannot_check', reason });
  });

  it.each([
    ['first_size', NO_INDEXES],
    ['second_size', NO_INDEXES],
    ['first_root', NO_HASHES],
    ['second_root', NO_HASHES],
    ['consistency_path', [undefined, [1], Array<string>(129).fill(HEX)]],
  ])('is not read where %s is not as it is written', (name, values) => {
    for (const value of values) expect(checked({ [name]: value })).toEqual(MALFORMED);
  });

  it.each<[string, Record<string, unknown>, object]>([
    ...['first_size', 'second_size'].map((name): [string, Record<string, unknown>, object] => [`another ${name}`, { [name]: 5 }, { outcome: 'cannot_check', reason: 'the proof is for other sizes than the checkpoints' }]),
    ...['first_root', 'second_root'].map((name): [string, Record<string, unknown>, object] => [`another ${name}`, { [name]: HEX }, { outcome: 'broken', index: 0, reason: 'the proof is for other trees than those that were signed' }]),
    ['another path', { consistency_path: [HEX] }, { outcome: 'broken', index: 0, reason: 'the log of the second checkpoint does not begin with that of the first' }],
    ['what nothing covers', { approved: 1 }, { outcome: 'cannot_check', reason: 'the proof has a member that nothing covers: "approved"' }],
  ])('is not proved with %s', (_, change, verdict) => {
    expect(checked(change)).toEqual(verdict);
  }); // prettier-ignore
});
