import {
  BareMcp,
  connectMcp,
  eventOf,
  type EventStreamUpstream,
  eventually,
  type McpParty,
  Scenario,
  startEventStreamUpstream,
  startEverything,
  startWorker,
  startWorld,
  times,
  type World,
} from '@haldir/test-support';

let world: World;
let scenario: Scenario<EventStreamUpstream>;
let up: EventStreamUpstream;
beforeAll(async () => {
  world = await startWorld({ processes: 2 });
});
afterAll(() => world.stop());
beforeEach(async () => {
  scenario = await Scenario.around(world, await startEventStreamUpstream());
  ({ up } = scenario);
  expect((await scenario.register('up', up.url)).body).toMatchObject({ healthy: true, tools_discovered: 4 });
});
afterEach(() => scenario.end());

const party = (process: number): McpParty => ({
  url: String(world.apis[process]?.url),
  key: scenario.tenant.key ?? '',
  session: scenario.session,
});
const results = async (tool: string): Promise<unknown[]> =>
  (await scenario.callEntries(`up.${tool}`)).map(({ details }) => details);

describe('an upstream that speaks over an event stream, as in 2024-11-05', () => {
  it('is registered, listed and called at every process, over one stream each', async () => {
    const answers = await times(12, (n) => scenario.call('echo', { n }, { by: scenario.at(n) }));
    expect(answers.map(({ body }) => body.content[0]?.text)).toEqual(answers.map((_, n) => JSON.stringify({ n })));
    for (const process of [0, 1]) {
      const names = await scenario.toolNames(new BareMcp(party(process)));
      expect(names).toEqual(expect.arrayContaining(['up__echo', 'up__count', 'up__wait', 'up__die']));
    }
    // The stream of the registration was closed with it.
    await eventually(() => expect(up.streams.size).toBe(2));
    expect(up.calls).toHaveLength(12);
    const { body } = await scenario.tenant.get<{ upstreams: Record<string, unknown> }>('/v1/proxy/upstreams');
    expect(body.upstreams['up']).toMatchObject({ healthy: true, tools: 4, sessions: 'shared' });
  });

  it('tells an agent how far a call is, at every process', async () => {
    for (const process of [0, 1]) {
      const client = await connectMcp(party(process), 'stateless');
      const heard: unknown[] = [];
      const onprogress = (progress: unknown): void => void heard.push(progress);
      const result = await client.callTool({ name: 'up__count', arguments: {} }, { onprogress });
      expect(result.content).toEqual([{ type: 'text', text: 'count' }]);
      expect(heard).toEqual([1, 2, 3].map((progress) => ({ progress, total: 3, message: `at ${progress}` })));
      await client.close();
    }
  });

  it('gives each process its own answers where it sends all of them over every stream', async () => {
    up.broadcasts = true;
    const answers = await times(40, (n) => scenario.call('echo', { n }, { by: scenario.at(n) }));
    expect(answers.map(({ body }) => body.content[0]?.text)).toEqual(answers.map((_, n) => JSON.stringify({ n })));
    expect(up.streams.size).toBe(2);
  });

  it('is told that an agent has broken a call off', async () => {
    for (const process of [0, 1]) {
      const client = await connectMcp(party(process), 'stateless');
      const abort = new AbortController();
      const call = client.callTool({ name: 'up__wait', arguments: {} }, { signal: abort.signal });
      call.catch(() => undefined);
      await eventually(() => expect(up.calls).toHaveLength(process + 1));
      abort.abort();
      await expect(call).rejects.toThrow();
      await eventually(() => expect(up.cancelled).toEqual(up.calls.map(({ id }) => id)));
      await client.close();
    }
    const entry = { decision: 'allowed', result: 'unreachable', reason: 'aborted', sent: true };
    await eventually(async () => expect(await results('wait')).toMatchObject([entry, entry]));
  });

  it('may have made a call during which its stream ended, is not called twice, and called again by the next', async () => {
    const waiting = scenario.call('wait', {}, { by: scenario.at(1) });
    await eventually(() => expect(up.calls).toHaveLength(1));
    expect((await scenario.call('die')).status).toBe(502);
    expect((await waiting).status).toBe(502);
    const entry = { decision: 'allowed', result: 'unreachable', reason: 'reset', sent: true };
    expect(await results('die')).toMatchObject([entry]);
    expect(await results('wait')).toMatchObject([entry]);
    for (const process of [0, 1])
      expect((await scenario.call('echo', { process }, { by: scenario.at(process) })).status).toBe(200);
    expect(up.calls.map(({ tool }) => tool)).toEqual(['wait', 'die', 'echo', 'echo']);
  });

  it('that names an endpoint of another origin is told so to whoever registers it, and sent nothing there', async () => {
    const other = scenario.keep(await startEventStreamUpstream());
    up.endpoint = () => `${new URL(other.url).origin}/message?session=hush`;
    const { body } = await scenario.register('elsewhere', up.url);
    expect(body).toMatchObject({ healthy: false });
    expect(JSON.stringify(body)).toContain('endpoint that is not of the origin of its URL');
    expect(JSON.stringify(body)).not.toContain('hush');
    expect(other.seen).toEqual([]);
  });

  it('shows its new tools to agents after it has said over a stream that they changed', async () => {
    await eventually(() => expect(up.streams.size).toBe(0));
    const worker = await startWorker(world.environment);
    try {
      await eventually(() => expect(up.streams.size).toBe(1));
      up.tools.push('late');
      up.say(eventOf({ method: 'notifications/tools/list_changed' }));
      const shown = async (): Promise<void> =>
        expect(await scenario.toolNames(new BareMcp(party(1)))).toContain('up__late');
      await eventually(shown, 60_000, 50);
    } finally {
      await worker.stop();
    }
  });
});

it('the reference server over its event stream has all its tools, which can be called at every process', async () => {
  const everything = await startEverything('sse');
  try {
    const { body } = await scenario.register('ref', everything.url, { prefix: true });
    expect(body).toMatchObject({ healthy: true, tools_discovered: 12 });
    const answers = await times(4, (n) => scenario.call('ref.echo', { message: `m${n}` }, { by: scenario.at(n) }));
    expect(answers.map(({ body: { content } }) => content[0]?.text)).toEqual(answers.map((_, n) => `Echo: m${n}`));
  } finally {
    await everything.kill();
  }
});
