// @ts-check
// `npm run interop`: runs the recipes of docs/recipes.md as they stand there, with the frameworks they are for, against a
// Haldir of its own with a real MCP server behind it; and puts MCP servers of others behind it, as the registry has them,
// while it serves from two processes. Ends with `N passed, N failed`.
//
//   npm run interop                        every recipe and server
//   npm run interop -- mastra playwright   those recipes and servers whose file or package has one of these in its name
//
// It downloads the frameworks (test/interop/recipes, some 500 MB once installed) and the servers (test/interop/servers, 50 MB)
// into a temporary directory. The recipe in Python needs a Python of 3.11 or newer, and the server of Playwright a Chromium.
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
import { readRecipes, RECIPES } from './interop/recipes.mjs';
import { SERVERS } from './interop/servers.mjs';
import { say, step } from './launcher/console.mjs';
import { launch } from './launcher/launch.mjs';

const RECIPE_MS = 120_000;
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
  const document = fs.readFileSync(path.join(root, 'docs', 'recipes.md'), 'utf8');
  const recipes = readRecipes(document).filter(({ file }) => isWanted(file));
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

  const port = await freePort();
  const { urls } = await launch({
    root,
    env: { ...surroundings, HALDIR_HOME: path.join(scratch.dir, 'home'), PORT: String(port) },
    signal: ending.signal,
    defer: (action) => undo.push(action),
    apis: 2,
  });
  const haldir = new Operator(`http://127.0.0.1:${port}`, ending.signal);
  await haldir.begin();
  await tryRecipes?.(haldir);

  if (servers.length === 0) return;
  const balancer = await startBalancer(urls);
  undo.push(balancer.stop);
  for (const [name, tryServer] of servers) {
    ending.signal.throwIfAborted();
    const [what = '', way] = name.split(' ');
    const { version } = JSON.parse(fs.readFileSync(path.join(dir, 'node_modules', what, 'package.json'), 'utf8'));
    say(`\n${what} ${version}${way === undefined ? '' : ` (${way})`}, behind a Haldir of ${urls.length} API processes`);
    await tryServer({ haldir, balancer, dir, check: report, skip, defer: (action) => undo.push(action) });
  }
}

/**
 * Installs what the recipes need.
 *
 * @param {import('./interop/recipes.mjs').Recipe[]} chosen
 * @param {string} dir
 * @returns {Promise<(haldir: Operator) => Promise<void>>} runs them, with an MCP server behind that Haldir
 */
async function prepareRecipes(chosen, dir) {
  fs.mkdirSync(dir);
  for (const { file, code } of chosen) fs.writeFileSync(path.join(dir, file), code);
  const node = chosen.some(({ file }) => file.endsWith('.mjs'))
    ? await step('installing the frameworks (npm ci)', () => installForNode(dir))
    : '';
  const python = chosen.some(({ file }) => file.endsWith('.py'))
    ? await step('installing the frameworks (pip install)', () => installForPython(dir)).catch(withoutPython)
    : '';

  return async (haldir) => {
    const everything = await step('starting an MCP server', startEverything);
    undo.push(everything.stop);
    await haldir.register('demo', everything.url);
    await haldir.addPolicy({ type: 'block_tool', tool: 'demo.get-env' });
    for (const { file, title } of chosen) {
      ending.signal.throwIfAborted();
      if (file.endsWith('.py') && python === '') continue;
      say(`\n${title} (${file})`);
      await tryOut(haldir, file, (key) =>
        run(file.endsWith('.py') ? python : node, [file], {
          cwd: dir,
          env: { ...surroundings, HALDIR_URL: haldir.url, HALDIR_API_KEY: key },
          signal: AbortSignal.any([ending.signal, AbortSignal.timeout(RECIPE_MS)]),
        }),
      );
    }
  };
}

/**
 * Runs one recipe three times: as it is meant to be, under a policy that refuses the call, and with the tool blocked. Each
 * has an agent and a key of its own, so that what the log has of that agent is the recipe's.
 *
 * @param {Operator} haldir
 * @param {string} file
 * @param {(key: string) => Promise<import('./embedded/processes.mjs').Outcome>} runWith
 */
async function tryOut(haldir, file, runWith) {
  const agent = file.replace(/\W/g, '-');
  const { key, prefix } = await haldir.agentKey(agent);
  const shown = RECIPES.get(file) ?? 'demo__echo';
  const get_env = shown.replace('echo', 'get-env');
  /** @param {string} action */
  const logged = async (action) =>
    (await haldir.log(agent)).filter(
      (entry) => entry.action === action && entry.tool === 'demo.echo' && entry.actor === `agent:${agent} (${prefix})`,
    ).length;

  const allowed = await runWith(key);
  const lines = allowed.stdout.split('\n');
  check('lists what the agent may call, and not what is blocked', allowed, () => {
    return lines.includes(shown) && !lines.includes(get_env);
  });
  check('prints the answer of demo.echo', allowed, () => allowed.code === 0 && lines.includes('Echo: hello'));
  const calls = await logged('tool_call');
  check('its one call is in the log, under its agent key', allowed, () => calls === 1);

  const limit = await haldir.addPolicy({ type: 'rate_limit', max_per_minute: 0, scope: { agents: [agent] } });
  const refused = await runWith(key);
  const refusals = await logged('tool_call_blocked');
  await haldir.removePolicy(limit);
  check('a call that a policy refuses says which, and is in the log', refused, () => {
    const said = refused.stdout + refused.stderr;
    return !said.includes('Echo: hello') && said.includes(limit) && said.includes('blocked_by') && refusals === 1;
  });

  const block = await haldir.addPolicy({ type: 'block_tool', tool: 'demo.echo', scope: { agents: [agent] } });
  const blocked = await runWith(key);
  await haldir.removePolicy(block);
  check('a tool that is blocked is not there', blocked, () => {
    const said = blocked.stdout + blocked.stderr;
    return (
      blocked.code === 1 &&
      said.includes('demo__echo is not among the tools of this key') &&
      !said.includes('Echo: hello') &&
      !blocked.stdout.split('\n').includes(shown)
    );
  });

  const unknown = await runWith(`${key.slice(0, -4)}0000`);
  check('another key is refused', unknown, () => unknown.code !== 0 && !unknown.stdout.includes('Echo: hello'));
  const after = await logged('tool_call');
  check('and nothing else was called in its name', unknown, () => after === calls);
}

/**
 * @param {string} title
 * @param {import('./embedded/processes.mjs').Outcome} outcome shown when it is not so
 * @param {() => boolean} holds
 */
function check(title, { code, stdout, stderr }, holds) {
  report(title, holds(), `it ended with ${code} and said:\n${stdout}${stderr}`);
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

/** The other recipes need none; that it is missing is a failure of the run all the same. @param {unknown} error */
function withoutPython(error) {
  if (!(error instanceof OperatorError) || ending.signal.aborted) throw error;
  count.failed++;
  say(`    ${error.message}`);
  return '';
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

/** @param {string} dir @returns {Promise<string>} the Python of the environment that has the frameworks */
async function installForPython(dir) {
  const environment = path.join(dir, 'python');
  await must(dir, 'python3', ['-m', 'venv', environment], ending.signal);
  const python = path.join(
    environment,
    ...(process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python']),
  );
  const requirements = path.join(pins, 'recipes', 'requirements.txt');
  const args = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements];
  await must(dir, python, args, ending.signal);
  return python;
}
