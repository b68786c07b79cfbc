// @ts-check
// A real Redis for tests and benchmarks: the one of this machine.
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { OperatorError } from './home.mjs';
import { freePort, waitForPort } from './ports.mjs';
import { onPath, run, stopProcess } from './processes.mjs';

/**
 * @typedef {object} Redis
 * @property {string} url with its password
 * @property {number} port
 * @property {number} pid
 * @property {() => Promise<void>} stop safe to call twice
 */

/**
 * Looks for a server of version 7 or newer: HALDIR_REDIS_SERVER, then `redis-server` or `valkey-server` on the PATH.
 *
 * @returns {Promise<string | null>} the program; null when there is none
 * @throws OperatorError when HALDIR_REDIS_SERVER names something else
 */
export async function findRedis() {
  const chosen = process.env.HALDIR_REDIS_SERVER;
  if (chosen) {
    if (await isRecent(chosen)) return chosen;
    throw new OperatorError(
      'HALDIR_REDIS_SERVER should be a redis-server of version 7 or newer, for example /usr/bin/redis-server',
    );
  }
  for (const name of ['redis-server', 'valkey-server']) {
    for (const program of onPath(name)) if (await isRecent(program)) return program;
  }
  return null;
}

/** @param {string} program */
async function isRecent(program) {
  const { code, stdout } = await run(program, ['--version'], { env: process.env });
  const major = /(?:v=|server v)(\d+)\./.exec(stdout)?.[1];
  return code === 0 && major !== undefined && Number(major) >= 7;
}

/**
 * Starts a server on a free loopback port that keeps its data in `dir` (append-only, synced every second, as deployed),
 * so that started again on the same `dir` it has what it had. The password is passed by file, not by command line.
 *
 * @param {{ program: string, dir: string, port?: number, password?: string }} options
 * @returns {Promise<Redis>}
 * @throws when it does not come up; nothing of it keeps running then
 */
export async function startRedis({ program, dir, port, password = crypto.randomBytes(18).toString('base64url') }) {
  const listenOn = port ?? (await freePort());
  fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
  const config = path.join(dir, 'redis.conf');
  const lines = [
    `port ${listenOn}`,
    'bind 127.0.0.1',
    'protected-mode yes',
    `requirepass ${password}`,
    `dir ${dir}`,
    'databases 1024',
    'maxmemory-policy noeviction',
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    `logfile ${path.join(dir, 'redis.log')}`,
  ];
  fs.writeFileSync(config, `${lines.join('\n')}\n`, { mode: 0o600 });
  const child = spawn(program, [config], {
    detached: true,
    stdio: 'ignore',
    argv0: 'redis-server',
  });
  child.on('error', () => undefined); // seen as a port that never opens
  child.unref();
  const pid = child.pid ?? 0;
  const stop = () => stopProcess(pid, 10_000, 'redis-server');
  try {
    await waitForPort(listenOn, 10_000);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `redis://:${password}@127.0.0.1:${listenOn}`, port: listenOn, pid, stop };
}
