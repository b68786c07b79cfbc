// @ts-check
// A real Redis for tests and benchmarks: the one of this machine or, only when asked for, one taken out of Debian's
// packages without installing them.
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { OperatorError } from './home.mjs';
import { freePort, waitForPort } from './ports.mjs';
import { run, stopProcess } from './processes.mjs';

/** @typedef {{ program: string, env: Record<string, string> }} RedisProgram */

/**
 * @typedef {object} Redis
 * @property {string} url with its password
 * @property {number} port
 * @property {number} pid
 * @property {() => Promise<void>} stop safe to call twice
 */

/**
 * Looks for a server of version 7 or newer: HALDIR_REDIS_SERVER, then `redis-server` or `valkey-server` on the PATH,
 * then what {@link extractRedis} left in `dir`.
 *
 * @param {string} [dir]
 * @returns {Promise<RedisProgram | null>} null when there is none
 * @throws OperatorError when HALDIR_REDIS_SERVER names something else
 */
export async function findRedis(dir) {
  const chosen = process.env.HALDIR_REDIS_SERVER;
  if (chosen) {
    if (await isRecent({ program: chosen, env: {} })) return { program: chosen, env: {} };
    throw new OperatorError(
      'HALDIR_REDIS_SERVER should be a redis-server of version 7 or newer, for example /usr/bin/redis-server',
    );
  }
  for (const name of ['redis-server', 'valkey-server']) {
    for (const folder of (process.env.PATH ?? '').split(path.delimiter).filter(Boolean)) {
      const candidate = { program: path.join(folder, name), env: {} };
      if (fs.existsSync(candidate.program) && (await isRecent(candidate))) return candidate;
    }
  }
  const extracted = dir === undefined ? null : extractedProgram(dir);
  return extracted && (await isRecent(extracted)) ? extracted : null;
}

/**
 * Downloads Debian's redis-server and the libraries it needs that are missing here, and unpacks them under `dir`;
 * needs neither root nor an installation.
 *
 * @param {string} dir
 * @returns {Promise<RedisProgram>}
 * @throws OperatorError when there is no apt-get, no network, or what came does not run
 */
export async function extractRedis(dir) {
  const draft = fs.mkdtempSync(path.join(dir, 'redis-'));
  for (const folder of ['state/lists/partial', 'cache/archives/partial', 'root']) {
    fs.mkdirSync(path.join(draft, folder), { recursive: true });
  }
  const settings = [
    `Dir::State=${draft}/state`,
    `Dir::Cache=${draft}/cache`,
    'Dir::State::status=/var/lib/dpkg/status',
    'Dir::Cache::pkgcache=',
    'Dir::Cache::srcpkgcache=',
    'Debug::NoLocking=1',
    'APT::Sandbox::User=',
    'Acquire::Languages=none',
  ].flatMap((setting) => ['-o', setting]);
  /** @param {...string} args */
  const apt = async (...args) => {
    const env = { ...process.env, LC_ALL: 'C' };
    const { code, stdout, stderr } = await run('apt-get', [...settings, '-q', ...args], { cwd: draft, env });
    if (code !== 0) throw new OperatorError(`apt-get ${args[0]} failed: ${stderr.trim().split('\n').at(-1)}`);
    return stdout;
  };
  try {
    await apt('update');
    const plan = await apt('install', '-s', '--no-install-recommends', 'redis-server');
    const missing = [...plan.matchAll(/^Inst (\S+)/gm)].map(([, name = '']) => name);
    await apt('download', ...new Set([...missing, 'redis-server', 'redis-tools']));
    for (const file of fs.readdirSync(draft).filter((name) => name.endsWith('.deb'))) {
      await run('dpkg-deb', ['-x', path.join(draft, file), path.join(draft, 'root')]);
    }
    const place = path.join(dir, 'redis-dist');
    fs.rmSync(place, { recursive: true, force: true });
    fs.renameSync(path.join(draft, 'root'), place);
  } finally {
    fs.rmSync(draft, { recursive: true, force: true });
  }
  const program = extractedProgram(dir);
  if (!program || !(await isRecent(program)))
    throw new OperatorError('the redis-server of this Debian is older than 7');
  return program;
}

/**
 * @param {string} dir
 * @returns {RedisProgram | null}
 */
function extractedProgram(dir) {
  const root = path.join(dir, 'redis-dist');
  const program = path.join(root, 'usr', 'bin', 'redis-server');
  if (!fs.existsSync(program)) return null;
  const libraries = ['usr/lib', 'lib'].flatMap((folder) => {
    const base = path.join(root, folder);
    if (!fs.existsSync(base)) return [];
    return [base, ...fs.readdirSync(base).flatMap((name) => (name.includes('-linux-') ? [path.join(base, name)] : []))];
  });
  return { program, env: { LD_LIBRARY_PATH: libraries.join(':') } };
}

/** @param {RedisProgram} candidate */
async function isRecent({ program, env }) {
  const { code, stdout } = await run(program, ['--version'], { env: { ...process.env, ...env } });
  const major = /(?:v=|server v)(\d+)\./.exec(stdout)?.[1];
  return code === 0 && major !== undefined && Number(major) >= 7;
}

/**
 * Starts a server on a free loopback port that keeps its data in `dir` (append-only, synced every second, as deployed),
 * so that started again on the same `dir` it has what it had. The password is passed by file, not by command line.
 *
 * @param {{ program: RedisProgram, dir: string, port?: number, password?: string }} options
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
  const child = spawn(program.program, [config], {
    env: { ...process.env, ...program.env },
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
