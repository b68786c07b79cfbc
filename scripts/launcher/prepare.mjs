// @ts-check
// What has to be there before anything can start: packages and the build. Uses Node's own modules only.
import path from 'node:path';
import { OperatorError } from '../embedded/home.mjs';
import { run } from '../embedded/processes.mjs';
import { isBuildCurrent, isInstallCurrent } from '../lib/freshness.mjs';
import { step } from './console.mjs';

/**
 * Installs and builds, each only when it is missing or older than what it is made from.
 *
 * @param {string} root the repository
 * @param {AbortSignal} [signal] stops it half way; the next call does it again
 * @throws OperatorError with the last thing npm or the compiler said
 */
export async function prepare(root, signal) {
  if (!isInstallCurrent(root)) {
    await step('installing packages (npm ci)', () => install(root, signal));
  }
  if (!isBuildCurrent(root)) {
    await step('building', () =>
      mustRun('the build', process.execPath, [path.join('scripts', 'build.mjs')], root, signal),
    );
  }
}

/**
 * @param {string} root
 * @param {AbortSignal} [signal]
 */
function install(root, signal) {
  const args = [
    'ci',
    '--include=dev',
    '--include=optional',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  const npm = process.env.npm_execpath;
  return npm?.endsWith('.js')
    ? mustRun('npm ci', process.execPath, [npm, ...args], root, signal)
    : mustRun('npm ci', 'npm', args, root, signal);
}

/**
 * @param {string} what
 * @param {string} command
 * @param {string[]} args
 * @param {string} cwd
 * @param {AbortSignal} [signal]
 */
async function mustRun(what, command, args, cwd, signal) {
  const { code, stdout, stderr } = await run(command, args, {
    cwd,
    signal,
    shell: process.platform === 'win32' && command === 'npm',
  });
  signal?.throwIfAborted();
  if (code === 0) return;
  const said = (stderr.trim() || stdout.trim()).split('\n').slice(-20);
  throw new OperatorError([`${what} failed:`, ...said].join('\n    '));
}
