import { hasTest, readClaims } from './named-tests.js';

it('each of the 20 mistakes names tests, and each of them is there', () => {
  const mistakes = readClaims('mistakes.md', /^(\d+)\. \*\*[^*]+\.\*\*$/);
  expect(mistakes.map(({ statement }) => Number(statement))).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  expect(mistakes.filter(({ tests }) => tests.length === 0)).toEqual([]);
  expect(mistakes.flatMap(({ tests }) => tests).filter((test) => !hasTest(test))).toEqual([]);
});

it('what the field sent names tests, and each of them is there', () => {
  const sent = readClaims('mistakes.md', /^([ABCD]\d+)\. \*\*.+\*\*$/);
  const lines = (part: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${part}${i + 1}`);
  const upToC = [...lines('A', 23), ...lines('B', 14), ...lines('C', 8)];
  const numbers = sent.map(({ statement }) => statement);
  expect(numbers.slice(0, upToC.length)).toEqual(upToC);
  expect(lines('D', 17).filter((line) => numbers.includes(line))).toEqual(numbers.slice(upToC.length));
  expect(sent.filter(({ tests }) => tests.length === 0)).toEqual([]);
  expect(sent.flatMap(({ tests }) => tests).filter((test) => !hasTest(test))).toEqual([]);
});

it('a test that is not there would be missed', () => {
  expect(hasTest({ file: 'test/house/mistakes.spec.ts', title: 'a test that is not there would be missed' })).toBe(
    true,
  );
  expect(hasTest({ file: 'test/house/mistakes.spec.ts', title: 'a test that is not there' })).toBe(false);
  expect(hasTest({ file: 'test/nowhere.spec.ts', title: 'a test that is not there would be missed' })).toBe(false);
});
