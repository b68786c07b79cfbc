import { colourOf, niceTop } from './day-bars.tsx';

it.each([
  [0, 1],
  [7.5, 10],
  [10, 10],
  [11, 20],
  [0.003, 0.005],
  [4_100, 5_000],
])('a scale for %d goes up to %d', (most, top) => expect(niceTop(most)).toBeCloseTo(top, 9));

it('a name has the same colour wherever it is, and those without a name have one', () => {
  const names = ['a', 'b', null].map((name) => ({ name, total_usd: 1, count: 1 }));
  expect(['b', 'a', null, 'unknown'].map((name) => colourOf(names, name))).toEqual(['s1', 's0', 'others', 'others']);
});
