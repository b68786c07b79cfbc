import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import {
  checkpointBody,
  InvalidCheckpoint,
  isSignedBy,
  keyHash,
  type LogIdentity,
  noteBodySignedBy,
  parseCheckpoint,
  parseVerifierKey,
  verifierKey,
} from './checkpoint.js';

interface Signer extends LogIdentity {
  privateKey: KeyObject;
}
function signer(origin: string): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { origin, privateKey, publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(-32) };
}
const log = signer('log.example/ten_1');
const other = signer('witness.example');
const root = Buffer.alloc(32, 7);
const BODY = checkpointBody({ origin: log.origin, size: 12, root });
const signatureOf = (of: Signer, body: string): Buffer => sign(null, Buffer.from(body), of.privateKey);
const line = (of: Signer, body: string): string =>
  `— ${of.origin} ${Buffer.concat([keyHash(of.origin, of.publicKey), signatureOf(of, body)]).toString('base64')}\n`;
const noteOf = (body: string, ...signers: Signer[]): string =>
  `${body}\n${signers.map((of) => line(of, body)).join('')}`;
const saying = (message: string): Error => expect.objectContaining({ constructor: InvalidCheckpoint, message });
const refusal = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};

describe('a checkpoint', () => {
  it('says origin, size and root, signed by the log, whoever else signs', () => {
    expect(BODY).toBe(`log.example/ten_1\n12\n${root.toString('base64')}\n`);
    const read = { origin: log.origin, size: 12, root };
    for (const signers of [[log], [log, other], [other, log]])
      expect(parseCheckpoint(noteOf(BODY, ...signers), log)).toEqual(read);
    const ninetyNine = Array<Signer>(99).fill(other);
    expect(parseCheckpoint(noteOf(BODY, ...ninetyNine, log), log)).toEqual(read);
    const empty = checkpointBody({ origin: log.origin, size: 0, root });
    expect(parseCheckpoint(noteOf(empty, log), log).size).toBe(0);
  });

  const lines = (...of: string[]): string => noteOf(`${of.join('\n')}\n`, log);
  const encoded = root.toString('base64');
  const sized = (size: string): string => lines(log.origin, size, encoded);
  const NO_SIZE = 'the checkpoint has no proper size';
  const NO_ROOT = 'the checkpoint has no proper root hash';
  const UNSIGNED = 'the checkpoint is not signed by the log';
  const NO_NOTE = 'the checkpoint is not a signed note';
  const MALFORMED = 'the checkpoint has a malformed signature line';
  const COUNT = 'the checkpoint should have 1 to 100 signatures';
  const short = Buffer.concat([keyHash(log.origin, log.publicKey)]).toString('base64');
  it.each<[string, string, string]>([
    ['one line more', lines(log.origin, '12', encoded, 'x'), 'the checkpoint has lines beyond origin, size and root'],
    ['another origin', lines('other.example', '12', encoded), 'the checkpoint is of another log'],
    ...['x12', '12x', '012', '-1', '1e3', '9007199254740993', '90071992547409930'].map((size): [string, string, string] => [`the size ${size}`, sized(size), NO_SIZE]),
    ['nothing but its origin', lines(log.origin), NO_SIZE],
    ['no root', lines(log.origin, '12'), NO_ROOT],
    ['a short root', lines(log.origin, '12', root.subarray(1).toString('base64')), NO_ROOT],
    ['a root that is not written as base64 is', lines(log.origin, '12', `${encoded} `), NO_ROOT],
    ['a signature of another alone', noteOf(BODY, other), UNSIGNED],
    ['two signatures of the log', noteOf(BODY, log, log), UNSIGNED],
    ['a signature over another size', `${BODY}\n${line(log, BODY.replace('12', '13'))}`, UNSIGNED],
    ['a key of the same name', noteOf(BODY, { ...other, origin: log.origin }), UNSIGNED],
    ['a short signature', `${BODY}\n— ${log.origin} ${Buffer.concat([Buffer.from(short, 'base64'), Buffer.alloc(63)]).toString('base64')}\n`, UNSIGNED],
    ['no signature', `${BODY}\n`, COUNT],
    ['a hundred and one', noteOf(BODY, log, ...Array<Signer>(100).fill(other)), COUNT],
    ['no empty line', BODY, NO_NOTE],
    ['nothing before it', `\n\n${line(log, '\n')}`, 'the checkpoint is of another log'],
    ['no end of its last line', noteOf(BODY, log).slice(0, -1), NO_NOTE],
    ['something before a signature', `${BODY}\nx${line(log, BODY)}`, MALFORMED],
    ['something behind one', `${BODY}\n${line(log, BODY).replace('\n', ' x\n')}`, MALFORMED],
    ['an unnamed one', `${BODY}\n—  ${short}\n`, MALFORMED],
    ['one that is not base64', `${BODY}\n— ${log.origin} A\n`, MALFORMED],
    ['one that is a key and nothing else', `${BODY}\n— ${log.origin} ${short}\n`, MALFORMED],
    ['more than a hundred thousand characters', `${'x'.repeat(100_000)}\n`, 'the checkpoint is too long'],
    ['a hundred thousand characters', 'x'.repeat(100_000), NO_NOTE],
  ])('with %s is none', (_, note, message) => {
    expect(refusal(() => parseCheckpoint(note, log))).toEqual(saying(message));
  }); // prettier-ignore
});

describe('a signed note', () => {
  it('is read once the log has signed it, whatever it says', () => {
    expect(noteBodySignedBy(noteOf('anything\nat all\n', other, log), log, 'the note')).toBe('anything\nat all\n');
  });

  it.each([
    ['nobody of the log', noteOf('a\n', other)],
    ['the log twice', noteOf('a\n', log, log)],
    ['the log, over something else', `a\n\n${line(log, 'b\n')}`],
  ])('that is signed by %s is refused, and said which it is', (_, note) => {
    expect(refusal(() => noteBodySignedBy(note, log, 'the manifest'))).toEqual(
      saying('the manifest is not signed by the log'),
    );
  });
});

it('a signature is of one tree of one log, and of the right length', () => {
  const signature = signatureOf(log, BODY);
  expect(isSignedBy(log, { size: 12, root }, signature)).toBe(true);
  expect(isSignedBy(log, { size: 13, root }, signature)).toBe(false);
  expect(isSignedBy({ ...log, origin: 'x' }, { size: 12, root }, signature)).toBe(false);
  expect(isSignedBy(other, { size: 12, root }, signature)).toBe(false);
  expect(isSignedBy(log, { size: 12, root }, Buffer.concat([signature, root]))).toBe(false);
  expect(isSignedBy({ ...log, publicKey: root.subarray(1) }, { size: 12, root }, signature)).toBe(false);
});

describe('the key for verifiers', () => {
  const text = verifierKey(log);
  const of = (bytes: Buffer, name = log.origin, hashed = bytes.subarray(1)): string =>
    `${name}+${keyHash(name, hashed).toString('hex')}+${bytes.toString('base64')}`;
  const key = Buffer.concat([Buffer.from([1]), log.publicKey]);

  it('is read as it was written, with whitespace around it', () => {
    expect(text).toBe(of(key));
    const { origin, publicKey } = log;
    for (const written of [text, ` ${text}\n`]) expect(parseVerifierKey(written)).toEqual({ origin, publicKey });
  });

  const FORM = 'the verifier key is not of the form name+hash+key';
  const KIND = 'the verifier key is not an Ed25519 key';
  it.each([
    ['nothing', '', FORM],
    ['a word', 'key', FORM],
    ['two parts', text.split('+').slice(0, 2).join('+'), FORM],
    ['no name', text.slice(log.origin.length), FORM],
    ['something before it', `x ${text}`, FORM],
    ['something behind it', `${text} x`, FORM],
    ['a key of another kind', of(Buffer.concat([Buffer.from([2]), log.publicKey])), KIND],
    ['a short key', of(key.subarray(0, -1)), KIND],
    ['a long key', of(Buffer.concat([key, root])), KIND],
    ['a key that is not written as base64 is', `${text.slice(0, text.indexOf('+') + 10)}AB==`, KIND],
    ['the hash of another', of(key, log.origin, other.publicKey), 'the verifier key does not match its own hash'],
    ['another name', text.replace('log.', 'dog.'), 'the verifier key does not match its own hash'],
  ])('is not %s', (_, written, message) => {
    expect(refusal(() => parseVerifierKey(written))).toEqual(saying(message));
  });
});
