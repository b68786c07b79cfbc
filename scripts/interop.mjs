// @ts-check
// `npm run interop`: runs the recipes of docs/agents as they stand there, with the clients they are for, against a Haldir of
// its own with a real MCP server behind it; and puts MCP servers of others behind it, as the registry has them. It serves from
// two processes, to which requests go in turn. Ends with `N passed, N failed`.
//
//   npm run interop                        every recipe and server
//   npm run interop -- mastra playwright   those recipes and servers whose file or package has one of these in its name
//
// It downloads the clients (test/interop/recipes, some 500 MB once installed, and 1 GB for CrewAI) and the servers (test/interop/servers, 50 MB)
// into a temporary directory. The recipes and the server in Python need a Python of 3.11 or newer and its registry, that server git, and the server of Playwright a
// Chromium; without, they are skipped, and that is said.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { OperatorError } from './embedded/home.mjs';
import { freePort } from './embedded/ports.mjs';
import { run } from './embedded/processes.mjs';
import { openScratch } from './embedded/scratch.mjs';
import { startBalancer } from './lib/balancer.mjs';
import { startEverything } from './lib/everything.mjs';
import { Operator } from './interop/operator.mjs';
import { installPackages, must, nodeIn } from './interop/packages.mjs';
import { readPages, readRecipes, RECIPES, requirementsOf } from './interop/recipes.mjs';
import { IN_PYTHON, SERVERS } from './interop/servers.mjs';
import { tryRecipe } from './interop/try-recipe.mjs';
import { say, step } from './launcher/console.mjs';
import { launch } from './launcher/launch.mjs';

const RECIPE_MS = 240_000;
/** How long a call waits for a human here: some recipes are left waiting for as long. */
const HOLD_SECONDS = 10;
/** Clients that report home do not. */
const QUIET = { CREWAI_DISABLE_TELEMETRY: 'true', OTEL_SDK_DISABLED: 'true' };
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const pins = path.join(root, 'test', 'interop');
/** What a recipe is told of the machine. */
const surroundings = { PATH: process.env.PATH, HOME: process.env.HOME, SYSTEMROOT: process.env.SYSTEMROOT };

const ending = new AbortController();
for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(name, () => ending.abort());

/** @type {(() => Promise<unknown> | void)[]} */
const undo = [];
const count = { passed: 0, failed: 0 };
try {
  await interop(process.argv.slice(2));
} catch (error) {
  count.failed++;
  if (!ending.signal.aborted) console.error(error instanceof OperatorError ? error.message : error);
}
for (const action of undo.reverse()) {
  try {
    await action();
  } catch (error) {
    console.error(error);
  }
}
if (ending.signal.aborted) say('\ninterrupted');
say(`\n${count.passed} passed, ${count.failed} failed`);
process.exitCode = ending.signal.aborted ? 130 : count.failed === 0 && count.passed > 0 ? 0 : 1;

/** @param {string[]} wanted parts of names of files and packages; none means every one */
async function interop(wanted) {
  const isWanted = (/** @type {string} */ name) => wanted.length === 0 || wanted.some((part) => name.includes(part));
  const recipes = readRecipes(readPages(root)).filter(({ file }) => isWanted(file));
  const servers = [...SERVERS].filter(([name]) => isWanted(name));
  if (recipes.length + servers.length === 0) {
    const names = [...RECIPES.keys(), ...SERVERS.keys()];
    throw new OperatorError(`no recipe or server of that name; there are ${names.join(', ')}`);
  }

  const scratch = await openScratch();
  undo.push(scratch.remove);
  const tryRecipes = recipes.length === 0 ? null : await prepareRecipes(recipes, path.join(scratch.dir, 'recipes'));
  const dir = path.join(scratch.dir, 'servers');
  if (servers.length > 0) await step('installing the servers (npm ci)', () => install('servers', dir));
  const python = servers.some(([name]) => IN_PYTHON.includes(name))
    ? await step('installing the servers (pip install -r requirements.txt)', () =>
        installForPython(dir, 'servers', 'requirements.txt'),
      )
    : null;

  const port = await freePort();
  const { urls } = await launch({
    root,
    env: {
      ...surroundings,
      HALDIR_HOME: path.join(scratch.dir, 'home'),
      PORT: String(port),
      MCP_HOLD_SECONDS: String(HOLD_SECONDS),
    },
    signal: ending.signal,
    defer: (action) => undo.push(action),
    apis: 2,
  });
  const haldir = new Operator(`http://127.0.0.1:${port}`, ending.signal);
  await haldir.begin();
  const balancer = await startBalancer(urls);
  undo.push(balancer.stop);
  await tryRecipes?.(haldir, balancer);

  for (const [name, tryServer] of servers) {
    ending.signal.throwIfAborted();
    const [what = '', way] = name.split(' ');
    const inPython = IN_PYTHON.includes(name) ? python : null;
    const version = inPython ? versionIn('servers', what) : versionOf(dir, what);
    say(`\n${what} ${version}${way === undefined ? '' : ` (${way})`}, behind a Haldir of ${urls.length} API processes`);
    if (inPython?.missing !== undefined) {
      skip(inPython.missing);
      continue;
    }
    const defer = (/** @type {() => Promise<unknown> | void} */ action) => void undo.push(action);
    await tryServer({ haldir, balancer, dir, python: inPython?.command ?? '', check: report, skip, defer });
  }
}

/**
 * Installs what the recipes need.
 *
 * @param {import('./interop/recipes.mjs').Recipe[]} chosen
 * @param {string} dir
 * @returns {Promise<(haldir: Operator, balancer: import('./lib/balancer.mjs').Balancer) => Promise<void>>} runs them, with an MCP server behind that Haldir
 */
async function prepareRecipes(chosen, dir) {
  fs.mkdirSync(dir);
  for (const { file, code } of chosen) fs.writeFileSync(path.join(dir, file), code);
  const node = chosen.some(({ file }) => file.endsWith('.mjs'))
    ? await step('installing the clients (npm ci)', () => installForNode(dir))
    : '';
  const isPython = (/** @type {string} */ file) => file.endsWith('.py');
  /** @type {Map<string, Python>} */
  const pythons = new Map();
  for (const requirements of new Set(
    chosen
      .map(({ file }) => file)
      .filter(isPython)
      .map(requirementsOf),
  )) {
    const install = () => installForPython(dir, 'recipes', requirements);
    pythons.set(requirements, await step(`installing the clients (pip install -r ${requirements})`, install));
  }

  return async (haldir, balancer) => {
    const everything = await step('starting an MCP server', startEverything);
    undo.push(everything.stop);
    await haldir.register('demo', everything.url);
    await haldir.addPolicy({ type: 'block_tool', tool: 'demo.get-env' });
    for (const { file, title } of chosen) {
      ending.signal.throwIfAborted();
      say(`\n${title} (${file}), over ${balancer.asked.length} API processes`);
      const python = isPython(file) ? pythons.get(requirementsOf(file)) : undefined;
      if (python?.missing !== undefined) {
        skip(python.missing);
        continue;
      }
      const runWith = (/** @type {string} */ key) =>
        run(python?.command ?? node, [file], {
          cwd: dir,
          env: { ...surroundings, ...QUIET, HALDIR_URL: balancer.url, HALDIR_API_KEY: key },
          signal: AbortSignal.any([ending.signal, AbortSignal.timeout(RECIPE_MS)]),
        });
      await tryRecipe({ haldir, balancer, file, runWith, report });
    }
  };
}

/**
 * @param {string} title
 * @param {boolean} ok
 * @param {unknown} found shown when it is not so
 */
function report(title, ok, found) {
  count[ok ? 'passed' : 'failed']++;
  say(`  ${ok ? '✓' : '✗'} ${title}`);
  if (ok) return;
  const text = typeof found === 'string' ? found : JSON.stringify(found, null, 2);
  say(text.replace(/^/gm, '    '));
}

/** Is no failure of the run. @param {string} why */
function skip(why) {
  say(`  - skipped: ${why}`);
}

/** @param {'recipes' | 'servers'} what of test/interop @param {string} dir */
function install(what, dir) {
  return installPackages(path.join(pins, what), dir, ending.signal);
}

/** @param {string} dir @returns {Promise<string>} the Node that the frameworks ask for */
async function installForNode(dir) {
  await install('recipes', dir);
  return nodeIn(dir);
}

/** @typedef {{ command: string, missing?: string }} Python `missing`: why there is none */

/** @param {string} dir @param {string} name of a package of npm that is installed there @returns {string} */
function versionOf(dir, name) {
  return JSON.parse(fs.readFileSync(path.join(dir, 'node_modules', name, 'package.json'), 'utf8')).version;
}

/** @param {'recipes' | 'servers'} what of test/interop @param {string} name of a package of Python that is pinned there */
function versionIn(what, name) {
  const pinned = fs.readFileSync(path.join(pins, what, 'requirements.txt'), 'utf8');
  return new RegExp(`^${name}==(.+)$`, 'm').exec(pinned)?.[1] ?? '';
}

/**
 * @param {string} dir
 * @param {'recipes' | 'servers'} what of test/interop
 * @param {string} requirements a file of it
 * @returns {Promise<Python>} that of an environment that has them
 * @throws OperatorError for what the registry was asked for and does not have
 */
async function installForPython(dir, what, requirements) {
  const environment = path.join(dir, requirements.replace('.txt', ''));
  const windows = process.platform === 'win32';
  const command = path.join(environment, ...(windows ? ['Scripts', 'python.exe'] : ['bin', 'python']));
  try {
    await must(
      dir,
      'python3',
      ['-c', 'import sys, venv; assert sys.version_info >= (3, 11), "Python is too old"'],
      ending.signal,
    );
    await must(dir, 'python3', ['-m', 'venv', environment], ending.signal);
  } catch (error) {
    return { command, missing: `there is no Python of 3.11 or newer here: ${lastLine(error)}` };
  }
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-compile', '--disable-pip-version-check'];
  try {
    await must(dir, command, [...pip, '-r', path.join(pins, what, requirements)], ending.signal);
  } catch (error) {
    // What pip says first, before it comes to the end that nothing was found.
    const isUnreachable =
      error instanceof OperatorError && /connection broken|timed out|resolution/i.test(error.message);
    if (!isUnreachable) throw error;
    return { command, missing: `Python's registry is not reached: ${lastLine(error)}` };
  }
  return { command };
}

/** @param {unknown} error */
function lastLine(error) {
  if (!(error instanceof OperatorError) || ending.signal.aborted) throw error;
  return error.message.split('\n').at(-1)?.trim() ?? '';
}
