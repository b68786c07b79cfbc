import {
  type AppProcess,
  type Balancer,
  type Client,
  eventually,
  Scenario,
  startBalancer,
  startConnector,
  startStatefulUpstream,
  startWorker,
  startWorld,
  type StatefulUpstream,
  type TestConnector,
  type World,
} from '@haldir/test-support';

let world: World;
let worker: AppProcess;
let balancer: Balancer;
beforeAll(async () => {
  world = await startWorld({ processes: 2 });
  [worker, balancer] = await Promise.all([startWorker(world.environment), startBalancer(world.apis)]);
});
afterAll(async () => {
  await Promise.all([balancer.stop(), worker.stop()]);
  await world.stop();
});

let scenario: Scenario<StatefulUpstream>;
let connectors: TestConnector[];
beforeEach(async () => {
  scenario = await Scenario.around(world, await startStatefulUpstream());
  connectors = [];
});
afterEach(async () => {
  await Promise.all(connectors.map((connector) => connector.stop()));
  await scenario.end();
});

async function connectorKey(upstream = 'fs', secrets: string[] = []): Promise<string> {
  const { status, body } = await scenario.tenant.post<{ key: string }>('/v1/keys', {
    connector: { upstream, secrets },
  });
  expect([status, body]).toMatchObject([201, { connector: { upstream, secrets }, scopes: [] }]);
  return body.key;
}

/** A connector before the server, over the processes in turn. */
async function connect(options: Partial<Parameters<typeof startConnector>[0]> = {}): Promise<TestConnector> {
  const key = options.key ?? (await connectorKey());
  const connector = await startConnector({ url: balancer.url, key, name: 'fs', server: scenario.up.url, ...options });
  connectors.push(connector);
  return connector;
}

const shown = async (client: Client = scenario.tenant): Promise<Record<string, unknown> | undefined> => {
  const { body } = await client.get<{ upstreams: Record<string, Record<string, unknown>> }>('/v1/proxy/upstreams');
  return body.upstreams['fs'];
};

const listed = (): Promise<void> =>
  eventually(async () => {
    const { healthy, tools, error } = (await shown()) ?? {};
    expect([healthy, tools, error]).toEqual([true, 2, undefined]);
  }, 60_000);

/** Over the processes in turn. */
let turn = 0;
async function call(session: string, tool: string, args: object = {}): Promise<string[]> {
  const { status, body } = await scenario.call(`fs.${tool}`, args, { by: scenario.at(turn++), session });
  expect([status, body]).toEqual([200, expect.objectContaining({ content: expect.any(Array) as unknown[] })]);
  return body.content.map(({ text }) => text);
}
const begin = (agent: string): Promise<string> =>
  scenario.tenant.session({ agent_id: agent, scopes: ['read', 'execute'], ttl: 3_600 });

describe('an upstream that a connector stands for', () => {
  it('is registered by the first lease, with its tools, and called like any other, whichever process is asked', async () => {
    await connect();
    await listed();
    expect(await shown()).toMatchObject({ url: 'connector:fs', connector: { instances: 1 }, sessions: 'own' });
    const [one, two] = [await begin('one'), await begin('two')];
    await call(one, 'goto', { page: 'of one' });
    await call(two, 'goto', { page: 'of two' });
    for (let i = 0; i < 4; i++) {
      expect(await call(one, 'page')).toEqual(['of one']);
      expect(await call(two, 'page')).toEqual(['of two']);
      expect(await call(two, 'page')).toEqual(['of two']);
    }
    const { body } = await scenario.tenant.get<{ entries: { action: string; actor: string }[] }>(
      '/v1/audit?action=upstream_registered',
    );
    expect(body.entries).toEqual([expect.objectContaining({ tool: 'haldir.proxy' })]);
  });
});
