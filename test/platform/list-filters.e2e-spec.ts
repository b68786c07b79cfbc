import { type Client, eventually, Scenario, startWorld, type World } from '@haldir/test-support';
import { freePort } from '../../scripts/embedded/ports.mjs';

type Json = Record<string, unknown>;
type Query = Readonly<Record<string, string>>;

let world: World;
let tenant: Client;
let stranger: Client;
beforeAll(async () => {
  world = await startWorld();
  tenant = await world.newTenant();
  stranger = await world.newTenant();
});
afterAll(() => world.stop());

/** A list, walked page by page, what it holds told as ids. */
class List {
  constructor(
    private readonly path: string,
    private readonly member: string,
    private readonly idOf: (item: Json) => string,
  ) {}

  async ids(query: Query, by: Client = tenant): Promise<string[]> {
    const found: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const asked = new URLSearchParams({ ...query, ...(cursor === '' ? {} : { cursor }) }).toString();
      const { status, body } = await by.get<Json>(`${this.path}?${asked}`);
      expect([this.path, query, status]).toEqual([this.path, query, 200]);
      const items = body[this.member] as Json[] | Record<string, Json>;
      found.push(
        ...(Array.isArray(items) ? items : Object.entries(items).map(([name, item]) => ({ ...item, name }))).map(
          this.idOf,
        ),
      );
      cursor = body['next_cursor'] as string | null;
    }
    return found;
  }

  /** That a filter lets through exactly these, whole and page by page, and nothing of another tenant. */
  async expect(query: Query, meant: readonly string[]): Promise<void> {
    expect([query, await this.ids(query)]).toEqual([query, meant]);
    expect([query, await this.ids({ ...query, limit: '1' })]).toEqual([query, meant]);
    const strange = await this.ids(query, stranger);
    expect([query, strange.filter((id) => meant.includes(id))]).toEqual([query, []]);
  }

  /** That these are refused, with the name of the filter. */
  async refuses(wrong: Readonly<Record<string, readonly string[]>>): Promise<void> {
    for (const [name, values] of Object.entries({ ...wrong, q: ['', 'x'] })) {
      for (const value of ['', ...values]) {
        const { status, body } = await tenant.get<Json>(
          `${this.path}?${new URLSearchParams({ [name]: value }).toString()}`,
        );
        expect([this.path, name, value.slice(0, 9), status, body['field']]).toEqual([
          ...[this.path, name, value.slice(0, 9)],
          ...[400, name],
        ]);
      }
    }
  }
}

/** The id of the request that a held call waits for. */
function heldAs({ body }: { body: { content: { text: string }[] } }): string {
  return String((JSON.parse(body.content[0]?.text ?? '{}') as Json)['request_id']);
}

const long = 'x'.repeat(400);

it('sessions are found by who opened them', async () => {
  const own = await world.newTenant();
  const prefix = String(own.key).slice(0, 14);
  const { body: other } = await own.post<{ key: string; prefix: string }>('/v1/keys', { scopes: ['sessions:*'] });
  const sessions = new List('/v1/sessions', 'sessions', ({ session_id: id }) => String(id));
  const mine = [await own.session({ agent_id: 'a' }), await own.session({ agent_id: 'b' })];
  const theirs: string[] = [];
  for (let i = 0; i < 3; i++) {
    const opened = await own.send<Json>(
      'POST',
      '/v1/sessions',
      { agent_id: 'a' },
      { authorization: `Bearer ${other.key}` },
    );
    theirs.push(String(opened.body['session_id']));
  }
  await own.delete(`/v1/sessions/${theirs[1] ?? ''}`);
  const before = tenant;
  tenant = own;
  await sessions.expect({ opened_by: prefix }, [...mine].reverse());
  await sessions.expect({ opened_by: other.prefix }, [...theirs].reverse());
  await sessions.expect({ opened_by: other.prefix, agent_id: 'a', status: 'active' }, [
    theirs[2] ?? '',
    theirs[0] ?? '',
  ]);
  await sessions.expect({ opened_by: 'hld_nobody' }, []);
  await sessions.refuses({ opened_by: [long], agent_id: [long], status: ['live'] });
  tenant = before;
});

it('keys are found by kind, agent, prefix and status', async () => {
  tenant = await world.newTenant();
  const keys = new List('/v1/keys', 'keys', ({ prefix }) => String(prefix));
  const mint = async (body: Json): Promise<string> => String((await tenant.post('/v1/keys', body)).body['prefix']);
  const agent = (agent_id: string): Json => ({ agent: { agent_id, scopes: ['read'], ttl: 60, spend_limit: 0 } });
  const first = String(tenant.key).slice(0, 14);
  const plain = await mint({ scopes: ['audit:read'] });
  const a = await mint(agent('a'));
  const b = await mint(agent('b'));
  const brief = await mint({ ...agent('a'), expires_at: new Date(Date.now() + 1500).toISOString() });
  expect((await tenant.delete(`/v1/keys/${plain}`)).status).toBe(200);
  await eventually(async () => expect(await keys.ids({ status: 'expired' })).toEqual([brief]));
  await keys.expect({ kind: 'agent' }, [a, b, brief]);
  await keys.expect({ kind: 'key' }, [first, plain]);
  await keys.expect({ agent_id: 'a' }, [a, brief]);
  await keys.expect({ prefix: b }, [b]);
  await keys.expect({ prefix: b.slice(4) }, []);
  await keys.expect({ status: 'revoked' }, [plain]);
  await keys.expect({ status: 'active' }, [first, a, b]);
  await keys.expect({ status: 'active', agent_id: 'a' }, [a]);
  await keys.refuses({ kind: ['agents'], agent_id: [long], prefix: [long], status: ['live'] });
});

it('payments are found by when they were made', async () => {
  tenant = await world.newTenant();
  const payments = new List('/v1/payments', 'payments', ({ authorization_id: id }) => String(id));
  const session = await tenant.session({ spend_limit: 100 });
  const other = await tenant.session({ agent_id: 'b', spend_limit: 100 });
  const made: { id: string; at: number }[] = [];
  for (const session_id of [session, other, session, other]) {
    const { body } = await tenant.post<Json>('/v1/payments/authorize', { session_id, amount: 1 });
    const { body: told } = await tenant.get<{ payments: Json[] }>('/v1/payments?limit=1');
    made.unshift({ id: String(body['authorization_id']), at: Number(told.payments[0]?.['timestamp']) });
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const [d, c, b, a] = made;
  if (!a || !b || !c || !d) throw new Error('four were made');
  await payments.expect({ since: String(b.at) }, [d.id, c.id, b.id]);
  await payments.expect({ until: String(b.at) }, [b.id, a.id]);
  await payments.expect({ since: new Date(b.at * 1000).toISOString(), until: String(c.at) }, [c.id, b.id]);
  await payments.expect({ until: String(c.at), session_id: session }, [c.id, a.id]);
  await payments.expect({ since: String(b.at), agent_id: 'b', status: 'authorized' }, [d.id, b.id]);
  await payments.expect({ since: '2100-01-01' }, []);
  await payments.refuses({
    since: ['yesterday'],
    until: ['2027-02-30'],
    session_id: [],
    agent_id: [],
    status: ['paid'],
  });
});

describe('what the proxy has', () => {
  let scenario: Scenario;
  beforeAll(async () => {
    tenant = await world.newTenant();
    scenario = await Scenario.begin(world, { tenant });
    await scenario.upstream('files', 'read', 'ReadAll', 'write');
    await scenario.upstream('Mail_1', 'read', 'send');
    expect((await scenario.register('dead', `http://127.0.0.1:${await freePort()}/mcp`)).status).toBe(201);
  });
  afterAll(() => scenario.end());

  it('upstreams are found by health and a part of their name', async () => {
    const upstreams = new List('/v1/proxy/upstreams', 'upstreams', ({ name }) => String(name));
    await upstreams.expect({ healthy: 'true' }, ['Mail_1', 'files']);
    await upstreams.expect({ healthy: 'false' }, ['dead']);
    await upstreams.expect({ name_contains: 'I' }, ['Mail_1', 'files']);
    await upstreams.expect({ name_contains: 'mail_' }, ['Mail_1']);
    await upstreams.expect({ name_contains: '%' }, []);
    await upstreams.expect({ name_contains: 'e', healthy: 'false' }, ['dead']);
    await upstreams.refuses({ healthy: ['yes'], name_contains: [long] });
  });

  it('tools are found by upstream and a part of their name', async () => {
    const tools = new List('/v1/proxy/tools', 'tools', ({ name }) => String(name));
    await tools.expect({ upstream: 'files' }, ['ReadAll', 'read', 'write']);
    await tools.expect({ name_contains: 'READ' }, ['read', 'ReadAll', 'read']);
    await tools.expect({ name_contains: 'e', upstream: 'Mail_1', drifted: 'false' }, ['read', 'send']);
    // The part is one of the tool's own name.
    await tools.expect({ name_contains: 'mail' }, []);
    await tools.refuses({ upstream: [long], name_contains: [long], drifted: ['yes'] });
  });

  it('policies are found by type, mode and the upstream they hold for', async () => {
    const policies = new List('/v1/proxy/policies', 'policies', ({ id }) => String(id));
    const scope = (upstreams: string[]): Json => ({ scope: { upstreams } });
    const everywhere = await scenario.policy('block_tool', { tool: 'rm' });
    const files = await scenario.policy('block_tool', { tool: 'rm', ...scope(['files']), mode: 'log_only' });
    const mail = await scenario.policy('spend_limit', { max: 5, ...scope(['*ail_?', 'Mai*_1', 'x']) });
    const odd = await scenario.policy('spend_limit', { max: 5, ...scope(['Mail%']) }).catch(() => null);
    await policies.expect({ type: 'block_tool' }, [everywhere, files]);
    await policies.expect({ mode: 'log_only' }, [files]);
    await policies.expect({ upstream: 'files' }, [everywhere, files]);
    await policies.expect({ upstream: 'Mail_1' }, [everywhere, mail]);
    await policies.expect({ upstream: 'MailX1' }, [everywhere]);
    await policies.expect({ upstream: 'Mail_1', type: 'spend_limit', mode: 'enforce' }, [mail]);
    await policies.refuses({ type: ['block'], mode: ['off'], upstream: [long] });
    for (const id of [everywhere, files, mail, odd]) if (id !== null) await tenant.delete(`/v1/proxy/policies/${id}`);
  });

  it('requests for approval are found by tool and by the rule that asked', async () => {
    const { body } = await tenant.post<Json>('/v1/approvals/rules', { type: 'tool_blocked', tools: ['send'] });
    const rule = String(body['id']);
    const policy = await scenario.policy('require_approval', { scope: { tools: ['files.write'] } });
    const made: string[] = [];
    for (const [tool, text] of [
      ['Mail_1.send', 'a'],
      ['files.write', 'b'],
      ['Mail_1.send', 'c'],
    ] as const)
      made.unshift(heldAs(await scenario.call(tool, { text })));
    const own = await tenant.post<Json>('/v1/approvals/request', { session_id: scenario.session, tool: 'files.write' });
    const asked = String(own.body['request_id']);
    const [third = '', second = '', first = ''] = made;
    for (const path of ['/v1/approvals', '/v1/approvals/pending']) {
      const requests = new List(path, 'requests', ({ request_id: id }) => String(id));
      await requests.expect({ tool: 'Mail_1.send' }, [third, first]);
      await requests.expect({ tool: 'files.write' }, [asked, second]);
      await requests.expect({ rule }, [third, first]);
      await requests.expect({ rule: policy }, [second]);
      await requests.expect({ rule: policy, tool: 'Mail_1.send' }, []);
      await requests.refuses({ rule: [long], tool: [long], agent_id: [long] });
    }
    expect((await tenant.post(`/v1/approvals/${first}/deny`, {})).status).toBe(200);
    const decided = new List('/v1/approvals', 'requests', ({ request_id: id }) => String(id));
    await decided.expect({ rule, status: 'denied', agent_id: 'agent' }, [first]);
  });
});
