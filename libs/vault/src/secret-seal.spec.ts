import { createSecretKey } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { SealBroken } from '@haldir/crypto';
import { openSecret, sealSecret, type SealedSecret, type SecretPlace } from './secret-seal.js';
import { SecretValue } from './secret-value.js';

const tenantKey = { version: 3, key: createSecretKey(Buffer.alloc(32, 7)) };
const place: SecretPlace = {
  tenantId: 'tnt_1',
  secretId: 'sec_1',
  name: 'stripe',
  version: 2,
  scopeRequired: 'read',
  expiresAt: null,
  bindings: [],
};
const bound: SecretPlace = { ...place, bindings: ['api.charge', 'api.refund'] };
const expiring: SecretPlace = { ...place, expiresAt: new Date(1_800_000_000_000) };
const sealed = (text = 'sk_live'): SealedSecret => sealSecret(tenantKey, place, SecretValue.of(text));

it('opens what it sealed, byte for byte', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(openSecret(tenantKey, place, sealed(text)).reveal()).toBe(text);
    }),
  );
});

it('seals the same value differently each time, under a key of its own', () => {
  const [one, other] = [sealed(), sealed()];
  expect(one.value.equals(other.value)).toBe(false);
  expect(() => openSecret(tenantKey, place, { wrappedKey: one.wrappedKey, value: other.value })).toThrow(SealBroken);
});

it.each([
  [{ tenantId: 'tnt_2' }],
  [{ secretId: 'sec_2' }],
  [{ name: 'Stripe' }],
  [{ version: 1 }],
  [{ scopeRequired: 'rea' }],
  [{ scopeRequired: '' }],
  [{ expiresAt: new Date(1_800_000_000_000) }],
  [{ bindings: ['api.charge'] }],
  // Fields are bound with their lengths: what moves from one to the next is another place.
  [{ secretId: 'sec_1s', name: 'tripe' }],
])('does not open at %j', (elsewhere) => {
  expect(() => openSecret(tenantKey, { ...place, ...elsewhere }, sealed())).toThrow(SealBroken);
});

it.each([[{ expiresAt: null }], [{ expiresAt: new Date(1_800_000_000_001) }]])(
  'that expires does not open at %j',
  (elsewhere) => {
    const secret = sealSecret(tenantKey, expiring, SecretValue.of('sk_live'));
    expect(openSecret(tenantKey, expiring, secret).reveal()).toBe('sk_live');
    expect(() => openSecret(tenantKey, { ...expiring, ...elsewhere }, secret)).toThrow(SealBroken);
  },
);

it.each([
  [{ bindings: [] }],
  [{ bindings: ['api.*'] }],
  [{ bindings: ['api.charge'] }],
  [{ bindings: ['api.charge', 'api.refund', 'other.*'] }],
  [{ bindings: ['api.chargeapi.refund'] }],
  [{ scopeRequired: 'browse' }],
  [{ expiresAt: new Date(1_800_000_000_000) }],
])('that is bound does not open at %j', (elsewhere) => {
  const secret = sealSecret(tenantKey, bound, SecretValue.of('sk_live'));
  expect(openSecret(tenantKey, bound, secret).reveal()).toBe('sk_live');
  expect(() => openSecret(tenantKey, { ...bound, ...elsewhere }, secret)).toThrow(SealBroken);
});

it('does not open under another key, nor with any bit changed', () => {
  const other = { version: 3, key: createSecretKey(Buffer.alloc(32, 8)) };
  expect(() => openSecret(other, place, sealed())).toThrow(SealBroken);
  const { wrappedKey, value } = sealed();
  // The key version in front of the value is not read: its data key seals nothing else.
  const positions = [
    ...Array.from({ length: wrappedKey.length * 8 }, (_, bit) => ['wrappedKey', bit] as const),
    ...Array.from({ length: value.length * 8 }, (_, bit) => ['value', bit] as const).filter(
      ([, bit]) => bit < 8 || bit >= 40,
    ),
  ];
  for (const [part, bit] of positions) {
    const altered = { wrappedKey: Buffer.from(wrappedKey), value: Buffer.from(value) };
    const bytes = altered[part];
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(() => openSecret(tenantKey, place, altered)).toThrow(SealBroken);
  }
});

it('lets a value be seen once, and never printed', () => {
  const value = SecretValue.of('sk_live');
  for (const printed of [JSON.stringify({ value }), `${value.toString()}`, inspect({ value }), String(value)]) {
    expect(printed).not.toContain('sk_live');
  }
  expect(value.reveal()).toBe('sk_live');
  expect(value.reveal()).not.toContain('sk');
});
