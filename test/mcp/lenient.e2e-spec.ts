import {
  type BareMcp,
  type FakeUpstream,
  type McpRevision,
  Scenario,
  sharedWorld,
  type World,
} from '@haldir/test-support';

const REVISIONS: McpRevision[] = ['stateless', 'handshake'];

let world: World;
let scenario: Scenario<FakeUpstream>;
beforeAll(async () => {
  world = await sharedWorld();
});
beforeEach(async () => {
  scenario = await Scenario.of(world, ['echo']);
});
afterEach(() => scenario.end());

/** Sends parameters as they are, but for what the revision wants in `_meta`. */
async function ask(agent: BareMcp, method: string, params: unknown): Promise<[status: number, message: unknown]> {
  const given = typeof params === 'object' && params !== null ? (params as Record<string, unknown>) : {};
  const sent = agent.revision === 'handshake' ? params : agent.paramsOf(given);
  const headers = { ...agent.headersFor(method, given) };
  const { status, message } = await agent.send({ jsonrpc: '2.0', id: 1, method, params: sent }, headers);
  return [status, message];
}

describe.each(REVISIONS)('a client of the %s revisions that writes out what it does not have', (revision) => {
  it.each([
    ['no cursor', 'tools/list', { cursor: null }],
    ['an empty cursor', 'tools/list', { cursor: '' }],
    ['an empty cursor of resources', 'resources/list', { cursor: '' }],
    ['no arguments', 'tools/call', { name: 'up__echo', arguments: null }],
    ['no answers', 'tools/call', { name: 'up__echo', arguments: {}, inputResponses: null, requestState: null }],
  ])('is answered with %s', async (_, method, params) => {
    const [status, message] = await ask(scenario.agent(revision), method, params);
    expect(message).toMatchObject({ id: 1, result: expect.anything() });
    expect(status).toBe(200);
    expect(scenario.up.calls).toEqual(method === 'tools/call' ? [{ tool: 'echo', arguments: {} }] : []);
  });

  it('is told where a member is that Haldir does not take, and nothing is called', async () => {
    const agent = scenario.agent(revision);
    const params = JSON.stringify(agent.paramsOf({ name: 'up__echo', arguments: { a: 'MEMBER' } }));
    const { status, message } = await agent.send(
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params.replace('"MEMBER"', '{"__proto__":{"b":1}}')}}`,
      agent.headersFor('tools/call', { name: 'up__echo' }),
    );
    expect([status, message?.error?.message]).toEqual([
      400,
      expect.stringMatching(/params\.arguments\.a: .*__proto__/),
    ]);
    expect(scenario.up.calls).toEqual([]);
  });
});

it.each([
  ['params', 'tools/list', null],
  ['_meta', 'tools/call', { name: 'up__echo', arguments: {}, _meta: null }],
])('a client of the earlier revisions may write null for %s', async (_, method, params) => {
  const [status, message] = await ask(scenario.agent('handshake'), method, params);
  expect([status, message]).toEqual([200, expect.objectContaining({ result: expect.anything() })]);
});

it('a call over REST may write null for its arguments', async () => {
  const { status } = await scenario.tenant.post('/v1/proxy/call', {
    ...{ session_id: scenario.session, tool: 'up.echo', arguments: null },
  });
  expect([status, scenario.up.calls]).toEqual([200, [{ tool: 'echo', arguments: {} }]]);
});
