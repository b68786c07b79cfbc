import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
// Not the whole of test/support: `npm run mutate` runs this file for each of its changes.
import {
  entryOf,
  type Line,
  link,
  log,
  manifestOf,
  note,
  rootOf,
  signed,
  SIZE,
} from '../../../test/support/signed-export.js';
import { type Checkpoint } from './checkpoint.js';
import { checkEvidence, type EvidenceVerdict } from './evidence-check.js';
import { EVIDENCE_FILES, evidenceBody, type EvidenceFile } from './evidence-form.js';
import { EvidenceWriter } from './evidence-writer.js';
import { consistencyPath } from './merkle.js';

type Files = Record<Exclude<EvidenceFile, 'SHA256SUMS' | 'SIGNATURE'>, string>;

const OF_HISTORIES: Readonly<Record<number, Line>> = {
  5: { source: 'haldir', action: 'policy_added' },
  7: { source: 'haldir', action: 'api_key_created' },
  // What an agent says in the same words is of none.
  9: { source: 'agent', action: 'policy_removed' },
  10: { source: 'haldir', action: 'policy_removed' },
};
const lines = link(Array.from({ length: SIZE }, (_, i) => ({ ...entryOf(i), ...OF_HISTORIES[i] })));
const jsonLines = (of: readonly object[]): string => of.map((one) => `${JSON.stringify(one)}\n`).join('');
const older = (size: number, root = rootOf(lines.slice(0, size))): Line => ({
  checkpoint: note(size, root),
  consistency_path: consistencyPath(size, SIZE).map(({ from, to }) => rootOf(lines.slice(from, to)).toString('hex')),
});
const facts = {
  ...{ format_version: 1, tenant_id: 'tnt_1', origin: log.origin, tree_size: SIZE },
  period: { from: '2026-01-01T00:00:00.000Z', to: '2026-03-31T23:59:59.999Z' },
};
const files: Files = {
  'entries.jsonl': jsonLines([...lines, manifestOf(lines)]),
  'checkpoints.jsonl': jsonLines([older(3), older(8), older(19)]),
  'policies.jsonl': jsonLines([{ kind: 'policy', id: 'pol_1' }]),
  'policy-history.jsonl': jsonLines([lines[5] ?? {}, lines[10] ?? {}]),
  'approvals.jsonl': '',
  'people.jsonl': jsonLines([{ person_id: 'prs_1' }]),
  'keys.jsonl': jsonLines([{ prefix: 'hld_1' }]),
  'access-history.jsonl': jsonLines([lines[7] ?? {}]),
  'evidence.json': `${JSON.stringify(facts, null, 2)}\n`,
  'INDEX.txt': 'What is in it\n',
};

type Sign = (length: number, sha256: Buffer) => Promise<string>;
const byLog: Sign = (length, sha256) => Promise.resolve(signed(evidenceBody(log.origin, length, sha256)));

async function packageOf(changed: Partial<Files> = {}, sign = byLog): Promise<Buffer> {
  const parts: Buffer[] = [];
  const writer = new EvidenceWriter((bytes) => Promise.resolve(void parts.push(bytes)));
  for (const [name, text] of Object.entries({ ...files, ...changed }) as [keyof Files, string][])
    await writer.file(name, text.match(/[\s\S]{1,700}/g) ?? []);
  await writer.end(sign);
  return Buffer.concat(parts);
}

const check = (bytes: Buffer, pinned?: Checkpoint): Promise<EvidenceVerdict> =>
  checkEvidence(
    { length: bytes.length, read: (from, length) => Promise.resolve(bytes.subarray(from, from + length)) },
    { log, pinned },
  );

const good = await packageOf();
const [goodSign] = [...good.toString('latin1').matchAll(/haldir evidence v1\n/g)].map(({ index }) => index);
/** As the log signed it, whatever it is put under. */
const oldNote: Sign = () => Promise.resolve(good.toString('utf8', goodSign, good.indexOf('PK\u0001\u0002', goodSign)));

it('finds a package intact as it was made, with and without a pinned checkpoint', async () => {
  const found = { outcome: 'intact', entries: SIZE, checkpoint: { size: SIZE }, checkpoints: 3, period: facts.period };
  expect(await check(good)).toMatchObject(found);
  expect(await packageOf()).toEqual(good);
  expect(await check(await packageOf({}, oldNote))).toMatchObject(found);
  const pinned = { origin: log.origin, size: 7, root: rootOf(lines.slice(0, 7)) };
  expect(await check(good, pinned)).toMatchObject(found);
  expect(await check(good, { ...pinned, root: Buffer.alloc(32) })).toMatchObject({ outcome: 'broken' });
});

/** Numbers below one that are the same for every run with the seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const spliced = (bytes: Buffer, at: number, removed: number, added: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)]);

/** What somebody does to the bytes who does not look at them. */
function damaged(next: (below: number) => number): Buffer {
  const bytes = Buffer.from(good);
  const [at, length] = [next(bytes.length), 1 + next(40)];
  switch (next(7)) {
    case 0:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << next(8));
      return bytes;
    case 1:
      return spliced(bytes, at, 0, Buffer.alloc(length, next(256)));
    case 2:
      return spliced(bytes, at, length, Buffer.alloc(0));
    case 3:
      return bytes.subarray(0, at);
    case 4:
      return spliced(bytes, at, 0, bytes.subarray(at, at + length));
    case 5:
      return spliced(bytes, at, length, bytes.subarray(next(bytes.length)).subarray(0, length));
    default:
      return Buffer.concat([bytes, Buffer.alloc(length, next(256))]);
  }
}

const newKey = generateKeyPairSync('ed25519').privateKey;
const byOther: Sign = (length, sha256) => Promise.resolve(signed(evidenceBody(log.origin, length, sha256), newKey));

/** What somebody does who makes a package anew with every checksum right, but has no key of the log. */
function forged(next: (below: number) => number): Promise<Buffer> {
  const names = Object.keys(files) as (keyof Files)[];
  const name = names[next(names.length)] ?? 'entries.jsonl';
  const text = files[name];
  const [at, length] = [next(text.length), 1 + next(5)];
  const rows = text.split('\n');
  const other = [
    text.slice(0, at) + String.fromCharCode(33 + next(90)) + text.slice(at),
    text.slice(0, at) + text.slice(at + length),
    rows.filter((_, i) => i !== next(rows.length)).join('\n'),
    rows.toReversed().join('\n'),
    `${text}${text}`,
    '',
  ][next(6)];
  return packageOf({ [name]: other === text ? `${text} ` : other }, next(2) === 0 ? oldNote : byOther);
}

it('finds each of 1,000 changes of a package, by whoever has no key of the log', async () => {
  const next = numbers(20_261_201);
  const unnoticed: string[] = [];
  let made = 0;
  while (made < 1000) {
    const other = made % 4 === 3 ? await forged(next) : damaged(next);
    if (other.equals(good)) continue;
    made++;
    if ((await check(other)).outcome === 'intact') unnoticed.push(other.toString('base64'));
  }
  expect(unnoticed).toEqual([]);
}, 120_000);

it('finds every single bit that is flipped behind the contents, and in what stands between them', async () => {
  const unnoticed: number[] = [];
  const places = [...good.keys()].filter((at) => at >= good.indexOf('SIGNATURE') - 40 || at < 90);
  for (const at of places) {
    const bytes = Buffer.from(good);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
    if ((await check(bytes)).outcome === 'intact') unnoticed.push(at);
  }
  expect(unnoticed).toEqual([]);
});

it.each([
  ['entries.jsonl', jsonLines([...lines.slice(0, -1), manifestOf(lines)]), 'entries.jsonl'],
  ['checkpoints.jsonl', jsonLines([older(3, Buffer.alloc(32, 1))]), 'checkpoints.jsonl'],
  ['checkpoints.jsonl', jsonLines([{ ...older(8), consistency_path: [] }]), 'checkpoints.jsonl'],
  ['checkpoints.jsonl', '{}\n', 'checkpoints.jsonl'],
  ['evidence.json', jsonLines([{ ...facts, tree_size: 3 }]), 'evidence.json'],
  ['evidence.json', jsonLines([{ ...facts, origin: 'elsewhere' }]), 'evidence.json'],
])('believes no log that signed what does not go together: %s', async (name, text, file) => {
  expect(await check(await packageOf({ [name]: text }))).toMatchObject({ outcome: 'broken', file });
});

it('names the file that was changed', async () => {
  const changed = await packageOf({ 'keys.jsonl': '{"prefix":"hld_2"}\n' }, oldNote);
  expect(await check(changed)).toEqual({
    ...{ outcome: 'broken', file: 'SIGNATURE', reason: 'the package is not what the log signed' },
  });
  const bytes = Buffer.from(good);
  const at = bytes.indexOf('keys.jsonl') + 40;
  bytes[at] = (bytes[at] ?? 0) ^ 4;
  expect(await check(bytes)).toMatchObject({ outcome: 'broken', file: 'keys.jsonl' });
});

it('takes no signature beside the log’s own, and none of another log', async () => {
  const two: Sign = async (length, sha256) => {
    const own = await byLog(length, sha256);
    return `${own}— other ${Buffer.alloc(68, 7).toString('base64')}\n`;
  };
  expect(await check(await packageOf({}, two))).toMatchObject({ outcome: 'broken', file: 'SIGNATURE' });
  expect(await check(await packageOf({}, byOther))).toMatchObject({ outcome: 'broken', file: 'SIGNATURE' });
});

it('cannot check what is no package, of a version to come, or of another log', async () => {
  expect(await check(Buffer.from('entry_id,timestamp'))).toMatchObject({ outcome: 'cannot_check' });
  expect(await check(Buffer.alloc(0))).toMatchObject({ outcome: 'cannot_check' });
  const later = jsonLines([{ ...facts, format_version: 2 }]);
  expect(await check(await packageOf({ 'evidence.json': later }))).toMatchObject({ outcome: 'cannot_check' });
  const elsewhere = files['entries.jsonl'].replaceAll('test/log/tnt_1', 'test/log/tnt_2');
  expect(await check(await packageOf({ 'entries.jsonl': elsewhere }))).toMatchObject({ outcome: 'cannot_check' });
});

it('is written in its order, and no other', async () => {
  const writer = new EvidenceWriter(() => Promise.resolve());
  await expect(writer.file('INDEX.txt', [])).rejects.toThrow('not the next file');
});

it('is described in docs/evidence.md, with a vector of its signature', () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'evidence.md'), 'utf8');
  for (const name of EVIDENCE_FILES) expect(page).toContain(`\`${name}\``);
  const sha256 = Buffer.from('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 'hex');
  expect(page).toContain(evidenceBody('example.com/log/tnt_1', 3, sha256));
});

it.each<[string, Partial<Files>, string]>([
  ['one left out', { 'policy-history.jsonl': jsonLines([lines[5] ?? {}]) }, 'policy-history.jsonl'],
  ['one changed', { 'policy-history.jsonl': files['policy-history.jsonl'].replace('aud_5', 'aud_6') }, 'policy-history.jsonl'],
  ['others in their place', { 'policy-history.jsonl': jsonLines([lines[10] ?? {}, lines[5] ?? {}]) }, 'policy-history.jsonl'],
  ['one that an agent told of', { 'policy-history.jsonl': jsonLines([lines[5] ?? {}, lines[9] ?? {}, lines[10] ?? {}]) }, 'policy-history.jsonl'],
  ['none', { 'access-history.jsonl': '' }, 'access-history.jsonl'],
])('finds a history broken with %s, whoever signed it', async (_, changed, file) => {
  const reason = 'it does not have the entries of the log that it is of';
  expect(await check(await packageOf(changed))).toEqual({ outcome: 'broken', file, reason });
}); // prettier-ignore
