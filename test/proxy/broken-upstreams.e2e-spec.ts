import {
  BareMcp,
  type FakeUpstream,
  saying,
  Scenario,
  startFakeUpstream,
  startHungUpstream,
  startResourceUpstream,
  startWorld,
  times,
  type World,
} from '@haldir/test-support';

let world: World;
let scenario: Scenario;
beforeAll(async () => {
  world = await startWorld({ processes: 1, environment: { UPSTREAM_TIMEOUT_SECONDS: '8' } });
});
afterAll(() => world.stop());
beforeEach(async () => {
  scenario = await Scenario.begin(world);
});
afterEach(() => scenario.end());

describe('a call whose connection breaks after the upstream has read it', () => {
  let upstream: FakeUpstream;
  const arrivals = (name: string): number => upstream.calls.filter(({ tool }) => tool === name).length;
  beforeEach(async () => {
    upstream = scenario.keep(
      await startFakeUpstream({
        put: { idempotentHint: true },
        get: { readOnlyHint: true },
        post: {},
        patch: { idempotentHint: false, destructiveHint: true },
        claim: { idempotentHint: 'true' },
      }),
    );
    upstream.drops = 1;
    expect((await scenario.register('up', upstream.url)).body).toMatchObject({ healthy: true, tools_discovered: 5 });
  });

  it.each(['put', 'get'])('is made once more when the tool is declared to bear it: %s', async (tool) => {
    expect(await scenario.call(tool)).toMatchObject({ status: 200, body: { content: [{ text: tool }] } });
    expect(arrivals(tool)).toBe(2);
  });

  it.each(['post', 'patch', 'claim'])('is not made again otherwise: %s', async (tool) => {
    expect(await scenario.call(tool)).toMatchObject({ status: 502, body: { code: 'upstream_unreachable' } });
    expect(arrivals(tool)).toBe(1);
  });

  it('is made twice at most', async () => {
    upstream.drops = 9;
    expect((await scenario.call('put')).status).toBe(502);
    expect(arrivals('put')).toBe(2);
  });

  it('is not made again on an approval, which is of one call', async () => {
    await scenario.tenant.post('/v1/approvals/rules', { type: 'all' });
    const id = String(saying(await scenario.call('put'))['request_id']);
    await scenario.tenant.post(`/v1/approvals/${id}/approve`, { decided_by: 'dana' });
    expect((await scenario.call('put')).status).toBe(502);
    expect(arrivals('put')).toBe(1);
  });

  it('costs its price once', async () => {
    await scenario.tenant.put('/v1/proxy/upstreams/up/tools/put/price', { price_usd: 0.5 });
    const session = await scenario.tenant.session({ agent_id: 'agent', scopes: ['execute'], spend_limit: 5 });
    expect((await scenario.call('put', {}, { session })).status).toBe(200);
    expect(arrivals('put')).toBe(2);
    expect((await scenario.tenant.get(`/v1/sessions/${session}`)).body).toMatchObject({ spent: 0.5 });
  });
});

describe('of ten upstreams, one that hangs', () => {
  const agent = (): BareMcp =>
    new BareMcp({ url: String(world.apis[0]?.url), key: scenario.tenant.key ?? '', session: scenario.session });
  const listed = async (): Promise<{ names: string[]; missing: unknown }> => {
    const { message } = await agent().ask('tools/list');
    const names = (message?.result?.['tools'] as { name: string }[]).map(({ name }) => name);
    return {
      names,
      missing: (message?.result?.['_meta'] as Record<string, unknown> | undefined)?.['haldir/missing-upstreams'],
    };
  };

  it('holds up none of the rest: 200 calls and the list do not wait for it, and its own calls end at their time', async () => {
    const hung = scenario.keep(await startResourceUpstream('hung'));
    expect((await scenario.register('hung', hung.url)).body).toMatchObject({ healthy: true });
    for (let i = 0; i < 9; i++) scenario.keep(await scenario.upstream(`up-${i}`, 'echo'));
    hung.silent = ['tools/list', 'tools/call', 'resources/list', 'prompts/list', 'ping'];
    // The hung one is given up after eight seconds.
    let givenUp = 0;
    const hanging = times(20, async () => {
      expect((await scenario.call('hung.noop')).status).toBe(502);
      givenUp++;
    });
    /** Of each round, how many calls of the hung one had been given up by its end. */
    const rounds: number[] = [];
    for (let round = 0; round < 20; round++) {
      await Promise.all([
        listed(),
        times(10, async (i) => expect((await scenario.call(`up-${(round + i) % 9}.echo`)).status).toBe(200)),
      ]);
      rounds.push(givenUp);
    }
    // A round that waited for it would end with it; the machine may be too slow for all of them in that time.
    expect(rounds.slice(0, 3)).toEqual([0, 0, 0]);
    await hanging;
    // What is known of it stays known.
    const { names, missing } = await listed();
    expect(names).toContain('hung__noop');
    expect(missing).toBeUndefined();
  });

  it('is named by the list when nothing is known of it', async () => {
    const hung = scenario.keep(await startHungUpstream());
    for (let i = 0; i < 9; i++) scenario.keep(await scenario.upstream(`up-${i}`, 'echo'));
    expect((await scenario.register('hung', hung.url)).body).toMatchObject({ healthy: false });
    const { names, missing } = await listed();
    expect(names.filter((name) => name.endsWith('__echo'))).toHaveLength(9);
    expect(missing).toMatchObject([{ name: 'hung' }]);
  });
});
