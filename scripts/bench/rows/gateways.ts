import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../embedded/ports.mjs';
import { installPackages } from '../../interop/packages.mjs';
import { type Program } from '../program.js';
import { type Request } from '../load.js';
import { type Gate, type Limit, type Sample } from '../measurement.js';
import { type Measured, median, ratio, type Row } from '../row.js';
import { inParallel, type Tenant, watchLogs } from '../tenant.js';

/** Clients that keep a session of theirs, as a gateway of that revision asks; Haldir's are of as many agents, each with a budget. */
const CLIENTS = 32;
const VERSION = '2025-06-18';

interface Gateway {
  name: string;
  /** @param dir where its package is installed */
  start: (dir: string, port: number, upstream: string) => Omit<Program, 'port'>;
}

/** Ungoverned ones of npm's registry that serve Streamable HTTP. */
const GATEWAYS: Gateway[] = [
  {
    name: '@civic/passthrough-mcp-server',
    start: (dir, port, upstream) => ({
      args: [path.join(dir, '@civic', 'passthrough-mcp-server', 'dist', 'cli.js')],
      env: { PORT: String(port), TARGET_SERVER_URL: upstream, TARGET_SERVER_TRANSPORT: 'httpStream' },
    }),
  },
  {
    // In front of the same server over its standard streams: it has no other.
    name: 'mcp-proxy',
    start: (dir, port) => ({
      args: [
        path.join(dir, 'mcp-proxy', 'dist', 'bin', 'mcp-proxy.mjs'),
        ...['--port', String(port), '--host', '127.0.0.1', '--server', 'stream', '--', process.execPath],
        ...['--import', import.meta.resolve('tsx'), fileURLToPath(new URL('../stdio-upstream.ts', import.meta.url))],
      ],
      env: {},
    }),
  },
];

/** Gone by at every call, and refusing none. */
const POLICIES = [
  { type: 'block_tool', tool: 'bench.other' },
  { type: 'rate_limit', max_per_minute: 100_000 },
];

/** `tools/call` through Haldir, governed, against the same call through gateways that govern nothing, and against the direct call. */
export const gateways: Row = {
  name: 'gateways',
  title: 'tools/call under policies, beside other gateways',
  target: null,
  prepare: async (world) => {
    const dir = path.join(world.instance.dir, 'gateways');
    await installPackages(path.join(world.instance.root, 'test', 'interop', 'gateways'), dir, world.signal);
    const upstream = await world.start(new URL('../upstream.ts', import.meta.url));
    const origin = `http://127.0.0.1:${upstream.facts.port}`;
    const others: Limit[] = [];
    for (const { name, start } of GATEWAYS) {
      const port = await freePort();
      const program = start(path.join(dir, 'node_modules'), port, `${origin}/mcp`);
      const helper = await world.start(new URL('../program.ts', import.meta.url));
      const { pid } = await helper.ask({ ...program, port });
      const url = `http://127.0.0.1:${port}`;
      others.push(world.http(name, url, pid, await clients(url)));
    }
    const tenant = await world.tenant();
    const { measure, acknowledged } = world.api(await governed(tenant, origin));
    const log = await watchLogs(tenant);
    return {
      measure,
      limits: [world.http('direct call', origin, upstream.pid, [call('echo', {})]), ...others],
      finish: async ({ samples, limits }) => ({
        gates: [await log(acknowledged()), ...limits.slice(1).flatMap((other) => ahead(samples, other))],
      }),
    };
  },
};

/** More calls a second, and a lower p99. */
function ahead(samples: Sample[], { name, samples: others }: Measured['limits'][number]): Gate[] {
  const part = ratio(samples, others);
  const [own, theirs] = [samples, others].map((each) => median(each.map(({ p99 = NaN }) => p99))) as [number, number];
  return [
    { claim: `more calls a second than ${name}`, holds: part > 1, detail: `${part.toFixed(2)} of it` },
    { claim: `a lower p99 than ${name}`, holds: own < theirs, detail: `${own.toFixed(1)} to ${theirs.toFixed(1)} ms` },
  ];
}

async function governed(tenant: Tenant, origin: string): Promise<Request[]> {
  const registered = await tenant.send('POST', '/v1/proxy/upstreams', { name: 'bench', url: `${origin}/mcp` });
  if (!registered.healthy) throw new Error(`the upstream is not healthy: ${registered.error}`);
  for (const policy of POLICIES) await tenant.send('POST', '/v1/proxy/policies', policy);
  const sessions = await tenant.sessions(CLIENTS, { spend_limit: 1000 });
  return sessions.map((id) => call('bench.echo', { ...tenant.headers, 'x-session-id': id }));
}

/** Calls of as many clients as have begun a session with the gateway. */
function clients(url: string): Promise<Request[]> {
  return inParallel(CLIENTS, async () => {
    const own = await begin(url);
    const answer = await (await send(url, call('echo', own))).text();
    if (!answer.includes('"text":"hello"')) throw new Error(`${url} does not pass the call on: ${answer}`);
    return call('echo', own);
  });
}

/** Headers of a session that was begun. */
async function begin(url: string): Promise<Record<string, string>> {
  const params = { protocolVersion: VERSION, capabilities: {}, clientInfo: { name: 'bench', version: '1.0.0' } };
  const response = await send(url, message({}, { id: 1, method: 'initialize', params }));
  await response.arrayBuffer();
  const session = response.headers.get('mcp-session-id');
  const own: Record<string, string> = session === null ? {} : { 'mcp-session-id': session };
  await (await send(url, message(own, { method: 'notifications/initialized' }))).arrayBuffer();
  return own;
}

const send = (url: string, { path: at, method, headers = {}, body = '' }: Request): Promise<Response> =>
  fetch(new URL(at, url), { method, headers, body });

const call = (name: string, headers: Record<string, string>): Request =>
  message(headers, { id: 2, method: 'tools/call', params: { name, arguments: { message: 'hello' } } });

function message(headers: Record<string, string>, content: object): Request {
  return {
    method: 'POST',
    path: '/mcp',
    headers: {
      ...headers,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': VERSION,
    },
    body: JSON.stringify({ jsonrpc: '2.0', ...content }),
  };
}
