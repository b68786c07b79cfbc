import { type Client as McpClient } from '@modelcontextprotocol/client';
import { CreateMessageRequestSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import {
  type Balancer,
  BareMcp,
  type Client,
  connectMcp,
  connectOldMcp,
  decidePending,
  eventually,
  type McpRevision,
  type McpParty,
  type RpcMessage,
  pendingRequest,
  startApi,
  startBalancer,
  startConformanceUpstream,
  startWorld,
  type World,
} from '@haldir/test-support';

let world: World;
let balancer: Balancer;
let upstream: { url: string; stop(): Promise<void> };
let tenant: Client;
let party: McpParty & { session: string };

beforeAll(async () => {
  world = await startWorld({ processes: 3 });
  balancer = await startBalancer(world.apis);
  upstream = await startConformanceUpstream();
});
beforeEach(async () => {
  tenant = await world.newTenant();
  await tenant.post('/v1/proxy/upstreams', { name: 'suite', url: upstream.url });
  party = { url: balancer.url, key: tenant.key ?? '', session: await tenant.session({ scopes: ['execute'] }) };
});
afterAll(async () => {
  await balancer.stop();
  await upstream.stop();
  await world.stop();
});

const CAPABILITIES = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: {} } };
const REVISIONS: McpRevision[] = ['stateless', 'handshake'];
const TOOL = 'suite.test_input_required_result_multi_round';

/** A client whose human answers every question; the questions as they come. */
async function connect(revision: McpRevision): Promise<{ client: McpClient; asked: string[] }> {
  const asked: string[] = [];
  const client = await connectMcp(party, revision, {
    capabilities: { elicitation: {} },
    prepare: (it) =>
      it.setRequestHandler('elicitation/create', ({ params }) => {
        asked.push(params.message);
        return { action: 'accept', content: { name: 'Frodo', color: 'green' } };
      }),
  });
  return { client, asked };
}

const results = async (tool = TOOL): Promise<unknown[]> => {
  const { body } = await tenant.get<{ entries: { details: string }[] }>(`/v1/audit?tool=${tool}`);
  return body.entries.map(({ details }) => (JSON.parse(details) as { result: unknown }).result).reverse();
};

it.each(REVISIONS)(
  'passes on what a tool asks and what a client answers, each round decided and logged (%s)',
  async (revision) => {
    const { client, asked } = await connect(revision);
    const result = await client.callTool({ name: TOOL, arguments: {} });
    expect(result.content).toEqual([{ type: 'text', text: 'done' }]);
    expect(asked).toEqual(['Step 1: What is your name?', 'Step 2: What is your favorite color?']);
    expect(await results()).toEqual(['input_required', 'input_required', 'ok']);
    const { body } = await tenant.get<{ entries: { details: string }[] }>(`/v1/audit?tool=${TOOL}`);
    const digests = body.entries.map(
      ({ details }) => (JSON.parse(details) as Record<string, unknown>)['answers_sha256'],
    );
    expect(new Set(digests)).toEqual(new Set([undefined, expect.stringMatching(/^[0-9a-f]{64}$/), expect.anything()]));
    expect(new Set(digests).size).toBe(3);
    await client.close();
  },
);

it.each(REVISIONS)(
  'counts each round against the rate, and breaks off where a policy says so (%s)',
  async (revision) => {
    await tenant.post('/v1/proxy/policies', { type: 'rate_limit', max_per_minute: 2 });
    const { client, asked } = await connect(revision);
    const result = await client.callTool({ name: TOOL, arguments: {} });
    expect([asked.length, result.isError]).toEqual([2, true]);
    expect(JSON.stringify(result.content)).toContain('rate_limit');
    await client.close();
  },
);

it.each(REVISIONS)('takes the price of a tool once, with its answer, however often it asks (%s)', async (revision) => {
  const [upstreamName, tool] = TOOL.split('.');
  await tenant.put(`/v1/proxy/upstreams/${upstreamName}/tools/${tool}/price`, { price_usd: 0.5 });
  party = { ...party, session: await tenant.session({ scopes: ['execute'], spend_limit: 0.5 }) };
  const standing = async () => (await tenant.get<{ spent: number }>(`/v1/sessions/${party.session}`)).body.spent;
  const spent: unknown[] = [];
  const client = await connectMcp(party, revision, {
    capabilities: { elicitation: {} },
    prepare: (it) =>
      it.setRequestHandler('elicitation/create', async () => {
        spent.push(await standing());
        return { action: 'accept', content: { name: 'Frodo', color: 'green' } };
      }),
  });
  expect((await client.callTool({ name: TOOL, arguments: {} })).content).toEqual([{ type: 'text', text: 'done' }]);
  expect([...spent, await standing()]).toEqual([0, 0, 0.5]);
  expect(await world.sql('SELECT * FROM payment_fault')).toEqual([]);
  const again = await client.callTool({ name: TOOL, arguments: {} });
  expect([again.isError, JSON.stringify(again.content)]).toEqual([
    true,
    expect.stringContaining('insufficient_budget'),
  ]);
  await client.close();
});

it('refuses a tool that asks a client that cannot be asked, in the way its revision says so', async () => {
  const client = await connectMcp(party, 'handshake');
  await expect(client.callTool({ name: TOOL, arguments: {} })).rejects.toMatchObject({ code: -32021 });
  await client.close();
  const { status, message } = await new BareMcp(party).call(TOOL);
  expect([status, message?.error?.code]).toEqual([400, -32021]);
  expect((await new BareMcp(party, 'handshake').call(TOOL)).status).toBe(200);
});

it('takes a round for the same request only while it says the same, under an Idempotency-Key', async () => {
  const agent = new BareMcp(party);
  const send = (more: Record<string, unknown>) => {
    const params = agent.paramsOf({ name: TOOL, arguments: {}, ...more });
    Object.assign(params['_meta'] as object, CAPABILITIES);
    const headers = { ...agent.headersFor('tools/call', params), 'idempotency-key': 'round' };
    return agent.send({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }, headers);
  };
  const first = await send({});
  expect(first.message?.result).toMatchObject({ resultType: 'input_required', requestState: 'round-1' });
  expect((await send({})).message?.result).toEqual(first.message?.result);
  const inputResponses = { step1: { action: 'accept', content: { name: 'Frodo' } } };
  expect((await send({ inputResponses, requestState: 'round-1' })).status).toBe(422);
  expect(await results()).toEqual(['input_required']);
});

describe('a tool that asks, where each round needs an approval', () => {
  beforeEach(() => tenant.post('/v1/approvals/rules', { type: 'tool_blocked', tools: [TOOL] }));

  it.each([
    ['can be asked', { elicitation: {} }, []],
    ['is sent to pages', { elicitation: { form: {}, url: {} } }, [2, 3]],
  ])(
    'of an older client that %s goes on in one call, while a human decides about each',
    async (_, capabilities, shownIn) => {
      const api = await startApi({ ...world.environment, MCP_HOLD_SECONDS: '10' });
      party = { ...party, url: api.url };
      const pages: string[] = [];
      const client = await connectMcp(party, 'handshake', {
        capabilities,
        prepare: (it) =>
          it.setRequestHandler('elicitation/create', ({ params }) => {
            if (params.mode === 'url') pages.push(params.url);
            return { action: 'accept', content: { name: 'Frodo', color: 'green' } };
          }),
      });
      if (shownIn.length > 0)
        await expect(client.callTool({ name: TOOL, arguments: {} })).rejects.toMatchObject({ code: -32042 });
      const call = client.callTool({ name: TOOL, arguments: {} });
      const shown: unknown[] = [];
      const ids: string[] = [];
      for (let round = 1; round <= 3; round++) {
        const { request_id: id, details } = await pendingRequest(tenant);
        shown.push((JSON.parse(details) as { answers?: { state?: string } }).answers?.state);
        ids.push(id);
        await tenant.post(`/v1/approvals/${id}/approve`);
      }
      expect((await call).content).toEqual([{ type: 'text', text: 'done' }]);
      expect(shown).toEqual([undefined, 'round-1', 'round-2']);
      expect(pages).toEqual(shownIn.map((round) => `${api.url}/approvals/${ids[round - 1]}`));
      await client.close();
      await api.stop();
    },
  );

  it('gets what was answered before, once the human has been asked in between, and whoever decides sees it', async () => {
    const shown: unknown[] = [];
    const client = await connectMcp(party, 'stateless', {
      capabilities: { elicitation: {} },
      prepare: (it) =>
        it.setRequestHandler('elicitation/create', async ({ params }) => {
          if (!params.message.includes('has to be approved'))
            return { action: 'accept', content: { name: 'Frodo', color: 'green' } };
          const { request_id: id, details } = await pendingRequest(tenant);
          shown.push((JSON.parse(details) as { answers?: unknown }).answers);
          await tenant.post(`/v1/approvals/${id}/approve`);
          return { action: 'accept' };
        }),
    });
    const result = await client.callTool({ name: TOOL, arguments: {} });
    expect(result.content).toEqual([{ type: 'text', text: 'done' }]);
    expect(shown).toMatchObject([
      undefined,
      { state: 'round-1', responses: { step1: { action: 'accept', content: { name: 'Frodo' } } } },
      { state: 'round-2', responses: { step2: { action: 'accept', content: { color: 'green' } } } },
    ]);
    await client.close();
  });

  it('is not given other answers than were approved', async () => {
    const agent = new BareMcp(party);
    const send = async (name: string): Promise<RpcMessage['result']> => {
      const inputResponses = { step1: { action: 'accept', content: { name } } };
      const params = agent.paramsOf({ name: TOOL, arguments: {}, inputResponses, requestState: 'round-1' });
      Object.assign(params['_meta'] as object, CAPABILITIES);
      const headers = agent.headersFor('tools/call', params);
      return (await agent.send({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }, headers)).message?.result;
    };
    await send('Frodo');
    const id = await decidePending(tenant, 'approve');
    expect(await send('Sauron')).toMatchObject({ inputRequests: { 'haldir/approval': {} } });
    expect((await pendingRequest(tenant)).request_id).not.toBe(id);
    expect(await send('Frodo')).toMatchObject({ resultType: 'input_required', requestState: 'round-2' });
  });

  it('refuses a state that was changed on its way', async () => {
    const agent = new BareMcp(party);
    const params = agent.paramsOf({ name: TOOL, arguments: {}, requestState: 'haldir:x' });
    Object.assign(params['_meta'] as object, CAPABILITIES);
    const headers = agent.headersFor('tools/call', params);
    const { message } = await agent.send({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }, headers);
    expect(message?.error).toMatchObject({ code: -32602, message: expect.stringContaining('params.requestState') });
  });
});

describe('a client of the older revisions that is asked on the stream of its call', () => {
  const ELICIT = { name: 'suite.test_elicitation', arguments: { message: 'Who are you?' } };
  const capabilities = { elicitation: { form: {} }, sampling: {} };

  it('of version 1 answers over any process, many calls at once', async () => {
    const client = await connectOldMcp(party, {
      capabilities,
      prepare: (it) => {
        it.setRequestHandler(ElicitRequestSchema, ({ params }) => ({
          ...{ action: 'accept', content: { username: params.message, email: 'x' } },
        }));
        it.setRequestHandler(CreateMessageRequestSchema, () => ({
          ...{ role: 'assistant', model: 'some', content: { type: 'text', text: 'word '.repeat(20_000) } },
        }));
      },
    });
    const names = Array.from({ length: 12 }, (_, i) => `Who are you, number ${i}?`);
    const answers = await Promise.all(names.map((message) => client.callTool({ ...ELICIT, arguments: { message } })));
    expect(answers.map((answer) => JSON.stringify(answer['content']))).toEqual(
      names.map((name) => expect.stringContaining(name)),
    );
    // Longer than what processes tell each other at once.
    const sampled = await client.callTool({ name: 'suite.test_sampling', arguments: { prompt: 'Go on' } });
    expect(JSON.stringify(sampled['content'])).toContain('word '.repeat(20_000));
    await client.close();
  });

  it('may say no, which the tool is told; one that fails is not asked on', async () => {
    const declining = await connectMcp(party, 'handshake', {
      capabilities,
      prepare: (it) => it.setRequestHandler('elicitation/create', () => ({ action: 'decline' })),
    });
    const declined = await declining.callTool(ELICIT);
    expect(JSON.stringify(declined.content)).toContain('decline');
    await declining.close();
    const failing = await connectMcp(party, 'handshake', {
      capabilities,
      prepare: (it) =>
        it.setRequestHandler('elicitation/create', () => {
          throw new Error('no human here');
        }),
    });
    expect(await failing.callTool(ELICIT)).toMatchObject({ isError: true });
    await failing.close();
    expect(await results(ELICIT.name)).toEqual(['input_required', 'ok', 'input_required']);
  });

  it('is not answered for by another tenant, another session of the protocol or another id', async () => {
    const shaken = async (as: McpParty): Promise<BareMcp> => {
      const client = new BareMcp(as, 'handshake');
      await client.shakeHands(capabilities);
      return client;
    };
    const client = await shaken(party);
    const stranger = await world.newTenant();
    const other = await tenant.session({ scopes: ['execute'] });
    const strange = await shaken({ ...party, key: stranger.key ?? '', session: await stranger.session() });
    const response = await fetch(new URL('/mcp', party.url), {
      method: 'POST',
      headers: {
        ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        ...{ authorization: `Bearer ${party.key}`, 'x-session-id': party.session },
        ...client.headersFor('tools/call'),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: ELICIT }),
    });
    const messages = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const next = async (): Promise<RpcMessage> => {
      const { value = '' } = (await messages?.read()) ?? {};
      return JSON.parse(value.split('data: ')[1] ?? '') as RpcMessage;
    };
    const { id, method } = await next();
    expect(method).toBe('elicitation/create');
    const say = async (by: BareMcp, username: string, as = id): Promise<void> => {
      const result = { action: 'accept', content: { username } };
      const { status } = await by.send({ jsonrpc: '2.0', id: as, result }, by.headersFor(''));
      expect(status).toBe(202);
    };
    for (const api of world.apis) {
      await say(strange.at(api.url), 'Mallory');
      await say(strange.at(api.url).as(client), 'Mallory');
      await say((await shaken(party)).at(api.url), 'Mallory');
      await say((await shaken({ ...party, session: other })).at(api.url).as(client), 'Mallory');
      await say(client.at(api.url), 'Mallory', 'another');
      await say(new BareMcp({ ...party, url: api.url }, 'handshake'), 'Mallory');
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    await say(client.at(world.apis[1]?.url ?? ''), 'Frodo');
    const { result } = await next();
    expect(JSON.stringify(result)).toContain('Frodo');
    expect(JSON.stringify(result)).not.toContain('Mallory');
  });

  it('hears of it when the process ends, or when it goes away itself, and the tool is not called on', async () => {
    const api = await startApi(world.environment);
    let asked = 0;
    const client = await connectMcp({ ...party, url: api.url }, 'handshake', {
      capabilities,
      prepare: (it) =>
        it.setRequestHandler('elicitation/create', () => {
          asked++;
          return new Promise(() => undefined);
        }),
    });
    const call = client.callTool(ELICIT);
    await eventually(() => expect(asked).toBe(1));
    expect(await api.stop()).toBe(0);
    expect(await call).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('not_answered') }] });
    await client.close();
    expect(await results(ELICIT.name)).toEqual(['input_required']);
  });
});
