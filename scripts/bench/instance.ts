// A Haldir of a benchmark's own, set up as one in production would be, with everything under a temporary directory.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { OperatorError } from '../embedded/home.mjs';
import { freePort } from '../embedded/ports.mjs';
import { startPostgres } from '../embedded/postgres.mjs';
import { run } from '../embedded/processes.mjs';
import { findRedis, startRedis } from '../embedded/redis.mjs';
import { roleUrls } from '../embedded/roles.mjs';
import { openScratch } from '../embedded/scratch.mjs';
import { startApp } from './children.js';

const UNLIMITED = 'free=100,pro=5000,enterprise=0';
/** Counted and announced on every answer like any other, and never reached. */
const COUNTED = 'free=100,pro=5000,enterprise=900000000';

export interface Instance {
  /** The repository, built */
  root: string;
  /** Of Haldir's database, as its owner */
  ownerUrl: string;
  /** The temporary directory, for other processes of the benchmark */
  dir: string;
  /** The folder of its PostgreSQL */
  cluster: string;
  /** Of the API */
  url: string;
  /** Of a database beside Haldir's, on the same server */
  bareUrl: string;
  bootstrapToken: string;
  apiPid: number;
  /** Where the inspector of the API opens, once it is told to */
  inspectPort: number;
  /** The file its log goes to */
  apiLog: string;
  /** Runs a command of the `haldir` program and answers what it printed */
  cli: (...args: string[]) => Promise<string>;
  worker: { pid: () => number; stop: () => Promise<void>; start: () => Promise<void> };
  versions: { postgres: string; fsync: string; synchronousCommit: string; redis: string };
}

/** @param root the repository, built */
export async function startInstance(
  root: string,
  { quota, profile }: { quota: boolean; profile: string | null },
  defer: (undo: () => Promise<void> | void) => void,
): Promise<Instance> {
  const scratch = await openScratch();
  defer(scratch.remove);
  const logs = path.join(scratch.dir, 'logs');
  fs.mkdirSync(logs, { mode: 0o700 });
  const password = crypto.randomBytes(18).toString('base64url');
  // It makes a database to compare with, too.
  const postgres = await startPostgres({ dir: scratch.dir, password, superuser: true });
  defer(postgres.stop);
  const program = await findRedis();
  const redis = program && (await startRedis({ program, dir: path.join(scratch.dir, 'redis') }));
  if (redis) defer(redis.stop);

  const urls = roleUrls(postgres.url);
  const [port, workerPort, inspectPort] = [await freePort(), await freePort(), await freePort()];
  const bootstrapToken = crypto.randomBytes(24).toString('base64url');
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    NODE_ENV: 'production',
    DATABASE_OWNER_URL: urls.owner,
    DATABASE_URL: urls.api,
    WORKER_DATABASE_URL: urls.worker,
    ...(redis ? { REDIS_URL: redis.url } : {}),
    HALDIR_HOME: scratch.dir,
    HALDIR_EMBEDDED: 'true',
    HALDIR_EGRESS_ALLOW: '127.0.0.0/8,::1/128',
    HALDIR_ROOT_KEYS: `1:${crypto.randomBytes(32).toString('base64url')}`,
    HALDIR_BOOTSTRAP_TOKEN: bootstrapToken,
    HALDIR_TIER_LIMITS: quota ? COUNTED : UNLIMITED,
    HOST: '127.0.0.1',
    PORT: String(port),
    WORKER_PORT: String(workerPort),
  };
  const main = (name: string) => path.join(root, 'dist', 'apps', name, 'src', 'main.js');
  const cli = async (...args: string[]) => {
    // As it is installed, without source maps, which would be a tenth of a short command.
    const { code, stdout, stderr } = await run(process.execPath, [main('cli'), ...args], { env });
    if (code !== 0) throw new OperatorError(`haldir ${args.join(' ')} failed: ${stderr.trim()}`);
    return stdout;
  };
  await cli('migrate');

  const url = `http://127.0.0.1:${port}`;
  const nodeArgs = profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${path.resolve(profile)}`];
  const common = { env, logs, cwd: scratch.dir, nodeArgs };
  const inspectable = [...nodeArgs, `--inspect-port=127.0.0.1:${inspectPort}`];
  const api = await startApp({ name: 'api', entry: main('api'), url, ...common, nodeArgs: inspectable });
  defer(api.stop);
  const startWorker = () =>
    startApp({ name: 'worker', entry: main('worker'), url: `http://127.0.0.1:${workerPort}`, ...common });
  let worker = await startWorker();
  defer(() => worker.stop());

  return {
    root,
    ownerUrl: urls.owner,
    dir: scratch.dir,
    cluster: path.join(scratch.dir, 'postgres'),
    url,
    bareUrl: await createBareDatabase(postgres.url),
    bootstrapToken,
    apiPid: api.pid,
    inspectPort,
    apiLog: api.logFile,
    cli,
    worker: {
      pid: () => worker.pid,
      stop: () => worker.stop(),
      start: async () => {
        worker = await startWorker();
      },
    },
    versions: { ...(await describePostgres(postgres.url)), redis: redis && program ? await redisVersion(program) : '' },
  };
}

async function createBareDatabase(url: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('CREATE DATABASE bare');
  await client.end();
  return Object.assign(new URL(url), { pathname: '/bare' }).href;
}

async function describePostgres(url: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(
    `SELECT current_setting('server_version') AS postgres, current_setting('fsync') AS fsync,
            current_setting('synchronous_commit') AS "synchronousCommit"`,
  );
  await client.end();
  return rows[0] as { postgres: string; fsync: string; synchronousCommit: string };
}

async function redisVersion(program: string) {
  const { stdout } = await run(program, ['--version'], { env: process.env });
  return /v=(\S+)/.exec(stdout)?.[1] ?? 'unknown';
}
