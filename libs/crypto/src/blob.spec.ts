import { createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { associatedData, keyVersionOf, open, seal, SealBroken } from './blob.js';

const key = createSecretKey(Buffer.from(Array.from({ length: 32 }, (_, i) => i)));
const nonce = Buffer.from(Array.from({ length: 12 }, (_, i) => i));
const aad = associatedData(['haldir.vault.value.v1', 'tnt_demo', 'sec_01', 'stripe_key', '3', 'read']);

it('has the bytes of the published vector', () => {
  expect(aad.toString('hex')).toBe(
    '0000001568616c6469722e7661756c742e76616c75652e763100000008746e745f64656d6f000000067365635f30310000000a7374726970655f6b657900000001330000000472656164',
  );
  const blob = seal(key, 7, Buffer.from('sk_live_x'), aad, nonce);
  expect(blob.toString('hex')).toBe(
    '0100000007000102030405060708090a0b34698977ac93a744f550bda5199a39bec2389baa8db5941acb',
  );
  expect(keyVersionOf(blob)).toBe(7);
  expect(open(key, blob, aad).toString()).toBe('sk_live_x');
});

it('opens nothing that was altered in any byte', () => {
  const blob = seal(key, 1, Buffer.from('value'), aad);
  fc.assert(
    fc.property(fc.integer({ min: 5, max: blob.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const altered = Buffer.from(blob);
      altered[at] = (altered[at] ?? 0) ^ flip;
      expect(() => open(key, altered, aad)).toThrow(SealBroken);
    }),
  );
});

it('opens nothing under the associated data of another place', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 6 }), fc.array(fc.string(), { maxLength: 6 }), (here, there) => {
      fc.pre(JSON.stringify(here) !== JSON.stringify(there));
      const blob = seal(key, 1, Buffer.from('value'), associatedData(here));
      expect(() => open(key, blob, associatedData(there))).toThrow(SealBroken);
    }),
  );
});
