import { type Client as McpClient } from '@modelcontextprotocol/client';
import {
  type Balancer,
  BareMcp,
  type Client,
  connectMcp,
  type McpEra,
  type McpParty,
  type RpcMessage,
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
  world = await startWorld({ processes: 2 });
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
const TOOL = 'suite.test_input_required_result_multi_round';

/** A client whose human answers every question; the questions as they come. */
async function connect(era: McpEra): Promise<{ client: McpClient; asked: string[] }> {
  const asked: string[] = [];
  const client = await connectMcp(party, era, {
    capabilities: { elicitation: {} },
    prepare: (it) =>
      it.setRequestHandler('elicitation/create', ({ params }) => {
        asked.push(params.message);
        return { action: 'accept', content: { name: 'Frodo', color: 'green' } };
      }),
  });
  return { client, asked };
}

const results = async (): Promise<unknown[]> => {
  const { body } = await tenant.get<{ entries: { details: string }[] }>(`/v1/audit?tool=${TOOL}`);
  return body.entries.map(({ details }) => (JSON.parse(details) as { result: unknown }).result).reverse();
};

it('passes on what a tool asks and what the client answers, each round decided and logged', async () => {
  const { client, asked } = await connect('stateless');
  const result = await client.callTool({ name: TOOL, arguments: {} });
  expect(result.content).toEqual([{ type: 'text', text: 'done' }]);
  expect(asked).toEqual(['Step 1: What is your name?', 'Step 2: What is your favorite color?']);
  expect(await results()).toEqual(['input_required', 'input_required', 'ok']);
  await client.close();
});

it('counts each round against the rate, and breaks off where a policy says so', async () => {
  await tenant.post('/v1/proxy/policies', { type: 'rate_limit', max_per_minute: 2 });
  const { client, asked } = await connect('stateless');
  const result = await client.callTool({ name: TOOL, arguments: {} });
  expect([asked.length, result.isError]).toEqual([2, true]);
  expect(JSON.stringify(result.content)).toContain('rate_limit');
  await client.close();
});

it('refuses a tool that asks a client that cannot be asked, in the way its revision says so', async () => {
  const { client } = await connect('handshake');
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
  interface Held {
    request_id: string;
    details: string;
  }
  beforeEach(() => tenant.post('/v1/approvals/rules', { type: 'tool_blocked', tools: [TOOL] }));

  it('gets what was answered before, once the human has been asked in between, and whoever decides sees it', async () => {
    const shown: unknown[] = [];
    const client = await connectMcp(party, 'stateless', {
      capabilities: { elicitation: {} },
      prepare: (it) =>
        it.setRequestHandler('elicitation/create', async ({ params }) => {
          if (!params.message.includes('has to be approved'))
            return { action: 'accept', content: { name: 'Frodo', color: 'green' } };
          const { requests } = (await tenant.get<{ requests: Held[] }>('/v1/approvals/pending')).body;
          for (const { request_id: id, details } of requests) {
            shown.push((JSON.parse(details) as { answers?: unknown }).answers);
            await tenant.post(`/v1/approvals/${id}/approve`);
          }
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
    const pending = async (): Promise<string[]> =>
      (await tenant.get<{ requests: Held[] }>('/v1/approvals/pending')).body.requests.map(({ request_id: id }) => id);
    await send('Frodo');
    const [id = ''] = await pending();
    await tenant.post(`/v1/approvals/${id}/approve`);
    expect(await send('Sauron')).toMatchObject({ inputRequests: { 'haldir/approval': {} } });
    expect(await pending()).toEqual([expect.not.stringMatching(id)]);
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
