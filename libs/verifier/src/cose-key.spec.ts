import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { readCoseKey } from './cose-key.js';

const LENGTHS = new Map([
  [1, 24],
  [2, 25],
  [4, 26],
]);
/** CBOR (RFC 8949): the head of a major type with a number, in so many bytes, or as few as there can be. */
function head(major: number, value: number, bytes = value < 24 ? 0 : value < 256 ? 1 : 2): Buffer {
  if (bytes === 0) return Buffer.of((major << 5) + value);
  const tail = Buffer.alloc(bytes);
  tail.writeUIntBE(value, 0, bytes);
  return Buffer.concat([Buffer.of((major << 5) + (LENGTHS.get(bytes) ?? 0)), tail]);
}
type Member = [label: number, value: number | Buffer];
const int = (value: number): Buffer => (value < 0 ? head(1, -1 - value) : head(0, value));
const bytes = (value: Buffer): Buffer => Buffer.concat([head(2, value.length), value]);
const coseKey = (members: Member[]): Buffer =>
  Buffer.concat([
    head(5, members.length),
    ...members.flatMap(([label, value]) => [int(label), typeof value === 'number' ? int(value) : bytes(value)]),
  ]);

type Jwk = Record<'x' | 'y' | 'n' | 'e', string>;
const jwk = (key: { export(options: { format: 'jwk' }): unknown }): Jwk => key.export({ format: 'jwk' }) as Jwk;
const raw = (text: string): Buffer => Buffer.from(text, 'base64url');

const ec = jwk(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);
const ed = jwk(generateKeyPairSync('ed25519').publicKey);
const rsa = jwk(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey);
const ES256: Member[] = [[1, 2], [3, -7], [-1, 1], [-2, raw(ec.x)], [-3, raw(ec.y)]]; // prettier-ignore
const EDDSA: Member[] = [[1, 1], [3, -8], [-1, 6], [-2, raw(ed.x)]]; // prettier-ignore
const RS256: Member[] = [[1, 3], [3, -257], [-1, raw(rsa.n)], [-2, raw(rsa.e)]]; // prettier-ignore
const changed = (members: Member[], label: number, value: number | Buffer): Buffer =>
  coseKey(members.map(([each, was]) => [each, each === label ? value : was]));

it.each([
  ['ES256', ES256, ec, 'sha256'],
  ['EdDSA', EDDSA, ed, null],
  ['RS256', RS256, rsa, 'sha256'],
])('a key of %s is read', (_, members, expected, hash) => {
  const read = readCoseKey(coseKey(members));
  expect(read?.hash).toBe(hash);
  expect(read && jwk(read.key)).toEqual(expected);
});

it('a head may be longer than it needs to be', () => {
  const [[, kty], ...others] = ES256 as [Member, ...Member[]];
  const long = Buffer.concat([head(5, 5, 4), head(0, 1, 1), head(0, kty as number, 2), coseKey(others).subarray(1)]);
  expect(readCoseKey(long)).not.toBeNull();
});

const weak = jwk(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey);
const three = jwk(generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }).publicKey);
it.each([
  ['nothing', Buffer.alloc(0)],
  ['more than a key', Buffer.concat([coseKey(ES256), Buffer.of(0)])],
  ['a list', Buffer.concat([head(4, 5), coseKey(ES256).subarray(1)])],
  ['a label twice', coseKey([...ES256, [1, 2]])],
  ['a text for a label', Buffer.concat([head(5, 1), head(3, 1), Buffer.from('a'), int(1)])],
  ['a text for a value', Buffer.concat([head(5, 1), int(1), head(3, 1), Buffer.from('a')])],
  ['a number of eight bytes', Buffer.concat([head(5, 1), int(1), Buffer.of(0x1b), Buffer.alloc(8)])],
  ['bytes without an end', Buffer.concat([head(5, 1), int(1), Buffer.of(0x5f, 0xff)])],
  ['another curve', changed(ES256, -1, 2)],
  ['another kind', changed(ES256, 1, 1)],
  ['another algorithm', changed(ES256, 3, -35)],
  ['no point of the curve', changed(ES256, -3, Buffer.alloc(32, 1))],
  ['a number for a coordinate', changed(ES256, -2, 7)],
  ['EdDSA of another curve', changed(EDDSA, -1, 7)],
  ['RS256 of another kind', changed(RS256, 1, 2)],
  ['RS256 of 1024 bits', changed(RS256, -1, raw(weak.n))],
  ['RS256 with another exponent', coseKey([[1, 3], [3, -257], [-1, raw(three.n)], [-2, raw(three.e)]])],
])('no key is read of %s', (_, key) => {
  expect(readCoseKey(key)).toBeNull();
}); // prettier-ignore

it('of what was cut off, and of anything at all, nothing is read, and nothing breaks', () => {
  const whole = coseKey(ES256);
  for (let length = 0; length < whole.length; length++) expect(readCoseKey(whole.subarray(0, length))).toBeNull();
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (any) => readCoseKey(Buffer.from(any)) === null));
});
