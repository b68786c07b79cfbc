// @ts-check
import fs from 'node:fs';
import path from 'node:path';
import {
  claimHome,
  openBootstrapToken,
  openHome,
  openRootKeys,
  openSecrets,
  OperatorError,
} from '../embedded/home.mjs';
import { freePort, isPortFree } from '../embedded/ports.mjs';
import { isRunning, pause, run, stopProcess } from '../embedded/processes.mjs';
import { say, seconds, step } from './console.mjs';
import { roleUrls } from '../embedded/roles.mjs';
import { prepare } from './prepare.mjs';
import { startService } from './service.mjs';

const READY_TIMEOUT_MS = 60_000;
/** How long the database of a killed launcher may take to end. */
const GUARDIAN_MS = 90_000;

/** @typedef {(undo: () => Promise<void> | void) => void} Defer registers what to undo when the launcher ends */

/**
 * @typedef {object} Launched
 * @property {string} url of the API
 * @property {string[]} urls of each of its processes, that one first
 * @property {import('../embedded/home.mjs').Home} home
 * @property {string | null} bootstrapToken what opens new tenants; null when the operator brought their own installation
 * @property {import('./service.mjs').Service[]} services every process of the API, and the worker
 * @property {() => Promise<void>} migrate brings the schema up to what dist/ has by now
 * @property {() => Promise<string>} summary for whoever started it; with it, what an earlier one said signs nobody in any more
 */

/**
 * Brings a whole Haldir up: packages, build, database, schema, API and worker. Answers when all of it serves.
 *
 * @param {object} options
 * @param {string} options.root
 * @param {NodeJS.ProcessEnv} options.env
 * @param {AbortSignal} options.signal gives up half way; whatever was started by then has been handed to `defer`
 * @param {Defer} options.defer
 * @param {string} [options.dist] the folder of `root` that is run
 * @param {() => Promise<void>} [options.build] makes it
 * @param {Record<string, string[]>} [options.waiters] for an app: what runs it once told to, as of `startService`
 * @param {(line: string) => string | null} [options.show] what of an app's output is shown
 * @param {number} [options.apis] processes of the API, those beyond the first on free ports
 * @returns {Promise<Launched>}
 * @throws OperatorError when the operator has to change something first
 */
export async function launch({ root, env, signal, defer, dist = 'dist', build, waiters = {}, show, apis = 1 }) {
  const started = performance.now();
  const home = openHome(env.HALDIR_HOME || '.haldir');
  const claim = claimHome(home, 'scripts');
  if ('holder' in claim) {
    const { pid, url } = claim.holder;
    throw new OperatorError(
      `Haldir is already running in ${home.dir} (process ${pid}${typeof url === 'string' ? `, ${url}` : ''}); stop it with Ctrl-C or: kill ${pid}`,
    );
  }
  defer(claim.release);
  await stopOrphans(claim.dead);

  const external = Boolean(env.DATABASE_URL);
  const embedded = external ? env.HALDIR_EMBEDDED === 'true' : env.HALDIR_EMBEDDED !== 'false';
  const host = env.HOST || '127.0.0.1';
  const port = await portFor(env, host);
  const rootKeys = embedded ? ensureRootKeys(home, env) : {};
  const bootstrap = embedded && !env.HALDIR_BOOTSTRAP_TOKEN ? openBootstrapToken(home) : null;

  say(`Haldir in ${home.dir}`);
  await (build ? build() : prepare(root, signal));
  signal.throwIfAborted();

  const workerPort = env.WORKER_PORT || String(await nextFreePort(port + 1, host));
  /** @type {NodeJS.ProcessEnv} */
  const childEnv = {
    ...(embedded ? { HALDIR_EMBEDDED: 'true', HALDIR_EGRESS_ALLOW: '127.0.0.0/8,::1/128' } : {}),
    ...rootKeys,
    ...(bootstrap ? { HALDIR_BOOTSTRAP_TOKEN: bootstrap.token } : {}),
    ...(isLoopback(host) ? { HALDIR_PUBLIC_URL: `http://${hostForUrls(host)}:${port}` } : {}),
    ...withoutEmpty(env),
    HALDIR_HOME: home.dir,
    HOST: host,
    PORT: String(port),
    WORKER_PORT: workerPort,
  };
  let guardian = 0;
  if (!external) {
    const database = await provisionDatabase(home, signal, defer);
    guardian = database.guardian;
    claim.update({ guardian });
    const urls = roleUrls(database.url);
    Object.assign(childEnv, {
      DATABASE_OWNER_URL: urls.owner,
      DATABASE_URL: urls.api,
      WORKER_DATABASE_URL: urls.worker,
      // Those of a server of the operator's own, where their settings are left from another day.
      DATABASE_OWNER_PASSWORD: '',
      DATABASE_PASSWORD: '',
      WORKER_DATABASE_PASSWORD: '',
    });
  }
  signal.throwIfAborted();

  const apps = path.join(root, dist, 'apps');
  await step('migrating the database', () => migrate(apps, childEnv));
  signal.throwIfAborted();

  const reachable = `http://${hostForUrls(host)}`;
  const ports = [port];
  while (ports.length < apis) ports.push(await freePort(0, host));
  const urls = ports.map((each) => `${reachable}:${each}`);
  const url = `${reachable}:${port}`;
  const graceMs = (Number(env.SHUTDOWN_TIMEOUT_SECONDS) || 20) * 1000 + 5000;
  const services = [
    ...ports.map((each, i) => ({ app: 'api', name: i === 0 ? 'api' : `api-${i + 1}`, at: { PORT: String(each) } })),
    { app: 'worker', name: 'worker', at: { WORKER_PORT: workerPort } },
  ].map(({ app, name, at }) => {
    const entry = path.join(apps, app, 'src', 'main.js');
    const service = startService({
      name,
      entry,
      cwd: process.cwd(),
      env: { ...envOf(app, childEnv), ...at },
      readyUrl: `${reachable}:${Object.values(at)[0]}/readyz`,
      logs: home.logs,
      ...(waiters[app] ? { waiter: waiters[app] } : {}),
      ...(show ? { show } : {}),
    });
    defer(() => service.stop(graceMs));
    return service;
  });
  claim.update({ url, guardian, services: services.map(({ pid }) => pid()) });
  await step('starting API and worker', () =>
    Promise.all(services.map(({ ready }) => ready(READY_TIMEOUT_MS, signal))),
  );

  return {
    url,
    urls,
    home,
    bootstrapToken: childEnv.HALDIR_BOOTSTRAP_TOKEN ?? null,
    services,
    migrate: () => migrate(apps, childEnv),
    summary: async () => {
      const took = seconds(started);
      const first = await firstOwner(apps, childEnv);
      return summary({ url, env: childEnv, home, embedded, external, took, tokenFile: bootstrap?.file ?? null, first });
    },
  };
}

/**
 * Ends what a killed launcher may have left behind, so that its ports are free again. Its processes end by themselves once
 * they notice; this waits for that.
 *
 * @param {Record<string, unknown> | null} dead what that launcher had said about itself
 */
async function stopOrphans(dead) {
  const pids = Array.isArray(dead?.services) ? dead.services.filter((pid) => Number.isInteger(pid)) : [];
  await Promise.all(pids.map((pid) => stopProcess(pid, 10_000, path.join('src', 'main.js'))));
  const deadline = performance.now() + GUARDIAN_MS;
  while (isRunning(Number(dead?.guardian), 'pg_ctl') && performance.now() < deadline) await pause(50);
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {string} host
 * @returns {Promise<number>}
 */
async function portFor(env, host) {
  const port = Number(env.PORT || 3000);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new OperatorError('PORT should be a port from 0 to 65535, for example PORT=3000');
  }
  if (port === 0) return freePort(0, host);
  let free;
  try {
    free = await isPortFree(port, host);
  } catch (error) {
    throw new OperatorError(
      `cannot listen on ${host}:${port}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (!free) {
    const other = await nextFreePort(port + 1, host);
    throw new OperatorError(`port ${port} is taken by another program; choose another: PORT=${other} npm start`);
  }
  return port;
}

/**
 * @param {number} from
 * @param {string} host
 * @returns {Promise<number>} one of the next few ports, or any when those are taken
 */
export async function nextFreePort(from, host) {
  for (let port = from; port < Math.min(from + 10, 65_536); port++) if (await isPortFree(port, host)) return port;
  return freePort(0, host);
}

/**
 * @param {import('../embedded/home.mjs').Home} home
 * @param {NodeJS.ProcessEnv} env
 * @returns {{ HALDIR_ROOT_KEYS?: string }} nothing when the operator brings keys of their own
 */
function ensureRootKeys(home, env) {
  if (env.HALDIR_ROOT_KEYS || env.HALDIR_ROOT_KEYS_FILE) return {};
  const { rootKeys, file, created } = openRootKeys(home);
  if (created)
    say(`Made a root key in ${file} (mode 0600). Back it up: the secrets in the vault cannot be read without it.`);
  return { HALDIR_ROOT_KEYS: rootKeys };
}

/**
 * @param {import('../embedded/home.mjs').Home} home
 * @param {AbortSignal} signal
 * @param {Defer} defer
 * @returns {Promise<import('../embedded/postgres.mjs').Postgres>}
 */
async function provisionDatabase(home, signal, defer) {
  const first = !fs.existsSync(path.join(home.dir, 'postgres'));
  const { startPostgres } = await import('../embedded/postgres.mjs');
  const { postgresPassword: password } = openSecrets(home);
  const postgres = await step(first ? 'creating the database' : 'starting the database', () =>
    startPostgres({ dir: home.dir, password }),
  );
  defer(postgres.stop);

  // A server that was killed comes back on the same port; the API and the worker reconnect by themselves.
  let watching = true;
  defer(() => {
    watching = false;
  });
  void (async () => {
    for (; watching && !signal.aborted; await pause(1000)) {
      if (postgres.isAlive()) continue;
      say('  database: ended unexpectedly; starting it again');
      await startPostgres({ dir: home.dir, password, port: postgres.port }).catch((error) =>
        say(`  database: ${error.message}`),
      );
    }
  })();
  return postgres;
}

/**
 * What an app is given: no role's password but its own.
 *
 * @param {string} name
 * @param {NodeJS.ProcessEnv} env
 */
function envOf(name, env) {
  const { DATABASE_OWNER_URL: _, DATABASE_OWNER_PASSWORD: __, ...apps } = env;
  const { WORKER_DATABASE_URL: url, WORKER_DATABASE_PASSWORD: password, ...api } = apps;
  if (name !== 'worker' || !url) return api;
  const { DATABASE_PASSWORD: ___, ...worker } = api;
  return { ...worker, DATABASE_URL: url, ...(password ? { DATABASE_PASSWORD: password } : {}) };
}

/**
 * @param {string} apps the folder of built apps
 * @param {NodeJS.ProcessEnv} env
 */
async function migrate(apps, env) {
  const entry = path.join(apps, 'cli', 'src', 'main.js');
  const { code, stdout, stderr } = await run(process.execPath, ['--enable-source-maps', entry, 'migrate'], { env });
  if (code === 0) return;
  const said = (stderr.trim() || stdout.trim()).split('\n').at(-1) ?? '';
  throw new OperatorError(said.replace(/^haldir: /, '') || `migrating ended with code ${code}`);
}

/**
 * How the first owner comes in, in words; null once there is a key or somebody has signed in. The link is printed and kept
 * nowhere, and the one of the start before is good no more.
 *
 * @param {string} apps the folder of built apps
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string[] | null>}
 */
async function firstOwner(apps, env) {
  const entry = path.join(apps, 'cli', 'src', 'main.js');
  const { code, stdout, stderr } = await run(
    process.execPath,
    ['--enable-source-maps', entry, 'people', 'invite', '--first', '--before-first-key'],
    { env },
  );
  if (code === 0)
    return stdout === '' ? null : ['Sign in as the first owner (once, within 24 hours):', '', `  ${stdout.trim()}`];
  const said = stderr.trim().split('\n').at(-1) ?? '';
  return [`No link for the first owner: ${said.replace(/^haldir: /, '') || `making it ended with code ${code}`}`];
}

/**
 * An empty setting means the default, as it does to the apps themselves.
 *
 * @param {NodeJS.ProcessEnv} env
 */
function withoutEmpty(env) {
  return Object.fromEntries(Object.entries(env).filter(([, text]) => text !== ''));
}

/**
 * Whether whoever reaches Haldir is on this machine, so that its address is known.
 *
 * @param {string} host
 */
function isLoopback(host) {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** @param {string} host */
function hostForUrls(host) {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

/**
 * @param {{ url: string, env: NodeJS.ProcessEnv, home: import('../embedded/home.mjs').Home, embedded: boolean, external: boolean, took: string, tokenFile: string | null, first: string[] | null }} facts
 */
function summary({ url, env, home, embedded, external, took, tokenFile, first }) {
  const shown = tokenFile === null ? '$HALDIR_BOOTSTRAP_TOKEN' : `$(cat '${tokenFile}')`;
  const token = env.HALDIR_REQUIRE_BOOTSTRAP_TOKEN === 'true' ? `,"bootstrap_token":"'"${shown}"'"` : '';
  const key = `-H 'content-type: application/json' -d '{"name":"operator","tier":"enterprise"${token}}'`;
  const lines = [
    '',
    `Haldir is ready (${took}).`,
    '',
    `  Console   ${url}, in a browser`,
    `  API       ${url}`,
    `  Swagger   ${url}/docs`,
    `  Database  ${external ? 'DATABASE_URL' : 'embedded PostgreSQL'}`,
    `  Queues    ${env.REDIS_URL ? 'Redis' : 'PostgreSQL'}`,
    `  Logs      ${home.logs}`,
  ];
  if (embedded && env.HALDIR_EGRESS_ALLOW === '127.0.0.0/8,::1/128') {
    lines.push(
      '  Egress    webhooks and upstreams on this machine are allowed (HALDIR_EGRESS_ALLOW=127.0.0.0/8,::1/128)',
    );
  }
  return [
    ...lines,
    ...(first === null ? [] : ['', ...first, '', 'Make the first key:', '', `  curl -s -X POST ${url}/v1/keys ${key}`]),
    '',
    `Ctrl-C stops everything, and so does: kill ${process.pid}`,
  ].join('\n');
}
