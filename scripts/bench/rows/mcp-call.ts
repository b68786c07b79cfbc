import { median } from '../row.js';
import { inParallel, watchLogs } from '../tenant.js';
import { type Request } from '../load.js';
import { type Tenant } from '../tenant.js';
import { type Row } from '../row.js';
import { type World } from '../world.js';

/** Of as many agents, each with a budget. */
const CLIENTS = 200;
/** Calls a second of the fixed rate, and how often it is measured. */
const RATE = 200;
const RATE_ROUNDS = 3;

const STATELESS = '2026-07-28';

/** `tools/call` through `/mcp` against the same call to the upstream itself. */
export const mcpCall = row('mcp', 'tools/call through /mcp', STATELESS);
export const mcpCallOlder = row('mcp-older', 'the same, by clients of 2025-11-25', '2025-11-25');
export const mcpCallAgentKey = row('mcp-agent-key', 'the same, agent key, no session header', STATELESS, agentKeys);

/**
 * @param version that the clients speak
 * @param credentials headers of each client
 */
function row(
  name: string,
  title: string,
  version: string,
  credentials: (tenant: Tenant) => Promise<Record<string, string>[]> = sessions,
): Row {
  return {
    name,
    title,
    target: 0.1,
    prepare: async (world) => {
      const upstream = await world.start(new URL('../upstream.ts', import.meta.url));
      const origin = `http://127.0.0.1:${upstream.facts.port}`;
      const tenant = await world.tenant();
      const registered = await tenant.send('POST', '/v1/proxy/upstreams', { name: 'bench', url: `${origin}/mcp` });
      if (!registered.healthy) throw new Error(`the upstream is not healthy: ${registered.error}`);
      const governed = (await credentials(tenant)).map((headers) => call(version, 'bench.echo', headers));
      const direct = call('2025-11-25', 'echo', {});
      const { measure, acknowledged } = world.api(governed);
      const log = await watchLogs(tenant);
      return {
        measure,
        limits: [world.http('direct call', origin, upstream.pid, [direct])],
        finish: async () => ({
          gates: [await log(acknowledged())],
          notes: [await atFixedRate(world, origin, direct, governed)],
        }),
      };
    },
  };
}

async function sessions(tenant: Tenant) {
  const ids = await tenant.sessions(CLIENTS, { spend_limit: 1000 });
  return ids.map((id) => ({ ...tenant.headers, 'x-session-id': id }));
}

function agentKeys(tenant: Tenant) {
  return inParallel(CLIENTS, async (n) => {
    const agent = { agent_id: `agent-${n}`, scopes: ['read', 'execute'], ttl: 86_400, spend_limit: 1000 };
    const { key } = await tenant.send('POST', '/v1/keys', { name: agent.agent_id, tier: 'enterprise', agent });
    return { authorization: `Bearer ${key}` };
  });
}

function call(version: string, tool: string, headers: Record<string, string>): Request {
  const isStateless = version === STATELESS;
  const meta = {
    'io.modelcontextprotocol/protocolVersion': version,
    'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  return {
    method: 'POST',
    path: '/mcp',
    headers: {
      ...headers,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': version,
      ...(isStateless ? { 'mcp-method': 'tools/call', 'mcp-name': tool } : {}),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: tool, arguments: { message: 'hello' }, ...(isStateless ? { _meta: meta } : {}) },
    }),
  };
}

/** What a call takes longer through Haldir while there are so many a second. */
async function atFixedRate(world: World, origin: string, direct: Request, governed: Request[]) {
  const fixed = { connections: 16, seconds: 3, rate: RATE };
  const seen: Record<'direct' | 'through', { p50: number[]; p99: number[] }> = {
    direct: { p50: [], p99: [] },
    through: { p50: [], p99: [] },
  };
  for (let round = 0; round < RATE_ROUNDS; round++) {
    const [directly, through] = [
      await world.load({ ...fixed, url: origin, requests: [direct] }),
      await world.load({ ...fixed, requests: governed }),
    ];
    for (const [name, { p50, p99 }] of [
      ['direct', directly],
      ['through', through],
    ] as const) {
      seen[name].p50.push(p50);
      seen[name].p99.push(p99);
    }
  }
  const added = (part: 'p50' | 'p99') => median(seen.through[part]) - median(seen.direct[part]);
  return `at ${RATE} calls a second it adds ${added('p50').toFixed(2)} ms (p50) and ${added('p99').toFixed(2)} ms (p99)`;
}
