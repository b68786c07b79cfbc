// @ts-check
// Compiles apps/ and libs/ into dist/, and puts their assets beside. Aliases become relative paths, so plain `node dist/apps/api/src/main.js` runs.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { digestOfSources, isAsset, recordBuild, SOURCES } from './lib/freshness.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const swc = path.join(path.dirname(createRequire(import.meta.url).resolve('@swc/cli/package.json')), 'bin', 'swc.js');

// Stale files of a moved or deleted source would still be found by Node, so every build starts from nothing; it is made
// beside dist/ and swapped in, so that a failed or killed build leaves the last good one.
const digest = digestOfSources(root);
const next = path.join(root, `dist.${process.pid}`);
fs.rmSync(next, { recursive: true, force: true });
const { status, error } = spawnSync(
  process.execPath,
  [swc, ...SOURCES, '-d', path.basename(next), '--extensions', '.ts', '--ignore', '**/*spec.ts', '--quiet'],
  { cwd: root, stdio: 'inherit' },
);
if (error) throw error;
if (status !== 0) {
  fs.rmSync(next, { recursive: true, force: true });
  process.exit(status ?? 1);
}

for (const folder of SOURCES) {
  fs.cpSync(path.join(root, folder), path.join(next, folder), {
    recursive: true,
    filter: (source) => fs.statSync(source).isDirectory() || isAsset(source),
  });
}

// It runs as a program, too.
fs.chmodSync(path.join(next, 'apps', 'cli', 'src', 'main.js'), 0o755);

const dist = path.join(root, 'dist');
fs.rmSync(dist, { recursive: true, force: true });
fs.renameSync(next, dist);
recordBuild(root, digest);
