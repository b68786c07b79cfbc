// @ts-check
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isRunning, pause, processesIn } from './processes.mjs';

const PREFIX = 'haldir-scratch-';

/**
 * A temporary directory for the servers of a test run, removed by `remove` together with what still runs in it. What a
 * killed run has left is removed first.
 *
 * @returns {Promise<{ dir: string, remove: () => Promise<void> }>}
 */
export async function openScratch() {
  await sweep();
  const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), `${PREFIX}${process.pid}-`)));
  return { dir, remove: () => clear(dir) };
}

async function sweep() {
  const base = fs.realpathSync(os.tmpdir());
  for (const name of fs.readdirSync(base)) {
    const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (owner === undefined || isRunning(Number(owner), 'node')) continue;
    const dir = path.join(base, name);
    if (fs.statSync(dir, { throwIfNoEntry: false })?.uid === process.getuid?.()) await clear(dir);
  }
}

/** @param {string} dir */
async function clear(dir) {
  for (let pids = processesIn(dir); pids.length > 0; pids = processesIn(dir)) {
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself.
      }
    }
    await pause(20);
  }
  fs.rmSync(dir, { recursive: true, force: true });
}
