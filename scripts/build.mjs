// @ts-check
// Compiles apps/ and libs/ into dist/, and puts their assets beside, as nest-cli.json and .swcrc say. Aliases become relative
// paths, so plain `node dist/apps/api/src/main.js` runs. The console is built for browsers, by vite.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildConsole } from './lib/console.mjs';
import { digestOfSources, recordBuild } from './lib/freshness.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const swc = path.join(path.dirname(createRequire(import.meta.url).resolve('@swc/cli/package.json')), 'bin', 'swc.js');

/** What is compiled, what is put beside, and what is left out: the same for us and for `nest build`. */
const { filenames, extensions, ignore, copyFiles } = JSON.parse(
  fs.readFileSync(path.join(root, 'nest-cli.json'), 'utf8'),
).compilerOptions.builder.options;

// Stale files of a moved or deleted source would still be found by Node, so every build starts from nothing; it is made
// beside dist/ and swapped in, so that a failed or killed build leaves the last good one.
const digest = digestOfSources(root);
const next = path.join(root, `dist.${process.pid}`);
fs.rmSync(next, { recursive: true, force: true });
const compiler = spawn(
  process.execPath,
  [
    ...[swc, ...filenames, '-d', path.basename(next), '--extensions', extensions.join(), '--ignore', ignore.join()],
    ...(copyFiles ? ['--copy-files'] : []),
    '--quiet',
  ],
  { cwd: root, stdio: 'inherit' },
);
const compiled = new Promise((resolve, reject) => compiler.once('error', reject).once('close', resolve));
// Side by side: they write into different folders.
const [status] = await Promise.all([compiled, buildConsole(root, path.basename(next))]).catch((error) => {
  compiler.kill();
  console.error(error);
  return [1];
});
if (status !== 0) {
  fs.rmSync(next, { recursive: true, force: true });
  process.exit(typeof status === 'number' ? status : 1);
}

// It runs as a program, too.
fs.chmodSync(path.join(next, 'apps', 'cli', 'src', 'main.js'), 0o755);

const dist = path.join(root, 'dist');
fs.rmSync(dist, { recursive: true, force: true });
fs.renameSync(next, dist);
recordBuild(root, digest);
