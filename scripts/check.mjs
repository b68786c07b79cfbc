// @ts-check
// The developer's loop: everything that can be said about the code without a database. Runs every check, whatever the
// others found, as many side by side as there are cores, and ends with one line for each.
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const caches = path.join('node_modules', '.cache', 'haldir-check');
// What decides every result beside the files that are checked: another of these is another cache.
const cache = path.join(
  caches,
  digestOf(
    ...['package-lock.json', 'tsconfig.json', 'apps/console/tsconfig.json', 'eslint.config.js', '.prettierrc.json'],
  ),
);

/**
 * @typedef {object} Check
 * @property {string} title
 * @property {string[]} command a program of node_modules/.bin or `node`, and its arguments
 * @property {string} [after] the check whose result it needs
 */

/** In the order in which they start: the longest first. @type {Record<string, Check>} */
const CHECKS = {
  types: { title: 'types', command: ['node', 'scripts/check/types.mjs', cache] },
  unit: { title: 'unit tests', command: ['vitest', 'run', '--project', 'unit', '--reporter', 'dot'] },
  lint: { title: 'lint', command: ['node', 'scripts/check/lint.mjs', cache], after: 'types' },
  architecture: {
    title: 'architecture',
    command: [
      ...['depcruise', '--config', '.dependency-cruiser.cjs', '--cache', path.join(cache, 'architecture')],
      ...['--cache-strategy', 'content', 'apps', 'libs', 'test', 'scripts'],
    ],
  },
  unused: { title: 'unused code', command: ['knip'] },
  format: {
    title: 'format',
    command: [
      ...['prettier', '--check', '--log-level', 'warn', '--cache', '--cache-strategy', 'content'],
      ...['--cache-location', path.join(cache, 'format.json'), '.'],
    ],
  },
  pages: pageTypes('approvals'),
  'people-pages': pageTypes('people'),
};

/** @param {string} lib whose pages for browsers they are */
function pageTypes(lib) {
  return {
    title: `types of pages of ${lib}`,
    command: [
      ...['tsc', '-p', `libs/${lib}/src/http/page`, '--incremental'],
      ...['--tsBuildInfoFile', path.join(cache, `pages-${lib}.tsbuildinfo`)],
    ],
  };
}

const HELP = `Usage: npm run check -- [options]

Runs ${Object.keys(CHECKS).join(', ')}, as many side by side as there are cores. What has not changed since it passed is
not read again: the caches are in ${caches}.

  --without NAME   leaves a check out; may be given more than once
  --only NAME      runs this one (and what it needs); may be given more than once
  --fresh          forgets the caches first
  --help           this text`;

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(name, () => {
    for (const child of running) child.kill('SIGTERM');
    process.exit(130);
  });
}

const chosen = choose();
if (chosen !== null) await check(chosen);

/** @returns {string[] | null} the checks to run; null when there is something to be said instead */
function choose() {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        without: { type: 'string', multiple: true, default: [] },
        only: { type: 'string', multiple: true, default: [] },
        fresh: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }));
    const unknown = [...values.without, ...values.only].find((name) => !Object.hasOwn(CHECKS, name));
    if (unknown !== undefined) throw new Error(`there is no check ${unknown}`);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}; see npm run check -- --help`);
    process.exitCode = 2;
    return null;
  }
  if (values.help) {
    console.log(HELP);
    return null;
  }
  if (values.fresh) fs.rmSync(path.join(root, caches), { recursive: true, force: true });
  const { without, only } = values;
  const wanted = only.length === 0 ? Object.keys(CHECKS) : only.flatMap((name) => [CHECKS[name]?.after ?? name, name]);
  return Object.keys(CHECKS).filter((name) => wanted.includes(name) && !without.includes(name));
}

/** @param {string[]} names */
async function check(names) {
  for (const old of fs.existsSync(path.join(root, caches)) ? fs.readdirSync(path.join(root, caches)) : []) {
    if (path.join(caches, old) !== cache) fs.rmSync(path.join(root, caches, old), { recursive: true, force: true });
  }
  fs.mkdirSync(path.join(root, cache), { recursive: true });

  const began = performance.now();
  /** @type {Map<string, { ok: boolean, seconds: string }>} */
  const results = new Map();
  const waiting = [...names];
  const worker = async () => {
    for (;;) {
      const at = waiting.findIndex((name) => isFree(CHECKS[name]?.after));
      const [name] = at < 0 ? [] : waiting.splice(at, 1);
      if (name !== undefined) results.set(name, await run(name));
      else if (waiting.length === 0) return;
      else await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const isFree = (/** @type {string | undefined} */ after) =>
    after === undefined || !names.includes(after) || results.has(after);
  await Promise.all(Array.from({ length: Math.max(1, os.availableParallelism()) }, worker));

  console.log('');
  for (const name of names) {
    const { ok, seconds } = results.get(name) ?? { ok: false, seconds: '' };
    console.log(`${ok ? '✓' : '✗'} ${(CHECKS[name]?.title ?? name).padEnd(14)} ${seconds.padStart(6)} s`);
  }
  const failed = names.filter((name) => !results.get(name)?.ok);
  const all = `${((performance.now() - began) / 1000).toFixed(1)} s`;
  console.log(
    failed.length === 0 ? `all checks passed (${all})` : `${failed.length} of ${names.length} checks failed (${all})`,
  );
  process.exitCode = failed.length === 0 ? 0 : 1;
}

/**
 * Runs a check, and shows what it said once it has ended.
 *
 * @param {string} name
 * @returns {Promise<{ ok: boolean, seconds: string }>}
 */
async function run(name) {
  const { command = [] } = CHECKS[name] ?? {};
  const [program = '', ...args] = command;
  const started = performance.now();
  const windows = process.platform === 'win32';
  const bin =
    program === 'node'
      ? process.execPath
      : path.join(root, 'node_modules', '.bin', windows ? `${program}.cmd` : program);
  const child = spawn(bin, args, {
    cwd: root,
    env: { ...process.env, ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}) },
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: windows && program !== 'node',
  });
  running.add(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  const ok = await new Promise((resolve) => {
    child.on('error', (error) => {
      said += `${error.message}\n`;
      resolve(false);
    });
    child.on('close', (code) => resolve(code === 0));
  });
  running.delete(child);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const shown = said.trim();
  console.log(`\n── ${command.join(' ')} (${seconds} s)${shown === '' ? '' : `\n${shown}`}`);
  return { ok, seconds };
}

/** @param {string[]} files of the repository */
function digestOf(...files) {
  const hash = crypto.createHash('sha256').update(process.version);
  for (const file of files) hash.update(fs.readFileSync(path.join(root, file))).update('\0');
  return hash.digest('hex').slice(0, 16);
}
