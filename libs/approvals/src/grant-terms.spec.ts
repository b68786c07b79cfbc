import fc from 'fast-check';
import { alikeArguments, type HashedArguments, hashedArguments, isAlike, saidOfTerms } from './grant-terms.js';

const text = (value: unknown): string => JSON.stringify(value);
const hashed = (args: Record<string, unknown>): readonly (readonly [string, string])[] => {
  const made = hashedArguments(args, text);
  if (!made) throw new Error('no arguments of a grant');
  return made;
};
const allows = (args: Record<string, unknown>, free: string[], other: Record<string, unknown>): boolean =>
  isAlike(alikeArguments(hashed(args), free), hashed(other));

describe('calls are alike', () => {
  it.each([
    ['the same', { a: 1, b: 'x' }, [], { b: 'x', a: 1 }, true],
    ['of another value', { a: 1, b: 'x' }, [], { a: 1, b: 'y' }, false],
    ['of another free value', { a: 1, b: 'x' }, ['b'], { a: 1, b: { y: [1] } }, true],
    ['of another value beside a free one', { a: 1, b: 'x' }, ['b'], { a: 2, b: 'x' }, false],
    ['without a free argument', { a: 1, b: 'x' }, ['b'], { a: 1 }, false],
    ['with one more', { a: 1 }, ['a'], { a: 1, force: true }, false],
    ['with another in place of a free one', { a: 1, b: 'x' }, ['b'], { a: 1, c: 'x' }, false],
    ['without arguments', {}, [], {}, true],
    ['of a name that objects have', { ['__proto__']: 1, constructor: 2 }, ['constructor'], { ['__proto__']: 1, constructor: 3 }, true],
    ['of another value by such a name', { ['__proto__']: 1 }, [], { ['__proto__']: 2 }, false],
  ])('%s', (_, args, free, other, expected) => {
    expect(allows(args, free, other)).toBe(expected);
  }); // prettier-ignore

  it('where they have the same names, and the same values by all that are not free', () => {
    const args = fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), fc.integer({ min: 0, max: 2 }));
    const free = fc.subarray(['a', 'b', 'c', '__proto__']);
    fc.assert(
      fc.property(args, free, args, (one, names, other) => {
        const isSameNames = Object.keys(one).sort().join() === Object.keys(other).sort().join();
        const isSame = Object.keys(one).every((name) => names.includes(name) || one[name] === other[name]);
        expect(allows(one, names, other)).toBe(isSameNames && isSame);
      }),
      { numRuns: 2_000 },
    );
  });
});

it('calls are alike by no argument that mentions a secret, but by the same one', () => {
  const of = (value: string): HashedArguments => [['a', value]];
  expect(isAlike(alikeArguments(of('1'), ['a']), of('vault:2'))).toBe(false);
  expect(isAlike(alikeArguments(of('vault:1'), ['a']), of('2'))).toBe(true);
  expect(isAlike(alikeArguments(of('vault:1'), []), of('vault:1'))).toBe(true);
  expect(isAlike(alikeArguments(of('vault:1'), []), of('vault:2'))).toBe(false);
});

it('calls of more than 50 arguments, or with a name of more than 128 characters, are alike to none', () => {
  const many = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, i) => [`a${i}`, i]));
  expect(hashedArguments({ ...many(50) }, text)).toHaveLength(50);
  expect(hashedArguments({ ...many(51) }, text)).toBeNull();
  expect(hashedArguments({ ['x'.repeat(128)]: 1 }, text)).toHaveLength(1);
  expect(hashedArguments({ ['x'.repeat(129)]: 1 }, text)).toBeNull();
  const long = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`${i}${'\u0001'.repeat(127)}`, 1]));
  expect(hashedArguments(long, text)).toBeNull();
});

it('terms are said with money in micro-dollars, as a text', () => {
  const terms = { uses: 3, ttlSeconds: 60, freeArguments: ['a'], totalAmount: null };
  expect(saidOfTerms(terms)).toEqual({ free_arguments: ['a'], uses: 3, ttl_seconds: 60, total_micros: null });
  expect(saidOfTerms({ ...terms, totalAmount: 1_500_000n as never }).total_micros).toBe('1500000');
});
