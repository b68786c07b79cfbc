// @ts-check
// `npm start`: everything Haldir needs, on a machine that has only Node and npm.
// This file uses nothing newer than old Node versions understand, so that they get to the line that says what is missing.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const HELP = `Usage: npm start

Installs and builds when needed, then starts Haldir: database, API and worker. Ctrl-C stops everything.

Settings are environment variables; .env.example lists them all. The ones that matter here:

  PORT=3000               where the API listens
  HOST=127.0.0.1          the address it listens on
  WORKER_PORT=            where the worker answers /readyz and /metrics; default: the next free port after PORT
  HALDIR_HOME=.haldir     embedded database, keys and logs
  DATABASE_URL=           a PostgreSQL of your own; then HALDIR_ROOT_KEYS or HALDIR_ROOT_KEYS_FILE must be set too
  DATABASE_OWNER_URL=     its owner's role, and WORKER_DATABASE_URL= the worker's, when DATABASE_URL is the API's alone
  REDIS_URL=              a Redis for queues and counters; without it they live in PostgreSQL

For example: PORT=3001 HALDIR_HOME=$HOME/.haldir npm start`;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (process.argv.includes('--help') || process.argv.includes('-h')) {
  console.log(HELP);
} else if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `Haldir needs Node.js 20.19 or newer; this is ${process.versions.node} (https://nodejs.org/en/download).`,
  );
  process.exitCode = 1;
} else {
  const { supervise } = await import('./launcher/supervise.mjs');
  process.exitCode = await supervise(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
}
