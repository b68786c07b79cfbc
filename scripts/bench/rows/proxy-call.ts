import { median } from '../row.js';
import { watchLogs } from '../tenant.js';
import { type Row } from '../row.js';
import { type Request } from '../load.js';
import { type World } from '../world.js';

/** Of as many agents. */
const SESSIONS = 200;
/** Measurements of the added latency, each of them and of the direct call. */
const LATENCY_ROUNDS = 5;

export const proxyCall: Row = {
  name: 'proxy',
  title: 'proxied tool call',
  target: 0.1,
  prepare: async (world) => {
    const upstream = await world.start(new URL('../upstream.ts', import.meta.url));
    const origin = `http://127.0.0.1:${upstream.facts.port}`;
    const tenant = await world.tenant();
    const registered = await tenant.send('POST', '/v1/proxy/upstreams', { name: 'bench', url: `${origin}/mcp` });
    if (!registered.healthy) throw new Error(`the upstream is not healthy: ${registered.error}`);
    const sessions = await tenant.sessions(SESSIONS);
    const proxied = sessions.map((id) =>
      tenant.post('/v1/proxy/call', { session_id: id, tool: 'bench.echo', arguments: { message: 'hello' } }),
    );
    const { measure, acknowledged } = world.api(proxied);
    const log = await watchLogs(tenant);
    return {
      measure,
      limits: [world.http('direct call', origin, upstream.pid, [direct])],
      finish: async () => ({
        gates: [await log(acknowledged())],
        notes: [await addedLatency(world, origin, proxied)],
      }),
    };
  },
};

const direct: Request = {
  method: 'POST',
  path: '/mcp',
  headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
  body: JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'echo', arguments: { message: 'hello' } },
  }),
};

/** What a call takes longer through Haldir, one at a time. */
async function addedLatency(world: World, origin: string, proxied: Request[]) {
  const directly = [];
  const through = [];
  for (let round = 0; round < LATENCY_ROUNDS; round++) {
    directly.push((await world.load({ url: origin, connections: 1, seconds: 1, requests: [direct] })).p50);
    through.push((await world.load({ connections: 1, seconds: 1, requests: proxied })).p50);
  }
  const [without, withHaldir] = [median(directly), median(through)];
  return `one call at a time: ${withHaldir.toFixed(2)} ms through Haldir, ${without.toFixed(2)} ms directly (p50), so it adds ${(withHaldir - without).toFixed(2)} ms`;
}
