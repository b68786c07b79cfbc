import fc from 'fast-check';
import { isSecretName } from './secret-name.js';

it.each(['a', ' ', 'a/b', 'ключ', '🔑'.repeat(255), 'x'.repeat(255), '...', '.a', '%2e', '\\'])('takes %j', (name) => {
  expect(isSecretName(name)).toBe(true);
});

it.each(['', '.', '..', '\0', 'a\n', '\u007f', '\u009f', '\u2028', '\u2029', '\ud800', 'a\udc00', 'x'.repeat(256), '🔑'.repeat(256)])(
  'refuses %j',
  (name) => {
    expect(isSecretName(name)).toBe(false);
  },
); // prettier-ignore

it('takes only what a URL gives back as it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), (name) => {
      fc.pre(isSecretName(name));
      const { pathname } = new URL(`http://haldir.test/v1/secrets/${encodeURIComponent(name)}`);
      expect(decodeURIComponent(pathname.slice('/v1/secrets/'.length))).toBe(name);
    }),
    { numRuns: 500 },
  );
});
