import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../scripts/embedded/ports.mjs';
import { freshDatabaseUrl, roleUrl } from './database.js';
import { testRedisUrl } from './redis.js';

export type Environment = Record<string, string>;

/** An app of the built repository, running as a process of its own. */
export interface AppProcess {
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  readonly pid: number;
  /** Everything it has written so far, standard output and standard error together. */
  output(): string;
  /** Asks it to end (SIGTERM), waits until it has, and answers its exit code; null when it was ended by a signal. */
  stop(): Promise<number | null>;
  /** Ends it at once, as a crash would (SIGKILL). */
  kill(): Promise<void>;
}

const root = join(import.meta.dirname, '..', '..');
const READY_TIMEOUT_MS = 180_000;

/**
 * The settings of one Haldir of its own: a new database, a Redis database when the run is about Redis, a root key, loopback
 * as reachable, no rate limits. Processes started with the same settings serve the same data.
 */
export async function testEnvironment(overrides: Environment = {}): Promise<Environment> {
  const redisUrl = testRedisUrl();
  const owner = overrides.DATABASE_OWNER_URL ?? (await freshDatabaseUrl());
  return {
    DATABASE_OWNER_URL: owner,
    DATABASE_URL: roleUrl(owner, 'api'),
    WORKER_DATABASE_URL: roleUrl(owner, 'worker'),
    ...(redisUrl === null ? {} : { REDIS_URL: redisUrl }),
    HALDIR_HOME: join(tmpdir(), 'haldir-no-home'),
    HALDIR_EMBEDDED: 'true',
    HALDIR_EGRESS_ALLOW: '127.0.0.0/8,::1/128',
    HALDIR_ROOT_KEYS: `1:${Buffer.alloc(32, 7).toString('base64url')}`,
    HALDIR_TIER_LIMITS: 'free=0,pro=0,enterprise=0',
    HOST: '127.0.0.1',
    LOG_LEVEL: 'info',
    ...overrides,
  };
}

/**
 * @param tree whose dist/ is run; default: this repository
 * @throws Error with what the process wrote, when it is not ready in time; it does not keep running then
 */
export function startApi(environment: Environment, tree = root): Promise<AppProcess> {
  return startApp('api', 'PORT', environment, tree);
}

/** @throws Error with what the process wrote, when it is not ready in time; it does not keep running then */
export function startWorker(environment: Environment): Promise<AppProcess> {
  return startApp('worker', 'WORKER_PORT', environment, root);
}

async function startApp(
  name: 'api' | 'worker',
  portSetting: string,
  environment: Environment,
  tree: string,
  triesLeft = 3,
): Promise<AppProcess> {
  const entry = join(tree, 'dist', 'apps', name, 'src', 'main.js');
  if (!existsSync(entry)) throw new Error(`${entry} is missing: run npm run build first`);
  const port = environment[portSetting] ?? String(await freePort());
  const app = spawnApp(entry, { ...environment, [portSetting]: port }, `http://127.0.0.1:${port}`);
  const deadline = performance.now() + READY_TIMEOUT_MS;
  while (!(await isReady(app.url))) {
    if (app.ended() || performance.now() > deadline) {
      await app.kill();
      // A port that was free a moment ago may be taken by then.
      const isTaken = environment[portSetting] === undefined && app.output().includes(`port ${port} is in use`);
      if (isTaken && triesLeft > 0) return startApp(name, portSetting, environment, tree, triesLeft - 1);
      throw new Error(`the ${name} process did not become ready:\n${app.output()}`);
    }
    await pause(25);
  }
  return app;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function spawnApp(entry: string, environment: Environment, url: string): AppProcess & { ended(): boolean } {
  const child = spawn(process.execPath, ['--enable-source-maps', entry], {
    cwd: root,
    env: { PATH: process.env.PATH, TZ: process.env.TZ, ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const closed = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      output += error.message;
      resolve();
    });
    child.once('close', () => resolve());
  }).finally(() => running.delete(child));
  return {
    url,
    pid: child.pid ?? 0,
    output: () => output,
    ended: () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined,
    stop: async () => {
      child.kill('SIGTERM');
      await closed;
      return child.exitCode;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await closed;
    },
  };
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
