import { hasTest, readClaims } from './named-tests.js';

it.each([
  ['guarantees.md', 25],
  ['threat-model.md', 15],
])('everything that %s promises names tests, and each of them is there', (page, least) => {
  const promises = readClaims(page, /^\*\*(.+)\*\*$/);
  expect(promises.length).toBeGreaterThanOrEqual(least);
  expect(promises.filter(({ tests }) => tests.length === 0)).toEqual([]);
  expect(promises.flatMap(({ tests }) => tests).filter((test) => !hasTest(test))).toEqual([]);
});
