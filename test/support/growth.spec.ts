import { growthOf, LINEAR } from './growth.js';

/** Counts to a number. */
function count(to: number): number {
  let at = 0;
  while (at < to) at += Math.sign(to);
  return at;
}

it('tells work that grows with its size from work that grows with the square', async () => {
  expect(await growthOf(2_000_000, count)).toBeLessThan(LINEAR);
  expect(await growthOf(2_000, (size) => count(size * size))).toBeGreaterThan(LINEAR);
});
