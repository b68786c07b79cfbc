// @ts-check
import { fileURLToPath } from 'node:url';
import { startEverything } from '../lib/everything.mjs';
import { say, seconds, step, worthShowing } from '../launcher/console.mjs';
import { launch, nextFreePort } from '../launcher/launch.mjs';
import { buildConsole } from '../lib/console.mjs';
import { compileAndWatch } from './compile.mjs';
import { readKept, seed } from './seed.mjs';

const DIST = 'dist.dev';
const WAITER = fileURLToPath(new URL('./waiter.mjs', import.meta.url));
/** How long an app that is started again may take to end: what it leaves is taken up, as after a crash. */
const GRACE_MS = 700;
const READY_TIMEOUT_MS = 60_000;

/**
 * Starts everything, fills it, and starts API and worker again on every change.
 *
 * @param {string} root the repository
 * @param {import('../launcher/supervise.mjs').Life} life
 */
export async function develop(root, { signal, defer }) {
  const started = performance.now();
  const port = process.env.PORT || String(await nextFreePort(3000, '127.0.0.1'));
  const debug = { api: await nextFreePort(9229, '127.0.0.1'), worker: 0 };
  debug.worker = await nextFreePort(debug.api + 1, '127.0.0.1');

  /** @type {import('../launcher/launch.mjs').Launched | null} */
  let haldir = null;
  /** @type {Set<string>} */
  const pending = new Set();
  let restarting = false;
  // One restart at a time; what is saved meanwhile has another follow.
  const restart = async () => {
    if (restarting || haldir === null) return;
    restarting = true;
    while (pending.size > 0 && !signal.aborted) {
      const files = [...pending];
      pending.clear();
      await again(haldir, files, signal).catch((error) => {
        if (!signal.aborted) say(`  ${error.message}; save to try again`);
      });
    }
    restarting = false;
  };

  haldir = await launch({
    root,
    signal,
    defer,
    dist: DIST,
    show: withStack,
    env: { ...process.env, HALDIR_HOME: process.env.HALDIR_HOME || '.haldir/dev', PORT: port },
    waiters: { api: [WAITER, String(debug.api)], worker: [WAITER, String(debug.worker)] },
    build: () =>
      step('compiling', async () => {
        const onChange = (/** @type {string[]} */ files) => {
          for (const file of files) pending.add(file);
          void restart();
        };
        await compileAndWatch({ root, dist: DIST, onFail: (text) => say(`  ${text}`), onChange });
        await buildConsole(root, DIST, () => onChange(['apps/console']));
      }),
  });
  const { url, home, bootstrapToken } = haldir;
  const seeded = await step('starting an MCP server and making a tenant', async () => {
    const upstream = await startEverything(readKept(home)?.port);
    defer(upstream.stop);
    const address = { url: upstream.url, port: Number(new URL(upstream.url).port) };
    return seed({ home, url, bootstrapToken, upstream: address, signal });
  });
  say(
    [
      '',
      `Ready (${seconds(started)}). Saving a file of apps/ or libs/ starts API and worker again.`,
      '',
      `  Console    ${url}, in a browser`,
      `  API        ${url}`,
      `  Swagger    ${url}/docs`,
      `  Key        ${seeded.key}`,
      `  Agent key  ${seeded.agentKey}`,
      `  Session    ${seeded.sessionId}`,
      `  Approval   ${url}/approvals/${seeded.requestId}`,
      `  Debugger   127.0.0.1:${debug.api} (API), 127.0.0.1:${debug.worker} (worker); .vscode/launch.json attaches to 9229 and 9230`,
      `  Logs       ${home.logs}`,
      '',
      `  curl -s ${url}/v1/audit -H 'authorization: Bearer ${seeded.key}'`,
      '',
      `Ctrl-C stops everything, and so does: kill ${process.pid}`,
    ].join('\n'),
  );
  void restart(); // of what was saved while it started
}

/**
 * @param {import('../launcher/launch.mjs').Launched} haldir
 * @param {string[]} files that were compiled
 * @param {AbortSignal} signal
 */
async function again({ services, migrate }, files, signal) {
  const began = performance.now();
  const [first = ''] = files;
  say(`  ${files.length === 1 ? first : `${first} and ${files.length - 1} more`} changed: starting again`);
  if (files.some((file) => file.includes('migrations'))) await migrate();
  await Promise.all(services.map((service) => service.restart(GRACE_MS)));
  await Promise.all(services.map((service) => service.ready(READY_TIMEOUT_MS, signal)));
  say(`  ready again (${seconds(began)})`);
}

/**
 * Of an error, where it happened, too.
 *
 * @param {string} line
 */
function withStack(line) {
  if (/^(Debugger (listening|attached|ending)|For help, see|Waiting for the debugger)/.test(line)) return null;
  const text = worthShowing(line);
  if (text === null) return null;
  try {
    const { frames } = JSON.parse(line).err;
    return [text, ...frames].join('\n');
  } catch {
    return text;
  }
}
