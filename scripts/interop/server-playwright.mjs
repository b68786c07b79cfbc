// @ts-check
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { freePort } from '../embedded/ports.mjs';
import { descendantsOf, isRunning, onPath, pause } from '../embedded/processes.mjs';
import { step } from '../launcher/console.mjs';
import { startMcpServer } from '../lib/mcp-server.mjs';
import { Agent, textOf } from './agent.mjs';
import { putBehind } from './listing.mjs';
import { startSite } from './site.mjs';

/** How long after the end of a session what it had in the browser may last. */
const GONE_MS = 10_000;

/**
 * Two agents with a page each. With `--isolated` the server runs one Chromium, in which every session has a context of its own with
 * processes of its own, and ends it with the last of them.
 *
 * @param {import('./servers.mjs').Stage} stage
 */
export async function tryPlaywright(stage) {
  const { haldir, balancer, check, skip, defer } = stage;
  const [chromium] = onPath('chromium');
  if (chromium === undefined) return skip('there is no chromium on the PATH (apt-get install chromium)');

  const site = await startSite();
  defer(site.stop);
  const server = await step('starting it', () => start(stage.dir, chromium));
  defer(server.stop);
  const one = await Agent.begin(haldir, balancer, 'ada');
  defer(() => one.close());
  const two = await Agent.begin(haldir, balancer, 'bob');
  defer(() => two.close());
  await putBehind(stage, 'browser', server.url, one);
  check('has no browser before an agent needs one', descendantsOf(server.pid).length === 0, descendantsOf(server.pid));

  /** @type {Map<Agent, number[]>} */
  const processes = new Map();
  for (const agent of [one, two]) {
    const before = descendantsOf(server.pid);
    const url = `${site.url}/${agent.name}`;
    const went = await agent.call('browser.browser_navigate', { url });
    const fresh = descendantsOf(server.pid).filter((pid) => !before.includes(pid) && isRenderer(pid));
    processes.set(agent, fresh);
    check(
      `${agent.name} goes to a page, which has processes of its own`,
      went.isError !== true && textOf(went).includes(url) && fresh.length > 0,
      { went, fresh },
    );
  }
  const seesOwn = async (/** @type {Agent} */ agent, /** @type {string} */ when) => {
    const seen = (await agent.everywhere(() => agent.call('browser.browser_snapshot'))).map(textOf);
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
  check('the browser shows both', site.shown().join() === 'ada,bob', site.shown());

  const left = () => (processes.get(one) ?? []).filter((pid) => isRenderer(pid));
  await haldir.endSession(one.session);
  const endOfOne = performance.now();
  const refused = await one.everywhere(() => one.call('browser.browser_snapshot').catch(String));
  check(
    'once its session is ended, no process lets ada look',
    refused.every((answer) => typeof answer === 'string' || answer.isError === true) &&
      !JSON.stringify(refused).includes('Hello'),
    refused,
  );
  const gone = await within(GONE_MS, endOfOne, () => left().length === 0 && site.shown().join() === 'bob');
  check(`its page and the processes of it are gone (${gone ?? 'not'} ms)`, gone !== null, {
    left: left(),
    shown: site.shown(),
  });
  await seesOwn(two, ' after that');
  const kept = (processes.get(two) ?? []).filter((pid) => isRenderer(pid));
  check('and in the processes that it had', kept.length > 0, processes.get(two));

  await haldir.endSession(two.session);
  const ended = await within(GONE_MS, performance.now(), () => descendantsOf(server.pid).length === 0);
  check(
    `with the last session the browser is gone (${ended ?? 'not'} ms)`,
    ended !== null && site.shown().length === 0,
    {
      left: descendantsOf(server.pid),
      shown: site.shown(),
    },
  );
}

/**
 * @param {string} dir that has its package
 * @param {string} chromium
 */
async function start(dir, chromium) {
  const port = await freePort();
  const home = path.join(dir, 'browser');
  fs.mkdirSync(home, { recursive: true });
  const packageFile = createRequire(path.join(dir, 'package.json')).resolve('@playwright/mcp/package.json');
  const entry = path.join(path.dirname(packageFile), 'cli.js');
  const args = ['--port', String(port), '--host', '127.0.0.1', '--allowed-hosts', `127.0.0.1:${port}`];
  args.push('--headless', '--isolated', '--no-sandbox', '--executable-path', chromium, '--output-dir', home);
  return startMcpServer({ entry, args, port, cwd: home, env: { PATH: process.env.PATH, HOME: home, TMPDIR: home } });
}

/** Whether it shows pages. @param {number} pid */
const isRenderer = (pid) => isRunning(pid, '--type=renderer');

/**
 * @param {number} ms
 * @param {number} started a time of `performance.now()`
 * @param {() => boolean} holds
 * @returns {Promise<number | null>} after how many ms it held; null when it did not
 */
async function within(ms, started, holds) {
  while (!holds()) {
    if (performance.now() - started > ms) return null;
    await pause(50);
  }
  return Math.round(performance.now() - started);
}
