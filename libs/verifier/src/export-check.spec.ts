import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { checkpointBody, keyHash, type LogIdentity } from './checkpoint.js';
import { bodyHash, contentHash, entryHash, GENESIS_HASH, hashDetails } from './entry-hash.js';
import { checkExport } from './export-check.js';
import { Frontier } from './merkle.js';
import { type Verdict } from './verdict.js';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const log: LogIdentity = {
  origin: 'test/log/tnt_1',
  publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(12),
};

function note(size: number, root: Buffer, key = privateKey): string {
  const body = checkpointBody({ origin: log.origin, size, root });
  const blob = Buffer.concat([keyHash(log.origin, log.publicKey), sign(null, Buffer.from(body), key)]);
  return `${body}\n— ${log.origin} ${blob.toString('base64')}\n`;
}

type Line = Record<string, unknown>;

/** Links entries properly from `index` on: what whoever can write to the database can do, too. */
function link(entries: Line[], source = 'agent'): Line[] {
  let previous: Buffer = GENESIS_HASH;
  return entries.map((entry, i) => {
    const details = entry['details'] as string | null;
    const salt = details === null ? null : '00ff';
    const detailsHash = details === null || salt === null ? null : hashDetails(salt, details);
    const content = contentHash({
      tenantId: 'tnt_1',
      entryId: entry['entry_id'] as string,
      source,
      sessionId: 's',
      agentId: 'a',
      tool: 't',
      action: entry['action'] as string,
      costMicros: '1500000',
      detailsHash,
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
      tool: 't',
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
    };
    previous = hash;
    return line;
  });
}

const entryOf = (i: number): Line => ({
  entry_id: `aud_${i}`,
  action: `act ${i}`,
  details: i % 3 === 0 ? null : `details ${i}`,
  flag_reason: i % 7 === 0 ? 'rapid_fire' : null,
});

function rootOf(lines: Line[]): Buffer {
  const frontier = new Frontier();
  for (const line of lines) frontier.append(Buffer.from(line['entry_hash'] as string, 'hex'));
  return frontier.root();
}

function manifestOf(lines: Line[], signed = lines): Line {
  return {
    type: 'manifest',
    format_version: 1,
    tenant_id: 'tnt_1',
    filters: {},
    count: lines.length,
    last_chain_hash: lines.at(-1)?.['entry_hash'] ?? null,
    sha256: createHash('sha256')
      .update(lines.map((line) => `${String(line['entry_id'])}\n`).join(''))
      .digest('hex'),
    checkpoint: note(signed.length, rootOf(signed)),
    checkpoints: [5, 10, 15]
      .filter((size) => size < signed.length)
      .map((size) => note(size, rootOf(signed.slice(0, size)))),
  };
}

const check = (lines: unknown[], pinned?: { size: number; root: Buffer }): Promise<Verdict> =>
  checkExport(
    (async function* () {
      const text = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
      for (let at = 0; at < text.length; at += 700) yield text.slice(at, at + 700);
    })(),
    { log, pinned: pinned && { origin: log.origin, ...pinned } },
  );

const SIZE = 20;
const lines = link(Array.from({ length: SIZE }, (_, i) => entryOf(i)));
const manifest = manifestOf(lines);
const good = [...lines, manifest];

it('finds an export of everything intact, with and without a pinned checkpoint', async () => {
  expect(await check(good)).toMatchObject({ outcome: 'intact', entries: SIZE, checkpoint: { size: SIZE } });
  expect(await check(good, { size: 7, root: rootOf(lines.slice(0, 7)) })).toMatchObject({ outcome: 'intact' });
});

it('finds nothing to check in an empty file and an empty log', async () => {
  expect(await check([])).toMatchObject({ outcome: 'nothing_to_check' });
  expect(await check([manifestOf([])])).toMatchObject({ outcome: 'nothing_to_check' });
});

it('cannot check what is filtered, of another log, of another version, or no export at all', async () => {
  expect(await check([...lines, { ...manifest, filters: { tool: 't' } }])).toMatchObject({ outcome: 'cannot_check' });
  expect(await check([...lines, { ...manifest, format_version: 2 }])).toMatchObject({ outcome: 'cannot_check' });
  expect(await check(['entry_id,timestamp'])).toMatchObject({ outcome: 'cannot_check' });
  const elsewhere = { ...manifest, checkpoint: String(manifest['checkpoint']).replaceAll('tnt_1', 'tnt_2') };
  expect(await check([...lines, elsewhere])).toMatchObject({ outcome: 'cannot_check' });
});

it('names the entry in which any member was changed, whatever it was changed to', async () => {
  const members = Object.keys(lines[1] as Line);
  await fc.assert(
    fc.asyncProperty(
      fc.nat(SIZE - 1),
      fc.constantFrom(...members),
      fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.stringMatching(/^[0-9a-f]{64}$/)),
      async (index, member, value) => {
        const line = lines[index] as Line;
        fc.pre(JSON.stringify(line[member]) !== JSON.stringify(value));
        const changed = lines.map((other, i) => (i === index ? { ...line, [member]: value } : other));
        expect(await check([...changed, manifest])).toMatchObject({ outcome: 'broken', index });
      },
    ),
    { numRuns: 300 },
  );
});

it.each([
  ['the first is taken away', lines.slice(1), 0],
  ['one is taken from the middle', lines.filter((_, i) => i !== 8), 8],
  ['two are swapped', lines.map((line, i) => lines[i === 3 ? 4 : i === 4 ? 3 : i] ?? line), 3],
  ['one stands twice', lines.flatMap((line, i) => (i === 6 ? [line, line] : [line])), 7],
  ['the last ones are cut off', lines.slice(0, 17), 17],
])('names where it happened when %s', async (_what, altered, index) => {
  expect(await check([...altered, manifest])).toMatchObject({ outcome: 'broken', index });
});

it('names the end when the manifest is missing, was changed, or has something behind it', async () => {
  expect(await check(lines)).toMatchObject({ outcome: 'broken', index: SIZE });
  expect(await check([...lines, { ...manifest, count: 3 }])).toMatchObject({ outcome: 'broken', index: SIZE });
  expect(await check([...lines, { ...manifest, sha256: '00' }])).toMatchObject({ outcome: 'broken', index: SIZE });
  expect(await check([...good, lines[0]])).toMatchObject({ outcome: 'broken', index: SIZE });
  expect(await check([...lines.slice(0, 9), '{"entry_id": "aud_'])).toMatchObject({ outcome: 'broken', index: 9 });
});

it('believes no history but the signed one, however well it is linked', async () => {
  const rewritten = link(
    Array.from({ length: SIZE }, (_, i) => (i === 11 ? { ...entryOf(i), action: 'innocent' } : entryOf(i))),
  );
  // The signed checkpoints are those of the true history: the last one that still holds bounds the place from below.
  const signed = { ...manifestOf(rewritten, lines), last_chain_hash: rewritten.at(-1)?.['entry_hash'] };
  expect(await check([...rewritten, signed])).toMatchObject({ outcome: 'broken', index: 10 });
  const forged = { ...signed, checkpoint: note(SIZE, rootOf(rewritten), generateKeyPairSync('ed25519').privateKey) };
  expect(await check([...rewritten, forged])).toMatchObject({ outcome: 'broken', index: 0 });
});

it('believes no older copy and no other beginning than the pinned one', async () => {
  const old = lines.slice(0, 12);
  expect(await check([...old, manifestOf(old)], { size: 15, root: rootOf(lines.slice(0, 15)) })).toMatchObject({
    outcome: 'broken',
    index: 12,
  });
  expect(await check(good, { size: 7, root: rootOf(lines.slice(0, 6)) })).toMatchObject({
    outcome: 'broken',
    index: 5,
  });
});

it('takes erased details for what they are, if the erasure is on the record', async () => {
  const erase = (all: Line[]): Line[] =>
    all.map((line, i) => (i === 4 ? { ...line, details: null, details_salt: null } : line));
  expect(await check([...erase(lines), manifest])).toMatchObject({ outcome: 'broken', index: 4 });
  const record = { ...entryOf(SIZE), action: 'audit_details_erased', details: JSON.stringify({ entry_id: 'aud_4' }) };
  const recorded = link([...Array.from({ length: SIZE }, (_, i) => entryOf(i)), record], 'haldir');
  expect(await check([...erase(recorded), manifestOf(recorded)])).toMatchObject({
    outcome: 'intact',
    entries: SIZE + 1,
  });
});
