// @ts-check
// The developer's loop: everything that can be said about the code without a database. Runs every check, whatever the
// others found, and ends with one line for each.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** @type {[name: string, command: string, ...args: string[]][]} */
const CHECKS = [
  ['format', 'prettier', '--check', '--log-level', 'warn', '.'],
  ['types', 'tsc', '--noEmit', '-p', 'tsconfig.json'],
  ['types of pages', 'tsc', '-p', 'libs/approvals/src/http/page'],
  ['lint', 'eslint', '.'],
  ['architecture', 'depcruise', '--config', '.dependency-cruiser.cjs', 'apps', 'libs', 'test', 'scripts'],
  ['unused code', 'knip'],
  ['unit tests', 'vitest', 'run', '--project', 'unit', '--reporter', 'dot'],
];

/** @type {{ name: string, ok: boolean, seconds: string }[]} */
const results = [];
for (const [name, command, ...args] of CHECKS) {
  console.log(`\n── ${name}: ${command} ${args.join(' ')}`);
  const started = performance.now();
  const ok = await run(command, args);
  results.push({ name, ok, seconds: ((performance.now() - started) / 1000).toFixed(1) });
}

console.log('');
for (const { name, ok, seconds } of results)
  console.log(`${ok ? '✓' : '✗'} ${name.padEnd(14)} ${seconds.padStart(6)} s`);
const failed = results.filter(({ ok }) => !ok);
console.log(failed.length === 0 ? 'all checks passed' : `${failed.length} of ${results.length} checks failed`);
process.exitCode = failed.length === 0 ? 0 : 1;

/**
 * @param {string} command a program of node_modules/.bin
 * @param {string[]} args
 * @returns {Promise<boolean>} whether it ended well
 */
function run(command, args) {
  return new Promise((resolve) => {
    const windows = process.platform === 'win32';
    const bin = path.join(root, 'node_modules', '.bin', windows ? `${command}.cmd` : command);
    const child = spawn(bin, args, { cwd: root, stdio: 'inherit', shell: windows });
    child.on('error', (error) => {
      console.error(error.message);
      resolve(false);
    });
    child.on('exit', (code) => resolve(code === 0));
  });
}
