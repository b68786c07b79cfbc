import {
  type AppProcess,
  BareMcp,
  type ChangingUpstream,
  type Client,
  eventually,
  startChangingUpstream,
  startNotifyingUpstream,
  startWorker,
  startWorld,
  type NotifyingUpstream,
  type World,
} from '@haldir/test-support';

/** Gathering, a check, and some room for a machine that is busy; the schedule alone takes 15 s. */
const SOON_MS = 10_000;
/** For which a worker has an upstream, unless it says again that it does. */
const LEASE_MS = 10_000;

let world: World;
let workers: AppProcess[];
let tenant: Client;
let session: string;
const started: { stop(): Promise<void> }[] = [];
beforeAll(async () => {
  world = await startWorld({ processes: 1, environment: { UPSTREAM_TIMEOUT_SECONDS: '3' } });
  workers = await Promise.all([startWorker(world.environment), startWorker(world.environment)]);
});
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  await world.stop();
});
beforeEach(async () => {
  tenant = await world.newTenant();
  session = await tenant.session({ agent_id: 'agent', scopes: ['execute'] });
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((upstream) => upstream.stop()));
});

const keep = <T extends { stop(): Promise<void> }>(upstream: T): T => {
  started.push(upstream);
  return upstream;
};
const register = async (url: string): Promise<void> => {
  // No call has it asked.
  const { body } = await tenant.post('/v1/proxy/upstreams', { name: 'up', url, tools_max_age: 300 });
  expect(body).toMatchObject({ healthy: true });
};
const shown = async (): Promise<string[]> => {
  const agent = new BareMcp({ url: String(world.apis[0]?.url), key: tenant.key ?? '', session });
  const { message } = await agent.ask('tools/list');
  return (message?.result?.['tools'] as { name: string }[])
    .map(({ name }) => name)
    .filter((name) => name.startsWith('up__'));
};
const call = async (tool: string): Promise<unknown> =>
  (await tenant.post('/v1/proxy/call', { tool, arguments: {}, session_id: session })).body['code'] ?? 'ok';
const inTime = (check: () => Promise<void>): Promise<void> => eventually(check, SOON_MS, 50);

const revisions = [
  ['2026-07-28', (): Promise<ChangingUpstream> => startChangingUpstream('one', 'two')],
  ['2025-11-25', (): Promise<NotifyingUpstream> => startNotifyingUpstream('one', 'two')],
] as const;

describe.each(revisions)('an upstream of %s that says that its tools have changed', (_, start) => {
  it('is asked at once: a tool that was added is listed, one that was altered is held back', async () => {
    const upstream = keep(await start());
    await register(upstream.url);
    await inTime(async () => expect(upstream.heard()).toBe(1));
    upstream.tools = [...upstream.tools, { name: 'three', inputSchema: { type: 'object' } }];
    upstream.say();
    await inTime(async () => expect(await shown()).toContain('up__three'));
    upstream.change('one', { description: 'Does something else' });
    upstream.say();
    await inTime(async () => expect(await call('up.one')).toBe('tool_drift'));
    expect(await call('up.two')).toBe('ok');
  });

  it('a thousand times costs a handful of questions', async () => {
    const upstream = keep(await start());
    await register(upstream.url);
    await inTime(async () => expect(upstream.heard()).toBe(1));
    const [before, startedAt] = [upstream.lists, performance.now()];
    for (let i = 0; i < 1000; i++) upstream.say();
    upstream.tools = [...upstream.tools, { name: 'last', inputSchema: { type: 'object' } }];
    upstream.say();
    await inTime(async () => expect(await shown()).toContain('up__last'));
    const seconds = (performance.now() - startedAt) / 1000;
    expect(upstream.lists - before).toBeLessThanOrEqual(2 + Math.ceil(seconds));
  });
});

describe('the stream of an upstream', () => {
  it('is one, whatever number of workers there is; it ends with the registration', async () => {
    const upstream = keep(await startNotifyingUpstream('one'));
    await register(upstream.url);
    await inTime(async () => expect(upstream.heard()).toBe(1));
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(upstream.heard()).toBe(1);
    await tenant.delete('/v1/proxy/upstreams/up');
    await eventually(async () => expect(upstream.heard()).toBe(0), 8_000, 100);
  });

  it('stays with one of two workers, and is taken over by the other within the lease when that one is killed', async () => {
    const listener = async (): Promise<unknown> =>
      (await world.sql('SELECT listener FROM proxy_upstream WHERE url = $1', [upstream.url]))[0]?.['listener'];
    // Whose it is cannot be told from outside, unless the other comes later.
    const [first, second] = workers as [AppProcess, AppProcess];
    await second.stop();
    const upstream = keep(await startNotifyingUpstream('one'));
    await register(upstream.url);
    await inTime(async () => expect(upstream.heard()).toBe(1));
    const before = await listener();
    const other = await startWorker(world.environment);
    workers = [first, other];
    for (const until = performance.now() + LEASE_MS + 2_000; performance.now() < until;) {
      expect([upstream.heard(), upstream.opened, await listener()]).toEqual([1, 1, before]);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }

    await first.kill();
    workers = [other];
    await inTime(async () => expect(upstream.heard()).toBe(0));
    await eventually(async () => expect(upstream.heard()).toBe(1), LEASE_MS + SOON_MS, 100);
    expect(await listener()).not.toBe(before);
    upstream.tools = [...upstream.tools, { name: 'two', inputSchema: { type: 'object' } }];
    upstream.say();
    await inTime(async () => expect(await shown()).toContain('up__two'));
  }, 60_000);

  it('is not asked for again by an upstream that has none', async () => {
    const upstream = keep(await startNotifyingUpstream('one'));
    upstream.streams = false;
    await register(upstream.url);
    await inTime(async () => expect(upstream.refused).toBe(1));
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(upstream.refused).toBe(1);
  });
});
