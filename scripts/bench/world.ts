// What rows are made with: a Haldir, a load generator, and what lies beneath.
import fs from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { clusterCpuMicros, cpuMicros, startHelper } from './children.js';
import { startInstance } from './instance.js';
import { sample } from './sample.js';
import { newTenant } from './tenant.js';
import { type Limit, type Sample } from './measurement.js';
import { type Load, type Outcome, type Request } from './load.js';
import { type Options } from './options.js';
import { type Instance } from './instance.js';
import { type Helper } from './children.js';
import { type StatementKind } from './statements.js';
import { type Tenant } from './tenant.js';

export interface ApiLoad {
  measure: () => Promise<Sample>;
  /** Answers of 2xx so far */
  acknowledged: () => number;
}

export interface World {
  options: Options;
  signal: AbortSignal;
  instance: Instance;
  /** How long a measurement takes */
  seconds: number;
  /** Does `work` with measurements of another length */
  during: <T>(seconds: number, work: () => Promise<T>) => Promise<T>;
  /** A script as a process of its own */
  start: (script: URL) => Promise<Helper>;
  /**   at the API, with as many connections and seconds as all rows, where it does not say otherwise */
  load: (load: Partial<Load> & { requests: Request[] }) => Promise<Outcome>;
  /** These requests to the API, over and over */
  api: (requests: Request[]) => ApiLoad;
  /** A limit that is a server of its own */
  http: (name: string, url: string, pid: number, requests: Request[]) => Limit;
  limits: { route: Limit; select: Limit; commit: Limit };
  /** What a statement of its kind takes a program that does nothing else */
  statement: (name: string, kind: StatementKind) => Limit;
  /** A new one */
  tenant: () => Promise<Tenant>;
  /** Waits until what the last load left to do in the background is done, or five seconds */
  settle: () => Promise<void>;
}

/** Each of the statements underneath has so many callers, over ten connections. */
const CALLERS = 32;
const SETTLE_MS = 5000;
const SETTLE_STEP_MS = 200;
/** A worker that used less of a step's time than this has nothing to do. */
const QUIET_SHARE = 0.1;

export async function openWorld({
  root,
  options,
  signal,
  defer,
}: {
  root: string;
  options: Options;
  signal: AbortSignal;
  defer: (undo: () => Promise<void> | void) => void;
}): Promise<World> {
  const instance = await startInstance(root, options, defer);
  const start = async (script: URL) => {
    const helper = await startHelper(script, instance.dir);
    defer(helper.stop);
    return helper;
  };
  const [generator, route, statements] = await Promise.all([
    start(new URL('./load.ts', import.meta.url)),
    start(new URL('./bare-nest.ts', import.meta.url)),
    start(new URL('./statements.ts', import.meta.url)),
  ]);
  await statements.ask({ open: instance.bareUrl });

  let { seconds } = options;
  const load: World['load'] = ({ url = instance.url, connections = options.connections, amount, requests, ...rest }) =>
    generator.ask({ url, connections, requests, ...(amount === undefined ? { seconds } : { amount }), ...rest });

  const http: World['http'] = (name, url, pid, requests) => ({
    name,
    measure: () => sample({ server: () => cpuMicros(pid) }, () => load({ url, requests })),
  });
  const statement: World['statement'] = (name, kind) => ({
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
        return await work();
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
    statement,
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
