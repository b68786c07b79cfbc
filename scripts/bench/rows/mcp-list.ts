import { type Row } from '../row.js';
import { type Request } from '../load.js';

const UPSTREAMS = 20;
const TOOLS_EACH = 25;
/** Lists a second of the fixed rate. */
const RATE = 100;

/** `tools/list` of a session, from the catalogue: no upstream is asked. */
export const mcpList: Row = {
  name: 'mcp-list',
  title: `tools/list of ${UPSTREAMS * TOOLS_EACH} tools`,
  target: null,
  prepare: async (world) => {
    const upstream = await world.start(new URL('../upstream.ts', import.meta.url));
    const tenant = await world.tenant();
    for (let n = 0; n < UPSTREAMS; n++) {
      const url = `http://127.0.0.1:${upstream.facts.port}/mcp?tools=${TOOLS_EACH}`;
      const { tools_discovered: tools } = await tenant.send('POST', '/v1/proxy/upstreams', { name: `bench-${n}`, url });
      if (tools !== TOOLS_EACH) throw new Error(`an upstream has ${tools} tools`);
    }
    const sessions = await tenant.sessions(50);
    const lists: Request[] = sessions.map((id) => ({
      method: 'POST',
      path: '/mcp',
      headers: {
        ...tenant.headers,
        'x-session-id': id,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2025-11-25',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    }));
    const { measure } = world.api(lists);
    return {
      measure,
      limits: [world.limits.route],
      finish: async () => {
        const { p50, p99 } = await world.load({ connections: 16, seconds: 5, rate: RATE, requests: lists });
        return {
          gates: [],
          notes: [`at ${RATE} lists a second: ${p50.toFixed(1)} ms (p50), ${p99.toFixed(1)} ms (p99)`],
        };
      },
    };
  },
};
