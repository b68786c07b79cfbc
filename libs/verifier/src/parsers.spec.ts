import { generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import {
  checkpointBody,
  InvalidCheckpoint,
  keyHash,
  type LogIdentity,
  parseCheckpoint,
  parseVerifierKey,
  verifierKey,
} from './checkpoint.js';
import { checkExport } from './export-check.js';
import { consistencyPath, inclusionPath, rootOf } from './merkle.js';
import { checkProof } from './proof-check.js';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const log: LogIdentity = {
  origin: 'test/log/tnt_1',
  publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(12),
};
const leaves = Array.from({ length: 7 }, (_, i) => Buffer.alloc(32, i + 1));
const checkpoint = { origin: log.origin, size: leaves.length, root: rootOf(leaves) };
const body = checkpointBody(checkpoint);
const blob = Buffer.concat([keyHash(log.origin, log.publicKey), sign(null, Buffer.from(body), privateKey)]);
const note = `${body}\n— ${log.origin} ${blob.toString('base64')}\n`;

const proof: Record<string, unknown> = {
  algorithm: 'RFC6962-SHA256',
  leaf_index: 2,
  leaf_hash: leaves[2]?.toString('hex'),
  tree_size: leaves.length,
  root_hash: checkpoint.root.toString('hex'),
  audit_path: inclusionPath(2, leaves.length).map(({ from, to }) => rootOf(leaves.slice(from, to)).toString('hex')),
  sth: { checkpoint: note },
};

const older = { origin: log.origin, size: 3, root: rootOf(leaves.slice(0, 3)) };
const growth: Record<string, unknown> = {
  algorithm: 'RFC6962-SHA256',
  first_size: older.size,
  second_size: checkpoint.size,
  first_root: older.root.toString('hex'),
  second_root: checkpoint.root.toString('hex'),
  consistency_path: consistencyPath(older.size, checkpoint.size).map(({ from, to }) =>
    rootOf(leaves.slice(from, to)).toString('hex'),
  ),
};

/** A text with some of it cut out, doubled, or replaced by something else. */
const damaged = (text: string): fc.Arbitrary<string> =>
  fc
    .array(fc.record({ at: fc.nat(text.length), cut: fc.nat(5), add: fc.string({ unit: 'binary', maxLength: 5 }) }), {
      minLength: 1,
      maxLength: 3,
    })
    .map((changes) => changes.reduce((now, { at, cut, add }) => now.slice(0, at) + add + now.slice(at + cut), text));

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
);

/** What is read, or null where it is refused in the one way a reader may refuse. */
function read<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    if (error instanceof InvalidCheckpoint) return null;
    throw error;
  }
}

describe('a checkpoint', () => {
  it('that was damaged is refused, or says what was signed', () => {
    fc.assert(
      fc.property(fc.oneof(damaged(note), anyText), (text) => {
        const found = read(() => parseCheckpoint(text, log));
        if (found !== null) expect(found).toEqual(checkpoint);
      }),
      { numRuns: 1_000 },
    );
    expect(parseCheckpoint(note, log)).toEqual(checkpoint);
  });

  it('with a bit of its signature changed is refused', () => {
    for (let bit = 32; bit < blob.length * 8; bit += 3) {
      const changed = Buffer.from(blob);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const text = `${body}\n— ${log.origin} ${changed.toString('base64')}\n`;
      expect(() => parseCheckpoint(text, log)).toThrow(InvalidCheckpoint);
    }
  });
});

it('a verifier key that was damaged is refused, or is the key', () => {
  const key = verifierKey(log);
  fc.assert(
    fc.property(fc.oneof(damaged(key), anyText), (text) => {
      const found = read(() => parseVerifierKey(text));
      if (found !== null) expect(found).toEqual(log);
    }),
    { numRuns: 1_000 },
  );
  expect(parseVerifierKey(key)).toEqual(log);
});

describe('a proof', () => {
  it('is found intact as it is', () => {
    expect(checkProof(proof, { log })).toMatchObject({ outcome: 'intact' });
  });

  it('that shows what nothing covers is refused', () => {
    expect(checkProof({ ...proof, approved_by: 'the board' }, { log }).outcome).toBe('cannot_check');
    for (const [name, value] of [['tree_size', 8], ['root_hash', 'ff'], ['origin', 'test/log/tnt_2'], ['key_id', '00'], ['tenant_id', 'tnt_2'], ['signature', 'AA=='], ['algorithm', 'none']] as const) {
      expect(checkProof({ ...proof, sth: { checkpoint: note, [name]: value } }, { log })).toMatchObject({ outcome: 'broken', index: 2 });
    }
    expect(checkProof({ ...growth, approved: true }, { log, pinned: older, newer: checkpoint }).outcome).toBe('cannot_check');
  }); // prettier-ignore

  it('that was damaged in any member gets a verdict, and none that it is intact', () => {
    const member = fc.constantFrom(...Object.keys(proof).filter((name) => name !== 'algorithm'));
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom<unknown>(undefined, NaN, -1, 2 ** 53, 2.5, '2', [], {}));
    fc.assert(
      fc.property(member, value, (name, other) => {
        fc.pre(JSON.stringify(other) !== JSON.stringify(proof[name]));
        const { outcome } = checkProof({ ...proof, [name]: other }, { log });
        expect(['broken', 'cannot_check']).toContain(outcome);
      }),
      { numRuns: 1_000 },
    );
  });

  it('of any other shape gets a verdict', () => {
    const kind = fc.constantFrom(
      {},
      { algorithm: 'RFC6962-SHA256', audit_path: [] },
      { algorithm: 'RFC6962-SHA256', consistency_path: [] },
    );
    fc.assert(
      fc.property(fc.jsonValue(), kind, (value, more) => {
        const given =
          typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...more, ...value } : value;
        expect(['broken', 'cannot_check']).toContain(
          checkProof(given, { log, pinned: checkpoint, newer: checkpoint }).outcome,
        );
      }),
    );
  });
});

describe('a proof that a log only grew', () => {
  it('is intact between the two checkpoints that it names, and cannot be checked without them', () => {
    const both = { log, pinned: older, newer: checkpoint };
    expect(checkProof(growth, both)).toMatchObject({ outcome: 'intact', entries: 3 });
    expect(checkProof(growth, { log, newer: checkpoint }).outcome).toBe('cannot_check');
    expect(checkProof(growth, { log, pinned: older }).outcome).toBe('cannot_check');
    for (const size of [2, 4]) {
      expect(checkProof(growth, { ...both, pinned: { ...older, size } }).outcome).toBe('cannot_check');
      expect(checkProof(growth, { ...both, newer: { ...checkpoint, size } }).outcome).toBe('cannot_check');
    }
    const other = Buffer.alloc(32, 9);
    expect(checkProof(growth, { ...both, pinned: { ...older, root: other } }).outcome).toBe('broken');
    expect(checkProof(growth, { ...both, newer: { ...checkpoint, root: other } }).outcome).toBe('broken');
  });

  it('that shows what nothing covers is refused', () => {
    expect(checkProof({ ...proof, approved_by: 'the board' }, { log }).outcome).toBe('cannot_check');
    for (const [name, value] of [['tree_size', 8], ['root_hash', 'ff'], ['origin', 'test/log/tnt_2'], ['key_id', '00'], ['tenant_id', 'tnt_2'], ['signature', 'AA=='], ['algorithm', 'none']] as const) {
      expect(checkProof({ ...proof, sth: { checkpoint: note, [name]: value } }, { log })).toMatchObject({ outcome: 'broken', index: 2 });
    }
    expect(checkProof({ ...growth, approved: true }, { log, pinned: older, newer: checkpoint }).outcome).toBe('cannot_check');
  }); // prettier-ignore

  it('that was damaged in any member gets a verdict, and none that it is intact', () => {
    const member = fc.constantFrom(...Object.keys(growth).filter((name) => name !== 'algorithm'));
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom<unknown>(undefined, NaN, -1, 2, 4, 2.5, '3', [], {}));
    fc.assert(
      fc.property(member, value, (name, other) => {
        fc.pre(JSON.stringify(other) !== JSON.stringify(growth[name]));
        const { outcome } = checkProof({ ...growth, [name]: other }, { log, pinned: older, newer: checkpoint });
        expect(['broken', 'cannot_check']).toContain(outcome);
      }),
      { numRuns: 1_000 },
    );
  });
});

it('a file that is no export gets a verdict, however it is cut', async () => {
  const line = fc.oneof(
    anyText,
    fc.json(),
    fc.constantFrom('{"type":"manifest"}', '{"entry_id":"aud_1"}', 'null', '[]', ''),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 6 }), fc.nat(20), async (lines, size) => {
      const text = lines.join('\n');
      const chunks = async function* (): AsyncGenerator<string> {
        for (let at = 0; at < text.length; at += size + 1) yield text.slice(at, at + size + 1);
      };
      const { outcome } = await checkExport(chunks(), { log });
      expect(['broken', 'cannot_check', 'nothing_to_check']).toContain(outcome);
    }),
    { numRuns: 200 },
  );
});
