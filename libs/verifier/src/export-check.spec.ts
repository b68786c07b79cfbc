import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
// Not the whole of test/support: `npm run mutate` runs this file for each of its changes.
import {
  entryOf,
  type Line,
  link,
  log,
  manifestOf,
  note,
  oldExport,
  rootOf,
  signed,
  signManifest,
  SIZE,
} from '../../../test/support/signed-export.js';
import { checkExport, UNSIGNED_MANIFEST } from './export-check.js';
import { manifestBody } from './manifest.js';
import { type Verdict } from './verdict.js';

const check = (lines: unknown[], pinned?: { size: number; root: Buffer }): Promise<Verdict> =>
  checkExport(
    (async function* () {
      const text = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
      for (let at = 0; at < text.length; at += 700) yield text.slice(at, at + 700);
    })(),
    { log, pinned: pinned && { origin: log.origin, ...pinned } },
  );

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
      fc.oneof(
        fc
          .oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.stringMatching(/^[0-9a-f]{64}$/))
          .map((value) => () => value),
        // What reads like the member as a text, without being one.
        fc.constantFrom(
          (value: unknown) => [value],
          (value: unknown) => [[value]],
          (value: unknown) => String(value),
        ),
        fc.constant(() => ({ toString: 1, valueOf: 1 })),
      ),
      async (index, member, made) => {
        const line = lines[index] as Line;
        const value = made(line[member]);
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

describe('the verdict says', () => {
  async function* inChunks(texts: string[]): AsyncGenerator<string> {
    yield* texts;
  }
  const unsignable = (): unknown[] => {
    const { signature: _, ...stripped } = manifest;
    return [...lines, { ...stripped, format_version: 1 }];
  };
  const broken = (index: number, reason: string): Verdict => ({ outcome: 'broken', index, reason });
  const cannot = (reason: string): Verdict => ({ outcome: 'cannot_check', reason });
  const DESCRIBES = broken(SIZE, 'the manifest does not describe the entries before it');
  const pin = (size: number, of = lines): { size: number; root: Buffer } => ({ size, root: rootOf(of.slice(0, size)) });
  const rewritten = link(
    Array.from({ length: SIZE }, (_, i) => ({ ...entryOf(i), ...(i === 11 ? { action: 'x' } : {}) })),
  );
  const old = oldExport();

  it.each<[string, unknown[], Verdict, { size: number; root: Buffer }?]>([
    ['an empty file', [], { outcome: 'nothing_to_check', reason: 'the file is empty' }],
    ['an empty log', [manifestOf([])], { outcome: 'nothing_to_check', reason: 'the log is empty' }],
    ['an empty log, pinned as that', [manifestOf([])], { outcome: 'nothing_to_check', reason: 'the log is empty' }, pin(0)],
    ['no manifest', lines, broken(SIZE, 'the export was cut off: it has no manifest')],
    ['lines after it', [...good, lines[0]], broken(SIZE, 'there are lines after the manifest')],
    ['no export', ['entry_id,timestamp'], cannot('the file is not a JSON Lines export')],
    ['a list', ['[]'], cannot('the file is not a JSON Lines export')],
    ['a first line that is cut off', ['{"entry_id": "aud_'], expect.objectContaining({ outcome: 'broken', index: 0, reason: expect.stringMatching(/^the line is not valid JSON: ./) })],
    ['a later one', [lines[0], 'x'], expect.objectContaining({ outcome: 'broken', index: 1, reason: expect.stringMatching(/^the line is not valid JSON: ./) })],
    ['another version', [...lines, { ...manifest, format_version: 3 }], cannot('the export is of a version this program does not know')],
    ...[{ tool: 't' }, null, undefined, 'x'].map((filters): [string, unknown[], Verdict] => [`filters like ${JSON.stringify(filters)}`, [...lines, { ...manifest, filters }], cannot('the export was filtered, so what is missing from it cannot be told; export without filters')]),
    ['another log', [...lines, { ...manifest, checkpoint: String(manifest['checkpoint']).replaceAll('tnt_1', 'tnt_2') }], cannot('the checkpoint is of another log')],
    ['no checkpoint', [...lines, { ...manifest, checkpoint: null }], broken(0, 'the checkpoint is not a signed note')],
    ['too few entries', [...lines.slice(0, 17), manifest], broken(17, 'the entry is missing: the log was signed with more')],
    ['too many', [...lines, manifestOf(lines, lines.slice(0, 17))], broken(17, 'the entry was never signed')],
    ['moved entries', [...lines.slice(1), manifest], broken(0, 'the entry is missing, or entries were moved')],
    ['entries of another tenant', [lines[0], { ...lines[1], tenant_id: 'tnt_2' }, ...lines.slice(2), manifest], broken(1, 'the entry is of another tenant')],
    ['a member of the manifest that nothing covers', [...lines, { ...manifest, approved: 1 }], broken(SIZE, 'the manifest has a member that nothing covers: "approved"')],
    ['an older manifest', unsignable(), broken(SIZE, 'the manifest is of an older version than its entries')],
    ['an older one whose members do not say what is in it', [...old.lines, { ...old.manifest, tree_size: 3 }], DESCRIBES],
    ['an older one of another key', [...old.lines, { ...old.manifest, verifier_key: 'x' }], DESCRIBES],
    ...['count', 'sha256', 'last_chain_hash', 'tenant_id', 'first_timestamp', 'last_timestamp', 'tree_size', 'verifier_key'].map((name): [string, unknown[], Verdict] => [`another ${name}, well signed`, [...lines, signManifest({ ...manifest, [name]: 'x' })], DESCRIBES]),
    ['a manifest that somebody changed', [...lines, { ...manifest, generated_at: 1 }], broken(SIZE, 'the manifest is not what the log signed')],
    ['one that nobody signed', [...lines, { ...manifest, signature: 'x' }], broken(SIZE, 'the signature of the manifest is not a signed note')],
    ['fewer entries than were pinned', [...lines.slice(0, 12), manifestOf(lines.slice(0, 12))], broken(12, 'the entry is missing: the log was longer when it was pinned'), pin(15)],
    ['another beginning than was pinned', good, broken(5, 'the log does not begin as it did when it was pinned'), { size: 7, root: rootOf(lines.slice(0, 6)) }],
    ['other entries than were signed', [...rewritten, signManifest({ ...manifestOf(rewritten, lines) })], broken(10, 'the entries are not those that were signed')],
    ['the same, without older checkpoints', [...rewritten, signManifest({ ...manifestOf(rewritten, lines), checkpoints: 'x' })], broken(0, 'the entries are not those that were signed')],
    ['the same, with checkpoints that are none', [...rewritten, signManifest({ ...manifestOf(rewritten, lines), checkpoints: [1, 'x', note(5, rootOf(lines.slice(0, 5))), note(SIZE, rootOf(lines)), note(99, rootOf(lines))] })], broken(5, 'the entries are not those that were signed')],
    ['the same, by what was pinned', [...rewritten, signManifest({ ...manifestOf(rewritten, lines), checkpoints: [] })], broken(9, 'the entries are not those that were signed'), pin(9)],
    ['erased details', [...lines.map((line, i) => (i === 4 ? { ...line, details: null, details_salt: null } : line)), manifest], broken(4, 'details or context of the entry were removed without a record of it')],
    ['a whole log as it was pinned', good, expect.objectContaining({ outcome: 'intact', entries: SIZE }), pin(SIZE)],
  ])('of %s what is wrong', async (_, given, verdict, pinned) => {
    expect(await check(given, pinned)).toEqual(verdict);
  }); // prettier-ignore

  it('of a text that begins with an empty line what it would without', async () => {
    expect(await check(['', ...good])).toMatchObject({ outcome: 'intact', entries: SIZE });
  });

  it('how far it came, every few thousand entries', async () => {
    const many = link(Array.from({ length: 5_000 }, (_, i) => entryOf(i)));
    const seen: number[] = [];
    const text = [...many, manifestOf(many)].map((line) => `${JSON.stringify(line)}\n`);
    const verdict = await checkExport(inChunks(text), { log, onProgress: (count) => seen.push(count) });
    expect([verdict.outcome, seen]).toEqual(['intact', [4_096]]);
  });

  it('of a line without end that it is none', async () => {
    const half = 'x'.repeat(8 * 1024 * 1024);
    expect(await checkExport(inChunks([half, half]), { log })).toEqual(cannot('the file is not a JSON Lines export'));
    const reason = 'the file is not a JSON Lines export: a line is too long';
    expect(await checkExport(inChunks([half, half, 'x']), { log })).toEqual(cannot(reason));
  });
});
