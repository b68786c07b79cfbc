import { PassThrough, Readable } from 'node:stream';
import * as fc from 'fast-check';
import { linesOf } from './lines.js';

const never = new AbortController().signal;
const all = async (chunks: Buffer[]): Promise<string[]> => {
  const lines: string[] = [];
  for await (const line of linesOf(Readable.from(chunks, { objectMode: false }), never)) lines.push(line);
  return lines;
};

it('are what stands between line feeds, however they arrive', async () => {
  const line = fc.string({ unit: fc.constantFrom('a', '\u2028', '\u2029', '\r', 'é', '😀', ' ') });
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.integer({ min: 1, max: 7 }), async (lines, size) => {
      const bytes = Buffer.from(lines.map((each) => `${each}\n`).join(''));
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      );
      expect(await all(chunks)).toEqual(lines);
    }),
  );
});

it('has a last one without an end', async () => {
  expect(await all([Buffer.from('a\nb')])).toEqual(['a', 'b']);
});

it('end when they are told to, with what came so far', async () => {
  const input = new PassThrough();
  const ending = new AbortController();
  input.write('a\nb');
  const lines: string[] = [];
  for await (const line of linesOf(input, ending.signal)) {
    lines.push(line);
    ending.abort();
  }
  expect(lines).toEqual(['a']);
});
