import { type ClientCapabilities, type UrlElicitationRequiredError } from '@modelcontextprotocol/client';
import {
  type Balancer,
  BareMcp,
  connectMcp,
  connectOldMcp,
  decidePending,
  type FakeUpstream,
  type McpParty,
  type McpReply,
  type McpRevision,
  openApprovalPage,
  pendingRequest,
  saidBy,
  Scenario,
  startApi,
  startBalancer,
  startWorld,
  type World,
} from '@haldir/test-support';

let world: World;
let balancer: Balancer;
let scenario: Scenario<FakeUpstream>;
let party: McpParty & { session: string };

beforeAll(async () => {
  world = await startWorld({ processes: 3, environment: { MCP_HOLD_SECONDS: '3' } });
  balancer = await startBalancer(world.apis);
});
afterAll(async () => {
  await balancer.stop();
  await world.stop();
});
beforeEach(async () => {
  scenario = await Scenario.of(world, ['echo'], { balancer });
  await scenario.tenant.post('/v1/approvals/rules', { type: 'tool_blocked', tools: ['up.echo'] });
  party = { url: balancer.url, key: scenario.tenant.key ?? '', session: scenario.session };
});
afterEach(() => scenario.up.stop());

type Decision = 'approve' | 'deny';
type ElicitationCapability = NonNullable<ClientCapabilities['elicitation']>;
interface Result {
  isError?: boolean;
  content: { type: string; text: string }[];
}

/** Decides about the one request that is pending, on the page if its address is known. */
type Human = (page?: string) => Promise<void>;

/** Calls `up.echo` as a kind of client does, has a human decide when its turn comes, and answers what came of it in the end. */
type Resume = (human: Human) => Promise<Result>;

const CALL = { name: 'up.echo', arguments: { n: 1 } };
const asResult = (result: unknown): Result => result as Result;

/** A client of 2026-07-28 that asks its human. */
const asked =
  (elicitation: ElicitationCapability): Resume =>
  async (human) => {
    const client = await connectMcp(party, 'stateless', {
      capabilities: { elicitation },
      prepare: (it) =>
        it.setRequestHandler('elicitation/create', async ({ params }) => {
          const page = params.mode === 'url' ? params.url : / (http:\S+)\. /.exec(params.message)?.[1];
          await human(page ?? 'no page');
          return { action: 'accept', ...(params.mode === 'url' ? {} : { content: {} }) };
        }),
    });
    const result = asResult(await client.callTool(CALL));
    await client.close();
    return result;
  };

/** Calls again once its human has been where the error sends them (2025-11-25). */
async function sent(call: () => Promise<unknown>, human: Human): Promise<Result> {
  const error = (await call().catch((thrown: unknown) => thrown)) as UrlElicitationRequiredError;
  expect(error.code).toBe(-32042);
  const [elicitation, ...others] = error.elicitations;
  expect(others).toEqual([]);
  expect(elicitation).toMatchObject({ mode: 'url', elicitationId: expect.stringMatching(/^apr_/) });
  await human(elicitation?.url ?? 'no page');
  return asResult(await call());
}

const URLS = { capabilities: { elicitation: { url: {} } } };

const sentOld: Resume = async (human) => {
  const client = await connectOldMcp(party, URLS);
  const result = await sent(() => client.callTool(CALL), human);
  await client.close();
  return result;
};

const sentNew: Resume = async (human) => {
  const client = await connectMcp(party, 'handshake', URLS);
  const result = await sent(() => client.callTool(CALL), human);
  await client.close();
  return result;
};

const held =
  (revision: McpRevision): Resume =>
  async (human) => {
    const client = await connectMcp(party, revision);
    const call = client.callTool(CALL);
    await human();
    const result = asResult(await call);
    await client.close();
    return result;
  };

/** A client that takes no event stream, so that it cannot be kept waiting. */
const polling =
  (revision: McpRevision): Resume =>
  async (human) => {
    const client = new BareMcp(party, revision);
    const json = { accept: 'application/json' };
    const first = saidBy(await client.call(CALL.name, CALL.arguments, json));
    await human(String(first['page']));
    const check = saidBy(await client.call('checkApproval', { request_id: first['request_id'] }, json));
    expect(check['status']).toMatch(/^(approved|denied)$/);
    const { message } = await client.call(CALL.name, CALL.arguments, json);
    return asResult(message?.result);
  };

const KINDS: [kind: string, resume: Resume][] = [
  ['asks its human in a form', asked({})],
  ['sends its human to a page', asked({ form: {}, url: {} })],
  ['is sent to a page by an error, version 1', sentOld],
  ['is sent to a page by an error, version 2', sentNew],
  ['is kept waiting after a handshake', held('handshake')],
  ['is kept waiting', held('stateless')],
  ['polls after a handshake', polling('handshake')],
  ['polls', polling('stateless')],
];

/** A client of bare HTTP that has shaken hands and opens addresses. */
const shaken = async (as: McpParty = party): Promise<BareMcp> => {
  const client = new BareMcp(as, 'handshake');
  await client.shakeHands({ elicitation: { url: {} } });
  return client;
};
const decides =
  (decision: Decision): Human =>
  async (page) => {
    if (page !== undefined) {
      expect(page).toBe(`${balancer.url}/approvals/${(await pendingRequest(scenario.tenant)).request_id}`);
      const opened = await openApprovalPage(page);
      await opened.enter(party.key);
      expect(opened.shown()).toContain('up.echo');
      await (decision === 'approve' ? opened.approve({ by: 'dana' }) : opened.deny({ by: 'dana' }));
      expect(opened.outcome()).toMatch(/You can go back to your agent/);
      await opened.close();
    } else await decidePending(scenario.tenant, decision);
  };
const statuses = async (): Promise<unknown[]> => {
  const { body } = await scenario.tenant.get<{ requests: Record<string, unknown>[] }>('/v1/approvals');
  return body.requests.map(({ status, consumed }) => [status, consumed]);
};
const logged = async (): Promise<unknown[]> =>
  (await scenario.callEntries('up.echo')).map(({ action, details }) => [action, details['decision']]);

describe.each(KINDS)('a client that %s', (_, resume) => {
  it('gets the result of the call once it is approved, and it is made once', async () => {
    const result = await resume(decides('approve'));
    expect([result.isError ?? false, result.content]).toEqual([false, [{ type: 'text', text: 'echo' }]]);
    expect(scenario.up.calls).toEqual([{ tool: 'echo', arguments: { n: 1 } }]);
    expect(await statuses()).toEqual([['approved', true]]);
    expect(await logged()).toEqual([
      ['tool_call_held', 'approval_required'],
      ['tool_call', 'allowed'],
    ]);
  });

  it('is told that the call is denied, and it is not made', async () => {
    const result = await resume(decides('deny'));
    expect(result.isError).toBe(true);
    expect(JSON.parse(result.content[0]?.text ?? '')).toMatchObject({
      ...{ status: 'approval_denied', request_id: expect.stringMatching(/^apr_/) },
      message: expect.stringContaining('Do not repeat it'),
    });
    expect(scenario.up.calls).toEqual([]);
    expect(await statuses()).toEqual([['denied', false]]);
    expect(await logged()).toEqual([
      ['tool_call_held', 'approval_required'],
      ['tool_call_blocked', 'approval_denied'],
    ]);
  });
});

describe('a client that was sent to a page', () => {
  const codeOf = ({ message }: McpReply): unknown => message?.error?.code;

  it.each(['before it is approved', 'before it is denied'])(
    'and comes again %s waits, and hears of it',
    async (when) => {
      const client = await shaken();
      expect(codeOf(await client.call(CALL.name, CALL.arguments))).toBe(-32042);
      const again = client.call(CALL.name, CALL.arguments);
      await decides(when.includes('approved') ? 'approve' : 'deny')();
      const { message } = await again;
      expect(message?.error).toBeUndefined();
      expect(message?.result?.content?.[0]?.text).toMatch(when.includes('approved') ? /^echo$/ : /approval_denied/);
    },
  );

  it('and comes again while nobody decides is sent there once more, to the same request', async () => {
    const client = await shaken();
    const first = await client.call(CALL.name, CALL.arguments);
    const second = await client.call(CALL.name, CALL.arguments);
    expect([codeOf(first), codeOf(second)]).toEqual([-32042, -32042]);
    expect(second.message?.error?.data).toEqual(first.message?.error?.data);
    expect(await statuses()).toEqual([['pending', false]]);
    expect(scenario.up.calls).toEqual([]);
  });

  it('hears for five minutes that the call was denied, and then a human is asked anew', async () => {
    const client = await shaken();
    await client.call(CALL.name, CALL.arguments);
    await decides('deny')();
    const shift = (seconds: number): Promise<unknown> =>
      world.sql(
        `UPDATE approval_request SET decided_at = now() - make_interval(secs => $1) WHERE session_id = $2 AND status = 'denied'`,
        [...[seconds, party.session]],
      );
    for (const revision of ['stateless', 'handshake'] as const) {
      await shift(290);
      const { message } = await new BareMcp(party, revision).call(CALL.name, CALL.arguments, {
        accept: 'application/json',
      });
      expect(message?.result?.content?.[0]?.text).toMatch(/approval_denied/);
    }
    // Another call is another question.
    expect(codeOf(await client.call(CALL.name, { n: 2 }))).toBe(-32042);
    await shift(310);
    expect(codeOf(await client.call(CALL.name, CALL.arguments))).toBe(-32042);
    // From then on the denial is past, also for a call within its time.
    await shift(10);
    expect(codeOf(await client.call(CALL.name, CALL.arguments))).toBe(-32042);
    expect(scenario.up.calls).toEqual([]);
  });

  it('is sent to the address that the installation is known by', async () => {
    const api = await startApi({ ...world.environment, HALDIR_PUBLIC_URL: 'https://haldir.example.com' });
    const client = await shaken({ ...party, url: api.url });
    const { message } = await client.call(CALL.name, CALL.arguments);
    expect(message?.error?.data).toMatchObject({
      elicitations: [{ url: expect.stringMatching(/^https:\/\/haldir\.example\.com\/approvals\/apr_/) }],
    });
    await api.stop();
  });
});

it('a human at the client who does not want to go on is not asked again, and the client is told to poll at once', async () => {
  const api = await startApi({ ...world.environment, MCP_HOLD_SECONDS: '300' });
  const client = await connectMcp({ ...party, url: api.url }, 'stateless', {
    capabilities: { elicitation: {} },
    prepare: (it) => it.setRequestHandler('elicitation/create', () => ({ action: 'decline' })),
  });
  const result = asResult(await client.callTool(CALL));
  expect(JSON.parse(result.content[0]?.text ?? '')).toMatchObject({ status: 'approval_required' });
  await client.close();
  await api.stop();
});

it.each<McpRevision>(['stateless', 'handshake'])(
  'a call that was held by a process that died is made by another, once, when its client comes again (%s)',
  async (revision) => {
    const api = await startApi(world.environment);
    const call = new BareMcp({ ...party, url: api.url }, revision).call(CALL.name, CALL.arguments);
    call.catch(() => undefined);
    await pendingRequest(scenario.tenant);
    await api.kill();
    await expect(call).rejects.toThrow();
    await decidePending(scenario.tenant, 'approve');
    const agent = new BareMcp(party, revision);
    const replies = await Promise.all(Array.from({ length: 5 }, () => agent.call(CALL.name, CALL.arguments)));
    expect(replies.filter(({ message }) => message?.result?.content?.[0]?.text === 'echo')).toHaveLength(1);
    expect(scenario.up.calls).toHaveLength(1);
  },
);
