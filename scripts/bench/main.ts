// `npm run bench`: how fast a Haldir is on this machine, held against what lies beneath it. `--help` says more.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { help, type Options, readOptions } from './options.js';
import { type Instance } from './instance.js';
import { compare, measure } from './row.js';
import { rows } from './rows/index.js';
import { gates, table } from './table.js';
import { OperatorError } from '../embedded/home.mjs';
import { say, step } from '../launcher/console.mjs';
import { prepare } from '../launcher/prepare.mjs';
import { openWorld } from './world.js';

const root = path.join(import.meta.dirname, '..', '..');

const ending = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => ending.abort());
const asked = new Promise((_, reject) =>
  ending.signal.addEventListener('abort', () => reject(new Error('interrupted'))),
);
asked.catch(() => undefined);

const undo: (() => Promise<void> | void)[] = [];
try {
  await Promise.race([bench(), asked]);
} catch (error) {
  process.exitCode = 1;
  if (ending.signal.aborted) {
    say('\ninterrupted');
    process.exitCode = 130;
  } else {
    console.error(error instanceof OperatorError ? error.message : error);
  }
}
ending.abort();
for (const action of undo.reverse()) await action();

async function bench() {
  const names = rows.map(({ name }) => name);
  const options = readOptions(process.argv.slice(2), names);
  if (options === null) return say(help(names));

  const { against } = options;
  for (const checkout of against === null ? [root] : [root, against]) await prepare(checkout, ending.signal);

  const setting = {
    root,
    options,
    signal: ending.signal,
    defer: (action: () => Promise<void> | void) => undo.push(action),
  };
  const world = await step('starting PostgreSQL, API and worker', () => openWorld(setting));
  const other =
    against === null
      ? null
      : await step(`the same of ${against}`, () =>
          openWorld({ ...setting, root: against, options: { ...options, profile: null } }),
        );
  const measured = [];
  for (const row of rows.filter(({ name }) => options.rows.includes(name))) {
    measured.push(await step(row.title, () => (other ? compare(row, world, other) : measure(row, world))));
  }

  say(`\n${describe(options, world.instance.versions)}\n`);
  say(table(measured, options.connections));
  say(`\n${gates(measured)}`);
  if (options.json !== null) {
    const facts = { options, machine: machine(), node: process.version, ...world.instance.versions };
    const results = measured.map(({ row: { name, title, target }, ...rest }) => ({ name, title, target, ...rest }));
    fs.writeFileSync(options.json, `${JSON.stringify({ ...facts, rows: results }, null, 2)}\n`);
  }
  if (measured.some((row) => row.gates.some(({ holds }) => holds === false))) process.exitCode = 1;
}

function describe(
  { connections, rounds, seconds, quota }: Options,
  { postgres, fsync, synchronousCommit, redis }: Instance['versions'],
) {
  return [
    `${connections} connections, medians of ${rounds} rounds of ${seconds} s each; load generator, API, worker and database on one machine`,
    `${machine()}, Node ${process.version}, PostgreSQL ${postgres} (fsync ${fsync}, synchronous_commit ${synchronousCommit}), queues on ${redis === '' ? 'PostgreSQL' : `Redis ${redis}`}`,
    `one API process, log level info to a file, ${quota ? 'every request counted against an hourly limit' : 'no hourly limit'}`,
  ].join('\n');
}

function machine() {
  const cpus = os.cpus();
  return `${cpus.length} × ${cpus[0]?.model.trim() ?? 'unknown processor'}`;
}
