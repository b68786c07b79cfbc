import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { type Request } from '../load.js';
import { median, type Row } from '../row.js';
import { type Tenant, watchLogs } from '../tenant.js';
import { type World } from '../world.js';

const CLIENTS = 200;
/** Calls a second of the fixed rate, and how often it is measured. */
const RATE = 50;
const RATE_ROUNDS = 3;
const START_MS = 30_000;
const STEP_MS = 100;

/** `tools/call` of a server behind `haldir connect` against the same of one that is reached over HTTP, both governed. */
export const connect: Row = {
  name: 'connect',
  title: 'tools/call through haldir connect',
  target: null,
  prepare: async (world) => {
    const upstream = await world.start(new URL('../upstream.ts', import.meta.url));
    const tenant = await world.tenant();
    await tenant.send('POST', '/v1/proxy/upstreams', {
      name: 'http',
      url: `http://127.0.0.1:${upstream.facts.port}/mcp`,
    });
    const { key } = await tenant.send('POST', '/v1/keys', { tier: 'enterprise', connector: { upstream: 'connected' } });
    const connector = await world.start(new URL('../program.ts', import.meta.url));
    const server = fileURLToPath(new URL('../stdio-upstream.ts', import.meta.url));
    await connector.ask({
      args: [
        ...[path.join(world.instance.root, 'dist', 'apps', 'cli', 'src', 'main.js'), 'connect', 'connected', '--'],
        ...[process.execPath, '--import', import.meta.resolve('tsx'), server],
      ],
      env: { HALDIR_URL: world.instance.url, HALDIR_API_KEY: key },
    });
    await isHealthy(tenant, 'connected');
    const sessions = await tenant.sessions(CLIENTS, { spend_limit: 1000 });
    const [connected, http] = ['connected', 'http'].map((name) =>
      sessions.map((id) =>
        tenant.post('/v1/proxy/call', { session_id: id, tool: `${name}.echo`, arguments: { message: 'hello' } }),
      ),
    ) as [Request[], Request[]];
    const [through, beside] = [world.api(connected), world.api(http)];
    const log = await watchLogs(tenant);
    return {
      measure: through.measure,
      limits: [{ name: 'the same over HTTP', measure: beside.measure }],
      finish: async ({ samples }) => ({
        gates: [
          await log(through.acknowledged() + beside.acknowledged()),
          { claim: 'at least 500 a second', holds: median(samples.map(({ rate }) => rate)) >= 500 },
        ],
        notes: [await atFixedRate(world, http, connected)],
      }),
    };
  },
};

async function isHealthy(tenant: Tenant, name: string): Promise<void> {
  for (let waited = 0; waited < START_MS; waited += STEP_MS) {
    const { upstreams } = await tenant.send('GET', '/v1/proxy/upstreams');
    if (upstreams[name]?.healthy) return;
    await pause(STEP_MS);
  }
  throw new Error(`${name} is not connected`);
}

/** What a call takes longer through a connector while there are so many a second. */
async function atFixedRate(world: World, http: Request[], connected: Request[]) {
  const fixed = { connections: 16, seconds: 3, rate: RATE };
  const seen: [number[], number[]] = [[], []];
  for (let round = 0; round < RATE_ROUNDS; round++)
    for (const [way, requests] of [http, connected].entries())
      seen[way]?.push((await world.load({ ...fixed, requests })).p50);
  const added = median(seen[1]) - median(seen[0]);
  return `at ${RATE} calls a second it adds ${added.toFixed(2)} ms (p50) to a call over HTTP`;
}
