import { SoftwareAuthenticator } from '@haldir/test-support';
import { readAttestation } from './webauthn.js';

const PLACE = { origin: 'https://haldir.example.com', rpId: 'haldir.example.com' };
const OPEN = { hash: Buffer.alloc(32), expiresAt: new Date(0) };

/** CBOR (RFC 8949): the shortest head of a major type with a number of up to 65,535. */
function head(major: number, size: number): Buffer {
  if (size < 24) return Buffer.of(major + size);
  return size < 256 ? Buffer.of(major + 24, size) : Buffer.of(major + 25, size >> 8, size & 255);
}
const int = (value: number): Buffer => (value < 0 ? head(0x20, -1 - value) : head(0, value));
const bytes = (length: number, first = 0xc1): Buffer =>
  Buffer.concat([head(0x40, length), Buffer.of(first), Buffer.alloc(length - 1, 0xc1)]);
const exponent = (value: number): Buffer => Buffer.of(0x43, value >> 16, (value >> 8) & 255, value & 255);
/** A COSE_Key of members and their values (RFC 9052, 7). */
function coseKey(...members: [label: number, value: number | Buffer][]): Buffer {
  const encoded = members.flatMap(([label, value]) => [int(label), typeof value === 'number' ? int(value) : value]);
  return Buffer.concat([Buffer.of(0xa0 + members.length), ...encoded]);
}
const rsa = (modulus: Buffer, e = exponent(65_537)): Buffer => coseKey([1, 3], [3, -257], [-1, modulus], [-2, e]);
const point = (kty: number, alg: number, crv: number, size = 32): Buffer =>
  coseKey([1, kty], [3, alg], [-1, crv], [-2, bytes(size)], [-3, bytes(size)]);

async function algorithmOf(key: Buffer): Promise<number | undefined> {
  const options = { challenge: 'AAAA', rp: { id: PLACE.rpId }, user: { id: 'cHJz' } };
  const made = new SoftwareAuthenticator(PLACE.origin).create(options, { coseKey: key });
  return (await readAttestation(made, PLACE, () => OPEN))?.algorithm;
}

it.each([
  ['ES256 of P-256', point(2, -7, 1), -7],
  ['EdDSA of Ed25519', coseKey([1, 1], [3, -8], [-1, 6], [-2, bytes(32)]), -8],
  ['RS256 of 2048 bits', rsa(bytes(256)), -257],
  ['RS256 of 4096 bits', rsa(bytes(512)), -257],
])('a key of %s is taken', async (_, key, algorithm) => {
  expect(await algorithmOf(key)).toBe(algorithm);
});

it.each([
  ['ES256 of P-384', point(2, -7, 2, 48)],
  ['ES256 of secp256k1', point(2, -7, 8)],
  ['ES256 of kind OKP', point(1, -7, 1)],
  ['EdDSA of kind EC2', point(2, -8, 6)],
  ['EdDSA of another curve', coseKey([1, 1], [3, -8], [-1, 7], [-2, bytes(32)])],
  ['RS256 of kind EC2', point(2, -257, 1)],
  ['RS256 of 1024 bits', rsa(bytes(128))],
  ['RS256 of 2047 bits', rsa(bytes(256, 0x7f))],
  [
    'RS256 of 1024 bits that are filled up',
    rsa(Buffer.concat([head(0x40, 256), Buffer.alloc(128), Buffer.alloc(128, 0xc1)])),
  ],
  ['RS256 with an exponent of 1', rsa(bytes(256), exponent(1))],
  ['RS256 without a modulus', coseKey([1, 3], [3, -257], [-2, exponent(65_537)])],
  ['ES384', point(2, -35, 2, 48)],
])('a key of %s is refused', async (_, key) => {
  expect(await algorithmOf(key)).toBeUndefined();
});
