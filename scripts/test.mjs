// @ts-check
// `npm test`: every test, on a real PostgreSQL and on both queue backends. Ends with the line `N passed, N failed`.
//
//   npm test                         everything
//   npm test -- e2e                  one or more of unit, db, e2e
//   npm test -- db libs/vault        what else is given goes to vitest: here, files whose path contains it
//   HALDIR_TEST_LONG=false npm test  without those that load a Haldir for a minute or more, as .ci/run has it
//
// A dozen files at most that failed beside others run once more, with nothing beside them: a machine that is busy is not a fault of
// Haldir's. What then passes counts as passed, and is named at the end with why it failed at first.
//
// Tests of each kind of job, and of what is counted where the queues live, run on both queue backends, all others once.
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { OperatorError } from './embedded/home.mjs';
import { say, step } from './launcher/console.mjs';
import { prepare } from './launcher/prepare.mjs';
import { readCount } from './launcher/test-count.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const PROJECTS = ['unit', 'db', 'e2e'];
/** What is asked of queues on Redis too: deliveries, fan-out, schedules of every domain, counted requests. */
const ABOUT_QUEUES = [
  ...['approvals/requests', 'gate/agent-freeze', 'gate/key-rotation', 'gate/quota', 'proxy/upstreams', 'vault/holds'],
  ...[
    'vault/versions',
    'watch/evidence',
    'watch/evidence-makers',
    'watch/trail',
    'webhooks/chaos',
    'webhooks/endpoints',
    'webhooks/recovery',
    'webhooks/deliveries',
    'webhooks/mail-delivery',
  ],
].map((name) => `test/${name}.e2e-spec.ts`);

/** What kills, fills or loads a Haldir for a minute or more. */
const LONG = [
  'test/faults/**',
  ...[
    'platform/models',
    'proxy/simulation',
    'vault/secrets-rotation',
    'watch/evidence-memory',
    'watch/long-log',
    'webhooks/chaos',
  ].map((name) => `test/${name}.e2e-spec.ts`),
];
const withoutLong = process.env.HALDIR_TEST_LONG === 'false' ? LONG : [];

/** End-to-end files that run at once: much of what they do is waiting. */
const E2E_WORKERS = 3;

/** Files that fail together and run once more; where more do, it is not the machine. */
const MAX_SECOND_TRIES = 12;

/** @typedef {{ title: string, project: string, env: NodeJS.ProcessEnv, only?: string[] }} Run `only`: files */
/** @typedef {import('./launcher/test-count.mjs').Count} Count */

/** @type {Count} */
const NOTHING = { passed: 0, failed: 0, skipped: 0, failures: [], files: [] };

const args = process.argv.slice(2);
const chosen = PROJECTS.filter((name) => args.includes(name));
const projects = chosen.length > 0 ? chosen : PROJECTS;
const forVitest = args.filter((arg) => !PROJECTS.includes(arg));

const ending = new AbortController();
for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(name, () => ending.abort());

let reports = 0;
/** @type {(() => Promise<void>)[]} */
const undo = [];
/** @type {{ title: string, count: Count, atFirst: string[] }[]} `atFirst`: what failed, and passed alone */
const results = [];
try {
  await prepare(root, ending.signal);
  for (const run of await planRuns()) {
    ending.signal.throwIfAborted();
    say(`\n── ${run.title}`);
    const first = await vitest(run);
    const isWorthAnother = first.files.length > 0 && first.files.length <= MAX_SECOND_TRIES;
    results.push({
      title: run.title,
      ...(isWorthAnother ? await secondTry(run, first) : { count: first, atFirst: [] }),
    });
  }
} catch (error) {
  if (!ending.signal.aborted) {
    console.error(error instanceof OperatorError ? error.message : error);
    results.push({ title: 'preparation', count: { ...NOTHING, failed: 1 }, atFirst: [] });
  }
}
for (const action of undo.reverse()) await action();
report();

/** @returns {Promise<Run[]>} what to run, with the servers it needs started */
async function planRuns() {
  /** @type {Run[]} */
  const runs = [];
  if (projects.includes('unit')) runs.push({ title: 'unit', project: 'unit', env: {} });
  if (!projects.includes('db') && !projects.includes('e2e')) return runs;

  const { openScratch } = await import('./embedded/scratch.mjs');
  const { startPostgres } = await import('./embedded/postgres.mjs');
  const { findRedis, startRedis } = await import('./embedded/redis.mjs');
  const scratch = await openScratch();
  undo.push(scratch.remove);
  const password = crypto.randomBytes(12).toString('base64url');
  const postgres = await step('starting a PostgreSQL for the tests', () =>
    startPostgres({ dir: scratch.dir, password, durable: false, superuser: true }),
  );
  undo.push(postgres.stop);
  const onPostgres = { HALDIR_TEST_POSTGRES_URL: postgres.url, HALDIR_TEST_REDIS_URL: '' };

  if (projects.includes('db')) runs.push({ title: 'database', project: 'db', env: onPostgres });
  if (!projects.includes('e2e')) return runs;
  runs.push({ title: 'end to end, queues on PostgreSQL', project: 'e2e', env: onPostgres });

  const program = await findRedis();
  if (program !== null) {
    const dir = path.join(scratch.dir, 'redis');
    const redis = await step('starting a Redis for the tests', () => startRedis({ program, dir }));
    undo.push(redis.stop);
    const env = { ...onPostgres, HALDIR_TEST_REDIS_URL: redis.url };
    const named = [...ABOUT_QUEUES, ...LONG.filter((file) => !file.includes('*'))];
    const gone = named.filter((file) => !fs.existsSync(path.join(root, file)));
    if (gone.length > 0) throw new Error(`scripts/test.mjs names ${gone.join(', ')}, which is not there`);
    runs.push({
      title: 'end to end, queues on Redis',
      project: 'e2e',
      env,
      only: forVitest.length > 0 ? forVitest : ABOUT_QUEUES,
    });
  } else if (process.env.HALDIR_TEST_REQUIRE_REDIS === 'true') {
    throw new OperatorError(
      'HALDIR_TEST_REQUIRE_REDIS=true, but there is no redis-server of version 7 or newer (HALDIR_REDIS_SERVER, PATH)',
    );
  } else {
    say('no redis-server of version 7 or newer found: the tests of queues on Redis do not run here');
  }
  return runs;
}

/**
 * Runs the files in which something failed once more, one at a time.
 *
 * @param {Run} run
 * @param {Count} first
 * @returns {Promise<{ count: Count, atFirst: string[] }>}
 */
async function secondTry(run, first) {
  let count = first;
  /** @type {string[]} */
  const atFirst = [];
  for (const file of first.files) {
    ending.signal.throwIfAborted();
    say(`\n── ${run.title}: ${file} once more, alone`);
    const { failed } = await vitest({ ...run, only: [file] });
    if (failed > 0) continue;
    const [mended, failures] = [
      count.failures.filter((failure) => failure.startsWith(file)),
      count.failures.filter((failure) => !failure.startsWith(file)),
    ];
    atFirst.push(...mended);
    count = { ...count, passed: count.passed + mended.length, failed: count.failed - mended.length, failures };
  }
  return { count, atFirst };
}

/**
 * @param {Run} run
 * @returns {Promise<Count>}
 */
async function vitest({ title, project, env, only }) {
  const output = path.join(root, 'coverage', `test-${process.pid}-${reports++}.json`);
  const child = spawn(
    process.execPath,
    [
      path.join(root, 'node_modules', 'vitest', 'vitest.mjs'),
      ...['run', '--project', project, '--passWithNoTests'],
      ...(project === 'e2e' ? ['--maxWorkers', String(E2E_WORKERS)] : []),
      ...withoutLong.flatMap((file) => ['--exclude', file]),
      ...['--reporter', 'default', '--reporter', 'json', `--outputFile.json=${output}`],
      ...(only ?? forVitest),
    ],
    { cwd: root, env: { ...process.env, ...env }, stdio: 'inherit' },
  );
  const forward = () => child.kill('SIGTERM');
  ending.signal.addEventListener('abort', forward);
  const code = await new Promise((resolve) => {
    child.on('error', () => resolve(1));
    child.on('exit', resolve);
  });
  ending.signal.removeEventListener('abort', forward);
  const count = readCount(output, root);
  fs.rmSync(output, { force: true });
  // A run that ends badly without a failed test failed all the same: a server or a worker that died, for instance.
  if (code !== 0 && count.failed === 0) {
    say(`${title}: vitest ended with code ${code}`);
    return { ...count, failed: 1, failures: [`${title}: vitest ended with code ${code}`] };
  }
  return count;
}

function report() {
  if (ending.signal.aborted) {
    say('\ninterrupted');
    process.exitCode = 130;
    return;
  }
  for (const { title, count, atFirst } of results) {
    for (const failure of atFirst) say(`\n! ${title}: failed at first, passed alone: ${failure}`);
    for (const failure of count.failures) say(`\n✗ ${title}: ${failure}`);
  }
  say('');
  for (const { title, count } of results) {
    say(
      `${title}: ${count.passed} passed, ${count.failed} failed${count.skipped > 0 ? `, ${count.skipped} skipped` : ''}`,
    );
  }
  const passed = results.reduce((sum, { count }) => sum + count.passed, 0);
  const failed = results.reduce((sum, { count }) => sum + count.failed, 0);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
  say(`${passed} passed, ${failed} failed`);
}
