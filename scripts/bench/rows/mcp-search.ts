import { type Row } from '../row.js';
import { type Request } from '../load.js';

const UPSTREAMS = 10;
const TOOLS_EACH = 500;
/** Searches a second of the fixed rate. */
const RATE = 20;
/** In turn: what some tools have, what all have, and what none has. */
const QUERIES = ['create an issue', 'merge the pull request of a customer', 'export sheets', 'xylophone'];

/** `searchTools` of a session that may call all of them, by words of their names and descriptions. */
export const mcpSearch: Row = {
  name: 'mcp-search',
  title: `searchTools over ${UPSTREAMS * TOOLS_EACH} tools`,
  target: null,
  prepare: async (world) => {
    const upstream = await world.start(new URL('../upstream.ts', import.meta.url));
    const tenant = await world.tenant();
    for (let n = 0; n < UPSTREAMS; n++) {
      const url = `http://127.0.0.1:${upstream.facts.port}/mcp?tools=${TOOLS_EACH}&described=true`;
      const { tools_discovered: tools } = await tenant.send('POST', '/v1/proxy/upstreams', { name: `bench-${n}`, url });
      if (tools !== TOOLS_EACH) throw new Error(`an upstream has ${tools} tools`);
    }
    const sessions = await tenant.sessions(50, { catalogue: 'search' });
    const searches: Request[] = sessions.map((id, n) => ({
      method: 'POST',
      path: '/mcp',
      headers: {
        ...tenant.headers,
        'x-session-id': id,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2025-11-25',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'searchTools', arguments: { query: QUERIES[n % QUERIES.length] } },
      }),
    }));
    // The first one reads the definitions, which takes longer than the warm-up.
    const [{ headers, body, method } = {} as Request] = searches;
    await (await fetch(`${world.instance.url}/mcp`, { method, headers, body })).text();
    const { measure } = world.api(searches);
    return {
      measure,
      limits: [world.limits.route],
      finish: async () => {
        const { p50, p99 } = await world.load({ connections: 16, seconds: 5, rate: RATE, requests: searches });
        return {
          gates: [],
          notes: [`at ${RATE} searches a second: ${p50.toFixed(1)} ms (p50), ${p99.toFixed(1)} ms (p99)`],
        };
      },
    };
  },
};
