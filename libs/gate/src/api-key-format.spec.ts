import fc from 'fast-check';
import { keyChecksum, newApiKey, publicIdOf } from './api-key-format.js';

it('has the published checksum', () => {
  expect(keyChecksum('hld_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0u1v')).toBe('42GkB5');
});

it('makes keys of 53 characters that carry their public id', () => {
  const { key, publicId } = newApiKey();
  expect(key).toMatch(/^hld_[0-9A-Za-z]{49}$/);
  expect(publicIdOf(key)).toBe(publicId);
});

it('refuses a key with any one character changed', () => {
  const { key } = newApiKey();
  fc.assert(
    fc.property(
      fc.integer({ min: 4, max: key.length - 1 }),
      fc.constantFrom(...'0123456789ABCXYZabcxyz'),
      (at, character) => {
        fc.pre(key[at] !== character);
        expect(publicIdOf(key.slice(0, at) + character + key.slice(at + 1))).toBeNull();
      },
    ),
    { numRuns: 500 },
  );
});

it('takes next to no random text for a key', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9A-Za-z]{49}$/), (text) => {
      expect(publicIdOf(`hld_${text}`)).toBeNull();
    }),
  );
});
