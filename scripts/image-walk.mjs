// @ts-check
// `npm run image-walk`: builds the image of the Dockerfile and starts docker-compose.yml, without an engine: every step in a
// root directory of its own, as the user it names, the apps' tree read-only and without capabilities. Linux, as root.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { OperatorError } from './embedded/home.mjs';
import { freePort } from './embedded/ports.mjs';
import { startPostgres } from './embedded/postgres.mjs';
import { findRedis, startRedis } from './embedded/redis.mjs';
import { openScratch } from './embedded/scratch.mjs';
import { spawnIn } from './image/box.mjs';
import { buildImage } from './image/build.mjs';
import { readCompose } from './image/compose-file.mjs';
import { say, step } from './launcher/console.mjs';

const READY_MS = 60_000;
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** @type {(() => Promise<unknown>)[]} */
const undo = [];
try {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new OperatorError('the walk mounts folders: it needs Linux and root (sudo npm run image-walk)');
  }
  await walk();
  say('The image is built, and what docker-compose.yml starts is ready, healthy and ends when it is asked to.');
} catch (error) {
  console.error(error instanceof OperatorError ? error.message : error);
  process.exitCode = 1;
}
for (const action of undo.reverse()) await action().catch((error) => console.error(error));

async function walk() {
  const scratch = await openScratch();
  undo.push(scratch.remove);
  const image = await buildImage(root, path.join(scratch.dir, 'image'), step);

  // Every password with what URLs and shells take for something else.
  const passwords = Object.fromEntries(
    ['POSTGRES_PASSWORD', 'API_DB_PASSWORD', 'WORKER_DB_PASSWORD'].map((name) => [name, `p@ss:w/rd?#%41&'" ${name}`]),
  );
  const { services } = readCompose(path.join(root, 'docker-compose.yml'), {
    ...passwords,
    HALDIR_TIER_LIMITS: 'free=7',
  });
  const postgres = await step('a PostgreSQL for it', () =>
    startPostgres({
      dir: scratch.dir,
      password: services.postgres.environment.POSTGRES_PASSWORD,
      durable: false,
      superuser: true,
    }),
  );
  undo.push(postgres.stop);
  const program = await findRedis();
  const redis = program === null ? null : await startRedis({ program, dir: path.join(scratch.dir, 'redis') });
  if (redis) undo.push(redis.stop);
  const ports = { api: await freePort(), worker: await freePort() };

  /** What the names of services are on this machine. @param {string} text */
  const onThisMachine = (text) =>
    text
      .replace('@postgres:5432', `@127.0.0.1:${postgres.port}`)
      .replace(/^redis:\/\/redis:6379$/, redis?.url ?? '')
      .replace('127.0.0.1:3001', `127.0.0.1:${ports.worker}`);

  /** @param {string} name @param {string[]} [command] */
  const start = (name, command) => {
    const service = services[name];
    const environment = Object.entries(service.environment).map(([key, text]) => [key, onThisMachine(String(text))]);
    const child = spawnIn(
      image.dir,
      {
        command: (command ?? service.command ?? image.command).map(onThisMachine),
        workdir: image.workdir,
        env: {
          ...image.env,
          ...Object.fromEntries(environment),
          PORT: String(ports.api),
          WORKER_PORT: String(ports.worker),
        },
        user: service.user ?? image.user,
        capabilities: service.cap_drop.includes('ALL') ? (service.cap_add ?? []) : undefined,
        readOnly: service.read_only === true,
        volumes: service.volumes.map((/** @type {string} */ volume) => {
          const [from = '', to = '', mode] = volume.split(':');
          return { from: volumeDir(scratch.dir, from), to, readOnly: mode === 'ro' };
        }),
      },
      ['ignore', 'pipe', 'pipe'],
    );
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (said += text));
    const ended = new Promise((resolve) => child.once('close', resolve));
    undo.push(async () => child.kill('SIGKILL'));
    return { child, ended, said: () => said };
  };
  /** @param {string} name @param {string[]} [command] */
  const mustEnd = async (name, command) => {
    const { ended, said } = start(name, command);
    const code = await ended;
    if (code !== 0)
      throw new OperatorError(`${command ? `the health check of ${name}` : name} ended with ${code}:\n${said()}`);
  };

  await step('keys', () => mustEnd('keys'));
  const key = fs.statSync(path.join(volumeDir(scratch.dir, 'root-keys'), 'root-keys'));
  if (key.uid !== 1000 || (key.mode & 0o777) !== 0o400)
    throw new OperatorError('the root key is not the apps’ own, 0400');
  await step('keys, once more', () => mustEnd('keys'));
  await step('migrate', () => mustEnd('migrate'));
  const running = await step('api and worker', async () => {
    const apps = { api: start('api'), worker: start('worker') };
    for (const [name, app] of Object.entries(apps))
      await ready(name, ports[/** @type {'api' | 'worker'} */ (name)], app);
    return apps;
  });
  await step('their health checks', async () => {
    await mustEnd('api', image.healthcheck);
    const [how, ...command] = services.worker.healthcheck.test;
    if (how !== 'CMD') throw new OperatorError(`a health check by ${how} is not walked`);
    await mustEnd('worker', command);
  });
  await step('stopping', async () => {
    for (const [name, { child, ended, said }] of Object.entries(running)) {
      child.kill('SIGTERM');
      const code = await ended;
      if (code !== 0) throw new OperatorError(`${name} ended with ${code} after SIGTERM:\n${said()}`);
    }
  });
}

/** @param {string} scratch @param {string} name */
function volumeDir(scratch, name) {
  const dir = path.join(scratch, 'volumes', name);
  fs.mkdirSync(dir, { recursive: true });
  return dir;
}

/**
 * @param {string} name
 * @param {number} port
 * @param {{ child: import('node:child_process').ChildProcess, said: () => string }} app
 */
async function ready(name, port, { child, said }) {
  const deadline = performance.now() + READY_MS;
  for (const place of ['livez', 'readyz']) {
    while (
      !(await fetch(`http://127.0.0.1:${port}/${place}`).then(
        ({ ok }) => ok,
        () => false,
      ))
    ) {
      if (child.exitCode !== null || performance.now() > deadline) {
        throw new OperatorError(`${name} did not become ready (/${place}):\n${said()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
