import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { digestOfSources } from '../../scripts/lib/freshness.mjs';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'haldir-sources-'));
  for (const file of ['.swcrc', 'nest-cli.json', 'package-lock.json', 'apps/api/main.ts', 'libs/x/page/page.js'])
    write(file, '1');
});
afterEach(() => rmSync(root, { recursive: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

it.each([
  ...[
    'apps/api/main.ts',
    'libs/x/page/page.js',
    'libs/x/page/page.html',
    'libs/x/page/page.css',
    'libs/x/page/mark.svg',
  ],
  ...['apps/api/contract.json', '.swcrc', 'nest-cli.json', 'package-lock.json'],
])('a build is stale when %s has changed', (file) => {
  const before = digestOfSources(root);
  write(file, '2');
  expect(digestOfSources(root)).not.toBe(before);
});

it.each(['libs/x/page/tsconfig.json', 'libs/x/x.spec.ts', 'libs/x/README.md'])('and not when %s has', (file) => {
  const before = digestOfSources(root);
  write(file, '2');
  expect(digestOfSources(root)).toBe(before);
});
