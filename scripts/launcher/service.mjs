// @ts-check
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { OperatorError } from '../embedded/home.mjs';
import { pause } from '../embedded/processes.mjs';
import { say, worthShowing } from './console.mjs';

const LOG_LIMIT_BYTES = 20 * 1024 * 1024;

/**
 * @typedef {object} Service
 * @property {() => number} pid of the process that runs now
 * @property {(timeoutMs: number, signal: AbortSignal) => Promise<void>} ready resolves when it says that it is ready
 * @property {(graceMs: number) => Promise<void>} restart ends it as `stop` does and starts it anew; `ready` says when it is there
 * @property {(graceMs: number) => Promise<void>} stop lets it finish what it does; kills it after `graceMs`
 */

/**
 * Runs one of the apps as a process of its own and keeps it running: when it ends without being asked to, after having been
 * ready, it is started again. It holds a channel to us whose closing tells it to end, so it does not outlive us.
 *
 * @param {object} options
 * @param {string} options.name
 * @param {string} options.entry
 * @param {string} options.cwd
 * @param {NodeJS.ProcessEnv} options.env
 * @param {string} options.readyUrl
 * @param {string} options.logs
 * @param {string[]} [options.waiter] a script with its arguments that runs `entry`, its last argument, once it is sent a message; a
 *   second one then stands by for the next start
 * @param {(line: string) => string | null} [options.show] what of its output is shown once it was ready
 * @returns {Service}
 */
export function startService({ name, entry, cwd, env, readyUrl, logs, waiter, show = worthShowing }) {
  const logFile = path.join(logs, `${name}.log`);
  rotate(logFile);
  const log = fs.createWriteStream(logFile, { flags: 'a', mode: 0o600 });
  let stopping = false;
  let wasReady = false;
  let delayMs = 250;
  let lastWord = '';
  /** @type {import('node:child_process').ChildProcess} */
  let child;
  /** @type {Promise<void>} */
  let ended;
  /** @type {NodeJS.Timeout | undefined} */
  let again;

  /** @type {import('node:child_process').ChildProcess | undefined} */
  let standby;
  const spawnOne = () =>
    spawn(process.execPath, ['--enable-source-maps', ...(waiter ?? []), entry], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: process.platform !== 'win32', // Ctrl-C is for the launcher; it asks its processes to end one by one
    });
  const start = () => {
    child = standby?.connected ? standby : spawnOne();
    standby = undefined;
    if (waiter) child.send('run', () => undefined);
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        log.write(`${line}\n`);
        const text = show(line);
        if (text === null) return;
        lastWord = text.replace(/^(error|haldir \w+): /, '');
        if (wasReady) say(`  ${name}: ${text}`);
      });
    }
    ended = new Promise((resolve) => {
      child.once('error', (error) => {
        lastWord = error.message;
        resolve();
      });
      child.once('close', () => resolve());
    });
    child.once('close', (code, signal) => {
      if (stopping || !wasReady) return;
      say(`  ${name}: ended unexpectedly (${signal ?? `exit code ${code}`}); starting it again`);
      again = setTimeout(() => !stopping && start(), delayMs);
      delayMs = Math.min(delayMs * 2, 10_000);
    });
  };
  start();
  const end = async (/** @type {number} */ graceMs) => {
    stopping = true;
    clearTimeout(again);
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await ended;
    clearTimeout(killer);
  };

  return {
    pid: () => child.pid ?? 0,
    ready: async (timeoutMs, signal) => {
      const deadline = performance.now() + timeoutMs;
      while (!(await answers(readyUrl))) {
        signal.throwIfAborted();
        if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
          await ended;
          throw new OperatorError(lastWord || `the ${name} process ended; see ${logFile}`);
        }
        if (performance.now() > deadline) {
          throw new OperatorError(`the ${name} process was not ready after ${timeoutMs / 1000} s; see ${logFile}`);
        }
        await pause(40);
      }
      wasReady = true;
      if (!waiter || stopping) return;
      standby ??= spawnOne();
      standby.on('error', () => undefined);
    },
    restart: async (graceMs) => {
      await end(graceMs);
      stopping = false;
      delayMs = 250;
      start();
    },
    stop: async (graceMs) => {
      await end(graceMs);
      standby?.kill('SIGKILL');
      log.end();
    },
  };
}

/** @param {string} url */
async function answers(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/**
 * Keeps one earlier log, and no log that grows for ever.
 *
 * @param {string} file
 */
function rotate(file) {
  if (fs.existsSync(file) && fs.statSync(file).size > LOG_LIMIT_BYTES) fs.renameSync(file, `${file}.1`);
}
