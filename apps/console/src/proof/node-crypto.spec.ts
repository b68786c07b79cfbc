import { createPublicKey, generateKeyPairSync, hash, sign, verify } from 'node:crypto';
import * as here from './node-crypto.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

it('hashes as Node does', () => {
  for (const data of ['', 'abc', 'é𐐷', bytes(), bytes(0, 255), new Uint8Array(1000).fill(7)]) {
    expect(here.hash('sha256', data, 'hex')).toBe(hash('sha256', data, 'hex'));
    expect([...(here.hash('sha256', data, 'buffer') as Uint8Array)]).toEqual([...hash('sha256', data, 'buffer')]);
  }
  expect(() => here.hash('md5', '', 'hex')).toThrow(RangeError);
  expect(() => here.hash('sha256', '', 'base64')).toThrow(RangeError);
});

it('takes a signature where Node does, and no other', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const other = generateKeyPairSync('ed25519').publicKey;
  const data = Buffer.from('3 lines\nof a\ncheckpoint\n');
  const good = sign(null, data, privateKey);
  const flipped = (at: number): Buffer => Buffer.from(good.map((byte, i) => (i === at ? byte ^ 1 : byte)));
  const signatures = [good, ...[0, 31, 32, 63].map(flipped), Buffer.alloc(64), Buffer.alloc(64, 255)];
  const keys = [publicKey, other].map((key) => key.export({ format: 'der', type: 'spki' }));
  // Points of small order, and bytes that are no point.
  const prefix = keys[0]?.subarray(0, 12) ?? Buffer.alloc(0);
  for (const last of [0, 1, 2, 255]) keys.push(Buffer.concat([prefix, Buffer.alloc(31), Buffer.from([last])]));
  let taken = 0;
  for (const der of keys)
    for (const signature of signatures) {
      const byNode = verify(null, data, createPublicKey({ key: der, format: 'der', type: 'spki' }), signature);
      const byUs = here.verify(null, data, here.createPublicKey({ key: der }), signature);
      if (byUs) taken++;
      // What Node refuses is never taken.
      expect(byUs && !byNode).toBe(false);
    }
  expect(taken).toBe(1);
});
