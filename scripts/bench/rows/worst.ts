import { sample } from '../sample.js';
import { cpuMicros } from '../children.js';
import { type World } from '../world.js';
import { type Row } from '../row.js';
import { type Tenant } from '../tenant.js';

/** Questions a second whether the process lives, while the worst requests come one after the other. */
const RATE = 100;
/** What 99 of 100 of them may wait at most. */
const MAX_WAIT_MS = 50;

export interface Worst {
  name: string;
  title: string;
  /** Answers the request to make over and over */
  prepare: (world: World) => Promise<() => Promise<Response>>;
}

/** The slowest request that was found for each computation whose size a request or an upstream decides */
const WORST: Worst[] = [
  {
    name: 'worst-arguments',
    title: '`/livez` beside calls with a MiB of numbers that are to stay as written',
    prepare: async (world) => {
      const { tenant, session } = await party(world, '');
      const body = `{"session_id":"${session}","tool":"bench.echo","arguments":{"n":[${'1.000000000000000000,'.repeat(49_000)}1.0]}}`;
      return request(world, tenant, '/v1/proxy/call', body);
    },
  },
  {
    name: 'worst-masking',
    title: '`/livez` beside answers of 4 MB that nearly hold long secrets at every place',
    prepare: async (world) => {
      const { tenant, session } = await party(world, '?fill=4000000');
      const references = [];
      for (let n = 0; n < 16; n++) {
        const value = `${'a'.repeat(4000)}${n}`;
        const bindings = [{ upstream: 'bench', tool: 'echo' }];
        await tenant.send('POST', '/v1/secrets', { name: `long-${n}`, value, scope_required: 'execute', bindings });
        references.push(`{{vault:long-${n}}}`);
      }
      const body = JSON.stringify({ session_id: session, tool: 'bench.echo', arguments: { references } });
      return request(world, tenant, '/v1/proxy/call', body);
    },
  },
  {
    name: 'worst-catalogue',
    title: '`/livez` beside upstreams with as many definitions as an answer holds',
    prepare: async (world) => {
      const { tenant, url } = await party(world, '?tools=7000');
      const body = JSON.stringify({ name: 'large', url });
      return request(world, tenant, '/v1/proxy/upstreams', body);
    },
  },
];

export const worst: Row[] = WORST.map(({ name, title, prepare }) => ({
  name,
  title,
  target: null,
  prepare: async (world) => {
    const ask = await prepare(world);
    let [made, longest] = [0, 0];
    const statuses: Map<number, number> = new Map();
    const waits: number[] = [];
    return {
      limits: [],
      measure: async () => {
        let isOver = false;
        const beside = (async () => {
          while (!isOver) {
            const from = performance.now();
            const { status } = await ask();
            longest = Math.max(longest, performance.now() - from);
            statuses.set(status, (statuses.get(status) ?? 0) + 1);
            made++;
          }
        })();
        try {
          const live = { method: 'GET' as const, path: '/livez' };
          const measured = await sample({ api: () => cpuMicros(world.instance.apiPid) }, () =>
            world.load({ requests: [live], connections: 16, seconds: world.seconds, rate: RATE }),
          );
          waits.push(measured.p99 ?? NaN);
          return measured;
        } finally {
          isOver = true;
          await beside;
        }
      },
      finish: async () => {
        const wait = Math.max(...waits.slice(1));
        const answered = [...statuses].map(([status, count]) => `${count} of status ${status}`).join(', ');
        return {
          gates: [
            {
              claim: `99 of 100 wait less than ${MAX_WAIT_MS} ms`,
              holds: wait < MAX_WAIT_MS,
              detail: `${wait.toFixed(1)} ms in the slowest round`,
            },
          ],
          notes: [`${made} requests beside it, ${answered}, the longest ${longest.toFixed(0)} ms`],
        };
      },
    };
  },
}));

/**
 * A tenant with a session and an upstream.
 *
 * @param query that says what the upstream does
 */
async function party(world: World, query: string) {
  const upstream = await world.start(new URL('../upstream.ts', import.meta.url));
  const tenant = await world.tenant();
  const url = `http://127.0.0.1:${upstream.facts.port}/mcp${query}`;
  if (!query.startsWith('?tools')) await tenant.send('POST', '/v1/proxy/upstreams', { name: 'bench', url });
  const [session] = await tenant.sessions(1);
  return { tenant, session, url };
}

function request(world: World, tenant: Tenant, path: string, body: string) {
  const headers = { ...tenant.headers, 'content-type': 'application/json' };
  return async () => {
    const response = await fetch(world.instance.url + path, { method: 'POST', headers, body });
    await response.arrayBuffer();
    return response;
  };
}
