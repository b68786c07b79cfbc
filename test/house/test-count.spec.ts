import { spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCount } from '../../scripts/launcher/test-count.mjs';

const root = join(import.meta.dirname, '..', '..');

it('counts what a run of Vitest came to, and says which tests failed and why', () => {
  const tree = realpathSync(mkdtempSync(join(tmpdir(), 'haldir-count-')));
  try {
    writeFileSync(
      join(tree, 'sums.test.mjs'),
      `it('adds', () => expect(1 + 1).toBe(2));
       it('carries', () => expect(9 + 1).toBe(11));
       it('divides', ({ skip }) => skip());`,
    );
    writeFileSync(join(tree, 'broken.test.mjs'), `import './nowhere.mjs';`);
    spawnSync(
      process.execPath,
      [
        join(root, 'node_modules', 'vitest', 'vitest.mjs'),
        ...['run', '--globals', '--root', tree, '--reporter', 'json'],
        `--outputFile.json=${join(tree, 'report.json')}`,
      ],
      { cwd: tree },
    );
    const { failures, files, ...count } = readCount(join(tree, 'report.json'), tree);
    expect(count).toEqual({ passed: 1, failed: 2, skipped: 1 });
    expect(files.toSorted()).toEqual(['broken.test.mjs', 'sums.test.mjs']);
    expect(failures.toSorted()).toEqual([
      expect.stringMatching(/^broken\.test\.mjs\n.*nowhere\.mjs/s),
      expect.stringMatching(/^sums\.test\.mjs › carries\n.*expected 10 to be 11/s),
    ]);
  } finally {
    rmSync(tree, { recursive: true });
  }
});

it('counts nothing where there is no report', () => {
  expect(readCount('/nowhere/report.json', '/nowhere')).toEqual({
    passed: 0,
    failed: 0,
    skipped: 0,
    failures: [],
    files: [],
  });
});
