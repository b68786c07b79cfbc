// @ts-check
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { freePort } from '../embedded/ports.mjs';
import { descendantsOf, isRunning, listeningSocketsOf, onPath, pause } from '../embedded/processes.mjs';
import { step } from '../launcher/console.mjs';
import { startMcpServer } from '../lib/mcp-server.mjs';
import { Agent, textOf } from './agent.mjs';
import { connectServer } from './connecting.mjs';
import { putBehind } from './listing.mjs';
import { startSite } from './site.mjs';

/** How long after the end of a session what it had in the browser may last. */
const GONE_MS = 10_000;
const NO_CHROMIUM = 'there is no chromium on the PATH (apt-get install chromium)';

/**
 * Over Streamable HTTP. With `--isolated` the server runs one Chromium, in which every session has a context of its own with
 * processes of its own, and ends it with the last of them.
 *
 * @param {import('./servers.mjs').Stage} stage
 */
export async function tryPlaywright(stage) {
  const { check, skip, dir, defer } = stage;
  const [chromium] = onPath('chromium');
  if (chromium === undefined) return skip(NO_CHROMIUM);

  const { entry, args, home } = command(dir, chromium);
  const port = await freePort();
  const listen = ['--port', String(port), '--host', '127.0.0.1', '--allowed-hosts', `127.0.0.1:${port}`];
  const env = { PATH: process.env.PATH, ...homeIn(home) };
  const server = await step('starting it', () =>
    startMcpServer({ entry, args: [...listen, ...args], port, cwd: home, env }),
  );
  defer(server.stop);
  const agents = await beginAgents(stage, 'ada', 'bob');
  await putBehind(stage, 'browser', server.url, agents[0]);
  await tryPages(stage, agents, { name: 'browser', pid: server.pid, isOwn: isRenderer });
  const ended = await within(GONE_MS, () => descendantsOf(server.pid).length === 0);
  check(`with the last session the browser is gone (${ended ?? 'not'} ms)`, ended !== null, descendantsOf(server.pid));
}

/**
 * On its standard streams, through `haldir connect --per-session`: each session has a server and a browser to itself, and nothing
 * listens for them.
 *
 * @param {import('./servers.mjs').Stage} stage
 */
export async function tryPlaywrightConnected(stage) {
  const { check, skip, dir } = stage;
  const [chromium] = onPath('chromium');
  if (chromium === undefined) return skip(NO_CHROMIUM);

  const { entry, args, home } = command(dir, chromium);
  const agents = await beginAgents(stage, 'cleo', 'dora');
  const server = { args: [entry, ...args], options: ['--per-session'], env: homeIn(home) };
  const { pid } = await connectServer(stage, 'pages', server, agents[0]);
  await tryPages(stage, agents, { name: 'pages', pid, isOwn: isRunning }, () => {
    if (process.platform !== 'linux') return;
    const listening = [pid, ...descendantsOf(pid)].filter((one) => listeningSocketsOf(one).length > 0);
    check('neither the connector nor what it has started listens on a socket', listening.length === 0, listening);
  });
  check('and the connector goes on', isRunning(pid, 'connect'), pid);
}

/**
 * Two agents with a page each: both see their own, and what shows it ends with the session.
 *
 * @param {import('./servers.mjs').Stage} stage
 * @param {[Agent, Agent]} agents
 * @param {{ name: string, pid: number, isOwn: (pid: number) => boolean }} server `pid`: what starts the browser; `isOwn`: whether a
 *   process that lives is one of those that a session has to itself
 * @param {() => void} [whileOpen] done while both pages are shown
 */
async function tryPages({ haldir, check, defer }, [one, two], { name, pid, isOwn }, whileOpen) {
  const site = await startSite();
  defer(site.stop);
  const browsers = descendantsOf(pid).filter(isRenderer);
  check('has no browser before an agent needs one', browsers.length === 0, browsers);

  /** @type {Map<Agent, number[]>} */
  const processes = new Map();
  const left = (/** @type {Agent} */ agent) => (processes.get(agent) ?? []).filter((started) => isOwn(started));
  for (const agent of [one, two]) {
    const before = descendantsOf(pid);
    const url = `${site.url}/${agent.name}`;
    const went = await agent.call(`${name}.browser_navigate`, { url });
    const fresh = descendantsOf(pid).filter((started) => !before.includes(started) && isOwn(started));
    processes.set(agent, fresh);
    check(
      `${agent.name} goes to a page, which has ${fresh.length} processes of its own`,
      went.isError !== true && textOf(went).includes(url) && fresh.some(isRenderer),
      { went, fresh },
    );
  }
  const seesOwn = async (/** @type {Agent} */ agent, /** @type {string} */ when) => {
    const seen = (await agent.everywhere(() => agent.call(`${name}.browser_snapshot`))).map(textOf);
    const own = `Hello, ${agent.name}`;
    check(
      `${agent.name} sees its own page${when}, whichever process it asks`,
      seen.every((text) => text.includes(own) && text.split('Hello, ').length === 2),
      seen,
    );
  };
  await seesOwn(one, '');
  await seesOwn(two, '');
  await seesOwn(one, ' still');
  check('the browser shows both', site.shown().join() === `${one.name},${two.name}`, site.shown());
  whileOpen?.();

  await haldir.endSession(one.session);
  const endOfOne = performance.now();
  const refused = await one.everywhere(() => one.call(`${name}.browser_snapshot`).catch(String));
  check(
    `once its session is ended, no process lets ${one.name} look`,
    refused.every((answer) => typeof answer === 'string' || answer.isError === true) &&
      !JSON.stringify(refused).includes('Hello'),
    refused,
  );
  const isGone = (/** @type {Agent} */ agent) => left(agent).length === 0 && !site.shown().includes(agent.name);
  const gone = await within(GONE_MS, () => isGone(one), endOfOne);
  const found = { left: left(one), shown: site.shown() };
  check(`its page and the processes of it are gone (${gone ?? 'not'} ms)`, gone !== null, found);
  await seesOwn(two, ' after that');
  check('and in the processes that it had', left(two).some(isRenderer), processes.get(two));

  await haldir.endSession(two.session);
  const ended = await within(GONE_MS, () => isGone(two));
  check(`and its end is theirs (${ended ?? 'not'} ms)`, ended !== null, { left: left(two), shown: site.shown() });
}

/**
 * @param {import('./servers.mjs').Stage} stage
 * @param {string} one
 * @param {string} two
 * @returns {Promise<[Agent, Agent]>}
 */
async function beginAgents({ haldir, balancer, defer }, one, two) {
  const begin = async (/** @type {string} */ name) => {
    const agent = await Agent.begin(haldir, balancer, name);
    defer(() => agent.close());
    return agent;
  };
  return [await begin(one), await begin(two)];
}

/**
 * @param {string} dir that has its package
 * @param {string} chromium
 * @returns {{ entry: string, args: string[], home: string }} `home`: where it may write
 */
function command(dir, chromium) {
  const home = path.join(dir, 'browser');
  fs.mkdirSync(home, { recursive: true });
  const packageFile = createRequire(path.join(dir, 'package.json')).resolve('@playwright/mcp/package.json');
  const args = ['--headless', '--isolated', '--no-sandbox', '--executable-path', chromium, '--output-dir', home];
  return { entry: path.join(path.dirname(packageFile), 'cli.js'), args, home };
}

/** @param {string} home */
const homeIn = (home) => ({ HOME: home, TMPDIR: home });

/** Whether it shows pages. @param {number} pid */
const isRenderer = (pid) => isRunning(pid, '--type=renderer');

/**
 * @param {number} ms
 * @param {() => boolean} holds
 * @param {number} [started] a time of `performance.now()`
 * @returns {Promise<number | null>} after how many ms it held; null when it did not
 */
async function within(ms, holds, started = performance.now()) {
  while (!holds()) {
    if (performance.now() - started > ms) return null;
    await pause(50);
  }
  return Math.round(performance.now() - started);
}
