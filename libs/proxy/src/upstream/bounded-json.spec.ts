import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBounded } from './bounded-json.js';

describe('parseBounded', () => {
  it('reads whatever JSON.parse reads, brackets in strings included', () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 8 }),
        fc.string({ unit: fc.constantFrom('[', '{', '"', '\\', 'x'), maxLength: 800 }),
        (json, text) => {
          const document = `{"a":${json},"b":${JSON.stringify(text)}}`;
          expect(parseBounded(document)).toEqual(JSON.parse(document));
        },
      ),
    );
  });

  it.each([300, 100_000])('refuses %i levels', (depth) => {
    expect(() => parseBounded('['.repeat(depth) + ']'.repeat(depth) + ' '.repeat(600))).toThrow(SyntaxError);
    expect(() => parseBounded(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`)).toThrow(SyntaxError);
  });

  it('takes 200 levels, and many brothers', () => {
    expect(() => parseBounded('['.repeat(200) + ']'.repeat(200) + ' '.repeat(600))).not.toThrow();
    expect(parseBounded(`[${'[],'.repeat(5_000)}[]]`)).toHaveLength(5_001);
  });
});
