import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

interface Mistake {
  number: number;
  tests: { file: string; title: string }[];
}

/** The numbered list of docs/mistakes.md. */
function readMistakes(): Mistake[] {
  const mistakes: Mistake[] = [];
  for (const line of readFileSync(join(root, 'docs/mistakes.md'), 'utf8').split('\n')) {
    const number = /^(\d+)\. \*\*[^*]+\.\*\*$/.exec(line)?.[1];
    if (number !== undefined) mistakes.push({ number: Number(number), tests: [] });
    const [, file, title] = /^ +- `([^`]+)` › `([^`]+)`$/.exec(line) ?? [];
    if (file !== undefined && title !== undefined) mistakes.at(-1)?.tests.push({ file, title });
  }
  return mistakes;
}

/** Whether a file that tests are read from has a test of that title, and runs it. */
function hasTest({ file, title }: { file: string; title: string }): boolean {
  const path = join(root, file);
  if (!/spec\.ts$/.test(file) || !existsSync(path)) return false;
  const escaped = title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(\\bit\\(|\\bit\\.each\\([^]*?\\)\\()\\s*'${escaped}'`).test(readFileSync(path, 'utf8'));
}

it('each of the 20 mistakes names tests, and each of them is there', () => {
  const mistakes = readMistakes();
  expect(mistakes.map(({ number }) => number)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  expect(mistakes.filter(({ tests }) => tests.length === 0)).toEqual([]);
  expect(mistakes.flatMap(({ tests }) => tests).filter((test) => !hasTest(test))).toEqual([]);
});

it('a test that is not there would be missed', () => {
  expect(hasTest({ file: 'test/mistakes.spec.ts', title: 'a test that is not there would be missed' })).toBe(true);
  expect(hasTest({ file: 'test/mistakes.spec.ts', title: 'a test that is not there' })).toBe(false);
  expect(hasTest({ file: 'test/nowhere.spec.ts', title: 'a test that is not there would be missed' })).toBe(false);
});
