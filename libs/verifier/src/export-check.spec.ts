import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { checkpointBody, keyHash, type LogIdentity, verifierKey } from './checkpoint.js';
import { bodyHash, contentHash, entryHash, formatOf, GENESIS_HASH, hashSalted } from './entry-hash.js';
import { checkExport, UNSIGNED_MANIFEST } from './export-check.js';
import { manifestBody } from './manifest.js';
import { Frontier } from './merkle.js';
import { type Verdict } from './verdict.js';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const log: LogIdentity = {
  origin: 'test/log/tnt_1',
  publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(12),
};

function note(size: number, root: Buffer, key = privateKey): string {
  return signed(checkpointBody({ origin: log.origin, size, root }), key);
}

function signed(body: string, key = privateKey): string {
  const blob = Buffer.concat([keyHash(log.origin, log.publicKey), sign(null, Buffer.from(body), key)]);
  return `${body}\n— ${log.origin} ${blob.toString('base64')}\n`;
}

type Line = Record<string, unknown>;

/** Links entries properly from the first on: what whoever can write to the database can do, too. */
function link(entries: Line[], source = 'agent'): Line[] {
  let previous: Buffer = GENESIS_HASH;
  return entries.map((entry, i) => {
    const details = entry['details'] as string | null;
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
      tool: 't',
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

const entryOf = (i: number): Line => ({
  entry_id: `aud_${i}`,
  action: `act ${i}`,
  details: i % 3 === 0 ? null : `details ${i}`,
  flag_reason: i % 7 === 0 ? 'rapid_fire' : null,
  // The first three as they were before entries named who acted, of the others some by Haldir itself.
  ...(i < 3 ? {} : { actor_id: i % 5 === 0 ? 'haldir' : 'hld_1' }),
  ...(i < 3 || i % 5 === 0 ? {} : { context: '{"address":"192.0.2.7","label":"key:hld_1"}' }),
});

/** As exports were before entries had a second format, and manifests a signature. */
function oldExport(): { lines: Line[]; manifest: Line } {
  const old = link(Array.from({ length: SIZE }, (_, i) => ({ ...entryOf(i), ...NO_ACTOR, is_old: true })));
  const { signature: _, ...manifest } = manifestOf(old);
  return { lines: old, manifest: { ...manifest, format_version: 1 } };
}
const NO_ACTOR = { actor_id: null, context: null };

function rootOf(lines: Line[]): Buffer {
  const frontier = new Frontier();
  for (const line of lines) frontier.append(Buffer.from(line['entry_hash'] as string, 'hex'));
  return frontier.root();
}

function signManifest(manifest: Line): Line {
  return { ...manifest, signature: signed(manifestBody(log.origin, manifest)) };
}

function manifestOf(lines: Line[], signed = lines): Line {
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
  expect(await check([...lines, signManifest({ ...manifest, filters: { tool: 't' } })])).toMatchObject({
    outcome: 'cannot_check',
  });
  expect(await check([...lines, signManifest({ ...manifest, format_version: 3 })])).toMatchObject({
    outcome: 'cannot_check',
  });
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
  expect(await check([...lines, signManifest({ ...manifest, count: 3 })])).toMatchObject({
    outcome: 'broken',
    index: SIZE,
  });
  expect(await check([...lines, signManifest({ ...manifest, sha256: '00' })])).toMatchObject({
    outcome: 'broken',
    index: SIZE,
  });
  expect(await check([...good, lines[0]])).toMatchObject({ outcome: 'broken', index: SIZE });
  expect(await check([...lines.slice(0, 9), '{"entry_id": "aud_'])).toMatchObject({ outcome: 'broken', index: 9 });
});

it('believes no history but the signed one, however well it is linked', async () => {
  const rewritten = link(
    Array.from({ length: SIZE }, (_, i) => (i === 11 ? { ...entryOf(i), action: 'innocent' } : entryOf(i))),
  );
  // The signed checkpoints are those of the true history: the last one that still holds bounds the place from below.
  const signed = signManifest({ ...manifestOf(rewritten, lines), last_chain_hash: rewritten.at(-1)?.['entry_hash'] });
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

it('takes an erased context for what it is, if the erasure is on the record', async () => {
  const erase = (all: Line[]): Line[] =>
    all.map((line, i) => (i === 6 ? { ...line, actor: 'hld_1', ...{ details: null, details_salt: null }, ...{ context: null, context_salt: null } } : line)); // prettier-ignore
  expect(await check([...erase(lines), manifest])).toMatchObject({ outcome: 'broken', index: 6 });
  const record = { ...entryOf(SIZE), action: 'audit_details_erased', details: JSON.stringify({ entry_id: 'aud_6' }) };
  const recorded = link([...Array.from({ length: SIZE }, (_, i) => entryOf(i)), record], 'haldir');
  expect(await check([...erase(recorded), manifestOf(recorded)])).toMatchObject({ outcome: 'intact' });
});

describe('what no hash covers', () => {
  const raw = lines.map((line) => JSON.stringify(line));
  const at = (index: number, line: string): unknown[] => [
    ...raw.map((other, i) => (i === index ? line : other)),
    manifest,
  ];
  const behindBrace = (index: number, members: string): string => `{${members},${raw[index]?.slice(1) ?? ''}`;

  it.each([
    ['a member more', behindBrace(7, '"approved_by":"the board"')],
    ['a member twice, the false one first', behindBrace(7, '"action":"harmless"')],
    ['a member twice, once escaped', behindBrace(7, '"\\u0061ction":"harmless"')],
    ['a member twice, with the true value both times', behindBrace(7, '"action":"act 7"')],
    ['a member called __proto__', behindBrace(7, '"__proto__":{"approved":true}')],
    ['another label of who acted', JSON.stringify({ ...lines[7], actor: 'key:hld_2' })],
    ['a label that was taken away', JSON.stringify({ ...lines[7], actor: null })],
    ['another format', JSON.stringify({ ...lines[7], format: 1 })],
  ])('in a line is refused: %s', async (_what, line) => {
    expect(await check(at(7, line))).toMatchObject({ outcome: 'broken', index: 7 });
  });

  it.each([
    ['tenant_id', 'tnt_2'],
    ['generated_at', 1],
    ['first_timestamp', null],
    ['last_timestamp', 0],
    ['tree_size', SIZE + 1],
    ['verifier_key', 'test/log/tnt_1+00000000+AA=='],
    ['checkpoints', []],
    ['approved_by', 'the board'],
    ['signature', null],
    ['signature', 'forged'],
    ['signature', signed(manifestBody(log.origin, { ...manifest, tenant_id: 'tnt_2' }))],
    ['signature', note(SIZE, rootOf(lines))],
    ['signature', signed(manifestBody(log.origin, manifest), generateKeyPairSync('ed25519').privateKey)],
  ])('in a manifest is refused: %s', async (member, value) => {
    expect(await check([...lines, { ...manifest, [member]: value }])).toMatchObject({ outcome: 'broken', index: SIZE });
  });

  it('in a manifest is refused when a member stands twice', async () => {
    const twice = `{"tenant_id":"tnt_2",${JSON.stringify(manifest).slice(1)}`;
    expect(await check([...raw, twice])).toMatchObject({ outcome: 'broken', index: SIZE });
    const nested = JSON.stringify(manifest).replace('"filters":{}', '"filters":{"a":1,"a":2}');
    expect(await check([...raw, nested])).toMatchObject({ outcome: 'broken', index: SIZE });
  });

  it('in a manifest that cannot be signed is said, and whatever contradicts the entries refused', async () => {
    const old = oldExport();
    expect(await check([...old.lines, old.manifest])).toMatchObject({ outcome: 'intact', notice: UNSIGNED_MANIFEST });
    for (const forged of [{ tenant_id: 'tnt_2' }, { last_timestamp: 0 }, { approved_by: 'the board' }]) {
      const finding = await check([...old.lines, { ...old.manifest, ...forged }]);
      expect(finding).toMatchObject({ outcome: 'broken', index: SIZE });
    }
    // Entries of format 2 were never in an export whose manifest was not signed.
    const { signature: _, ...stripped } = manifest;
    expect(await check([...lines, { ...stripped, format_version: 1 }])).toMatchObject({ outcome: 'broken' });
  });
});
