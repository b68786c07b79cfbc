// @ts-check
// What rows are made with: a Haldir, a load generator, and what lies beneath.
import fs from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { clusterCpuMicros, cpuMicros, startHelper } from './children.mjs';
import { startInstance } from './instance.mjs';
import { sample } from './sample.mjs';
import { newTenant } from './tenant.mjs';

/** @typedef {import('./row.mjs').Limit} Limit */
/** @typedef {import('./row.mjs').Sample} Sample */
/** @typedef {import('./load.mjs').Request} Request */

/**
 * @typedef {object} ApiLoad
 * @property {() => Promise<Sample>} measure
 * @property {() => number} acknowledged answers of 2xx so far
 */

/**
 * @typedef {object} World
 * @property {import('./options.mjs').Options} options
 * @property {AbortSignal} signal
 * @property {import('./instance.mjs').Instance} instance
 * @property {number} seconds how long a measurement takes
 * @property {(seconds: number, work: () => Promise<void>) => Promise<void>} during does `work` with measurements of another length
 * @property {(script: URL) => Promise<import('./children.mjs').Helper>} start a script as a process of its own
 * @property {(load: Partial<import('./load.mjs').Load> & { requests: Request[] }) => Promise<import('./load.mjs').Outcome>} load
 *   at the API, with as many connections and seconds as all rows, where it does not say otherwise
 * @property {(requests: Request[]) => ApiLoad} api these requests to the API, over and over
 * @property {(name: string, url: string, pid: number, requests: Request[]) => Limit} http a limit that is a server of its own
 * @property {{ route: Limit, select: Limit, commit: Limit }} limits
 * @property {() => Promise<import('./tenant.mjs').Tenant>} tenant a new one
 * @property {() => Promise<void>} settle waits until what the last load left to do in the background is done, or five seconds
 */

/** Each of the statements underneath has so many callers, over ten connections. */
const CALLERS = 32;
const SETTLE_MS = 5000;
const SETTLE_STEP_MS = 200;
/** A worker that used less of a step's time than this has nothing to do. */
const QUIET_SHARE = 0.1;

/**
 * @param {{ root: string, options: import('./options.mjs').Options, signal: AbortSignal, defer: (undo: () => Promise<void> | void) => void }} setting
 * @returns {Promise<World>}
 */
export async function openWorld({ root, options, signal, defer }) {
  const instance = await startInstance(root, options, defer);
  const start = async (/** @type {URL} */ script) => {
    const helper = await startHelper(script, instance.dir);
    defer(helper.stop);
    return helper;
  };
  const [generator, route, statements] = await Promise.all([
    start(new URL('./load.mjs', import.meta.url)),
    start(new URL('./bare-nest.mjs', import.meta.url)),
    start(new URL('./statements.mjs', import.meta.url)),
  ]);
  await statements.ask({ open: instance.bareUrl });

  let { seconds } = options;
  /** @type {World['load']} */
  const load = ({ url = instance.url, connections = options.connections, amount, requests, ...rest }) =>
    generator.ask({ url, connections, requests, ...(amount === undefined ? { seconds } : { amount }), ...rest });

  /** @type {World['http']} */
  const http = (name, url, pid, requests) => ({
    name,
    measure: () => sample({ server: () => cpuMicros(pid) }, () => load({ url, requests })),
  });
  /** @param {string} name @param {'select' | 'commit'} kind @returns {Limit} */
  const statement = (name, kind) => ({
    name,
    measure: () =>
      sample({ server: () => clusterCpuMicros(instance.cluster), client: () => cpuMicros(statements.pid) }, () =>
        statements.ask({ kind, seconds, callers: CALLERS }),
      ),
  });

  return {
    options,
    signal,
    instance,
    get seconds() {
      return seconds;
    },
    during: async (other, work) => {
      seconds = Math.min(other, options.seconds);
      try {
        await work();
      } finally {
        ({ seconds } = options);
      }
    },
    start,
    load,
    http,
    api: (requests) => {
      const costs = { api: () => cpuMicros(instance.apiPid), postgres: () => clusterCpuMicros(instance.cluster) };
      let acknowledged = 0;
      return {
        measure: async () => {
          fs.truncateSync(instance.apiLog); // or it would fill the disk: a line a request
          const measured = await sample(costs, () => load({ requests }));
          acknowledged += measured.count;
          return measured;
        },
        acknowledged: () => acknowledged,
      };
    },
    limits: {
      route: http('bare route', `http://127.0.0.1:${route.facts.port}`, route.pid, [{ method: 'GET', path: '/hello' }]),
      select: statement('select', 'select'),
      commit: statement('commit', 'commit'),
    },
    tenant: () => newTenant(instance),
    settle: async () => {
      const worker = instance.worker.pid();
      for (let waited = 0; waited < SETTLE_MS; waited += SETTLE_STEP_MS) {
        const before = cpuMicros(worker);
        await pause(SETTLE_STEP_MS);
        const after = cpuMicros(worker);
        if (before === null || after === null || after - before < QUIET_SHARE * SETTLE_STEP_MS * 1000) return;
      }
    },
  };
}
