// @ts-check
// Packages that are no part of Haldir, in the versions of a lockfile.
import fs from 'node:fs';
import path from 'node:path';
import { OperatorError } from '../embedded/home.mjs';
import { run } from '../embedded/processes.mjs';

/**
 * @param {string} pins a folder with `package.json` and its lockfile
 * @param {string} dir where to install them; made where it is not there
 * @param {AbortSignal} signal stops it half way
 * @throws OperatorError with the last things npm said
 */
export async function installPackages(pins, dir, signal) {
  fs.mkdirSync(dir, { recursive: true });
  for (const file of ['package.json', 'package-lock.json'])
    fs.copyFileSync(path.join(pins, file), path.join(dir, file));
  const npm = process.env.npm_execpath;
  const args = ['ci', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  await (npm?.endsWith('.js') ? must(dir, process.execPath, [npm, ...args], signal) : must(dir, 'npm', args, signal));
}

/** @param {string} dir where npm's package `node` is installed @returns {string} that Node */
export function nodeIn(dir) {
  return path.join(dir, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
}

/**
 * @param {string} cwd
 * @param {string} command
 * @param {string[]} args
 * @param {AbortSignal} signal
 * @throws OperatorError with the last things it said
 */
export async function must(cwd, command, args, signal) {
  const { code, stdout, stderr } = await run(command, args, { cwd, signal });
  signal.throwIfAborted();
  if (code === 0) return;
  const said = (stderr.trim() || stdout.trim()).split('\n').slice(-20);
  throw new OperatorError([`${path.basename(command)} ${args[0]} failed:`, ...said].join('\n    '));
}
