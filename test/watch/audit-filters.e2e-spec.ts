import { BareMcp, Client, Scenario, startWorld, type World } from '@haldir/test-support';

interface Entry {
  entry_id: string;
  tool: string;
  action: string;
  source: string;
  details: string | null;
  agent_id: string;
  actor: string;
  actor_id: string;
}

interface Page {
  count: number;
  entries: Entry[];
  next_cursor: string | null;
}

type Query = Readonly<Record<string, string>>;

let world: World;
let tenant: Client;
let scenario: Scenario;
let log: Entry[];
let policy: string;
let rule: string;
let agentKey: string;

beforeAll(async () => {
  world = await startWorld();
  tenant = await world.newTenant();
  scenario = await Scenario.begin(world, { tenant });
  await scenario.upstream('files', 'echo', 'rm');
  await scenario.upstream('Mail', 'send');
  policy = await scenario.policy('block_tool', { tool: 'files.rm' });
  const added = await tenant.post('/v1/approvals/rules', { type: 'tool_blocked', tools: ['send'] });
  rule = String(added.body['id']);
  await scenario.call('files.echo', { text: 'one' });
  await scenario.call('files.rm', { text: 'two' });
  await scenario.call('Mail.send', { text: 'three' });
  await scenario.call('nowhere.echo', { text: 'four' });
  // What an agent writes decides nothing.
  const forged = { policy_id: policy, rule_id: rule, decision: 'blocked', upstream: 'files' };
  for (const [action, details] of [
    ['tool_call', forged],
    ['a'.repeat(3000), '\u0001not JSON'],
    ['naïve "quoted" action', null],
  ] as const)
    await tenant.post('/v1/audit', { session_id: scenario.session, tool: 'files.echo', action, details });
  const key = await tenant.post<{ key: string; prefix: string }>('/v1/keys', {
    name: 'agent',
    agent: { agent_id: 'mailer', scopes: ['execute'], ttl: 600, spend_limit: 5 },
  });
  agentKey = key.body.prefix;
  const acting = new Client(tenant.url, key.body.key);
  const session = await acting.session({ agent_id: 'mailer' });
  for (const tool of ['files.echo', 'files.rm']) await scenario.call(tool, { text: 'a' }, { by: acting, session });
  log = await all({});
}, 120_000);
afterAll(async () => {
  await scenario.end();
  await world.stop();
});

async function page(query: Query, by = tenant): Promise<Page> {
  const { status, body } = await by.get<Page>(`/v1/audit?${new URLSearchParams(query).toString()}`);
  expect([query, status]).toEqual([query, 200]);
  expect(body.count).toBe(body.entries.length);
  return body;
}

/** Every entry, page by page. */
async function all(query: Query, by = tenant): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const found: Page = await page({ ...query, ...(cursor === '' ? {} : { cursor }) }, by);
    entries.push(...found.entries);
    cursor = found.next_cursor;
  }
  return entries;
}

const idsOf = (entries: readonly { entry_id: string }[]): string[] => entries.map(({ entry_id: id }) => id);

/** A member of what Haldir wrote of an entry. */
function said({ source, details }: Entry, member: string): unknown {
  return source === 'agent' || details === null ? undefined : (JSON.parse(details) as Record<string, unknown>)[member];
}

/** Queries, and what each of them means, told from the entries themselves. */
const filters = (): [Query, (entry: Entry) => boolean][] => [
  [{ action: 'tool_call' }, ({ action }) => action === 'tool_call'],
  [{ action: 'a'.repeat(3000) }, ({ action }) => action === 'a'.repeat(3000)],
  [{ action: 'naïve "quoted" action' }, ({ action }) => action.startsWith('naïve')],
  [{ decision: 'allowed' }, (entry) => entry.source === 'proxy' && said(entry, 'decision') === 'allowed'],
  [{ decision: 'blocked' }, (entry) => entry.source === 'proxy' && said(entry, 'decision') === 'blocked'],
  [{ decision: 'approval_required' }, (entry) => said(entry, 'decision') === 'approval_required'],
  [{ rule: policy }, (entry) => said(entry, 'policy_id') === policy],
  [{ rule }, (entry) => said(entry, 'rule_id') === rule],
  [{ upstream: 'files' }, ({ source, tool }) => source === 'proxy' && tool.startsWith('files.')],
  [{ upstream: 'Mail' }, ({ source, tool }) => source === 'proxy' && tool.startsWith('Mail.')],
  [{ tool_contains: 'mAIL' }, ({ tool }) => tool.toLowerCase().includes('mail')],
  [{ tool_contains: 's.' }, ({ tool }) => tool.includes('s.')],
  [{ actor: agentKey }, ({ actor_id: id }) => id === agentKey],
  [{ actor: `agent:mailer (${agentKey})` }, ({ actor }) => actor === `agent:mailer (${agentKey})`],
];

it('finds exactly the entries that each filter means, page by page, alone and with every other', async () => {
  const known = filters();
  for (const [query, isMeant] of known) {
    const meant = idsOf(log.filter(isMeant));
    expect([query, meant.length > 0]).toEqual([query, true]);
    expect([query, idsOf(await all(query))]).toEqual([query, meant]);
    expect([query, idsOf(await all({ ...query, limit: '2' }))]).toEqual([query, meant]);
  }
  const more: typeof known = [
    ...known,
    [{ agent_id: 'mailer' }, ({ agent_id: agent }) => agent === 'mailer'],
    [
      { session_id: scenario.session, tool: 'files.rm' },
      ({ agent_id: agent, tool }) => agent === 'agent' && tool === 'files.rm',
    ],
    [{ flagged: 'false' }, () => true],
    [{ since: '2020-01-01', until: '2100-01-01' }, () => true],
  ];
  for (const [one, isOne] of known) {
    for (const [other, isOther] of more) {
      const query = { ...one, ...other, limit: '1' };
      if (Object.keys(query).length < Object.keys(one).length + Object.keys(other).length + 1) continue;
      const meant = idsOf(log.filter((entry) => isOne(entry) && isOther(entry)));
      expect([query, idsOf(await all(query))]).toEqual([query, meant]);
    }
  }
}, 120_000);

it('finds an entry as soon as it is written, and pages stay whole while others are', async () => {
  const own = await world.newTenant();
  const session = await own.session();
  const written: string[] = [];
  const write = async (tool: string): Promise<void> => {
    const { body } = await own.post('/v1/audit', { session_id: session, tool, action: 'press' });
    written.unshift(String(body['entry_id']));
    const query: Query = { action: 'press', tool_contains: tool, limit: '1' };
    expect(idsOf((await page(query, own)).entries)).toEqual([body['entry_id']]);
  };
  for (const tool of ['button 1', 'button 2', 'button 3', 'button 4']) await write(tool);
  const before = [...written];
  const first = await page({ action: 'press', tool_contains: 'BUTTON', limit: '2' }, own);
  await write('button 5');
  const cursor = first.next_cursor ?? '';
  const second = await page({ action: 'press', tool_contains: 'BUTTON', limit: '2', cursor }, own);
  expect([...idsOf(first.entries), ...idsOf(second.entries)]).toEqual(before);
  // A cursor belongs to its filters.
  const foreign = await own.get(`/v1/audit?action=press&tool_contains=button&decision=allowed&cursor=${cursor}`);
  expect([foreign.status, foreign.body['field']]).toEqual([400, 'cursor']);
  const stranger = await world.newTenant();
  for (const [query] of filters()) expect(await all(query, stranger)).toEqual([]);
});

it('exports the same, with a manifest that says by what', async () => {
  for (const [query, isMeant] of filters()) {
    const asked = new URLSearchParams(query).toString();
    const reply = await fetch(`${tenant.url}/v1/audit/export?${asked}`, {
      headers: { authorization: `Bearer ${tenant.key ?? ''}` },
    });
    const lines = (await reply.text())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Entry & { filters?: Query });
    const { filters: told } = lines.pop() ?? {};
    expect([query, idsOf(lines)]).toEqual([query, idsOf(log.filter(isMeant)).reverse()]);
    expect(Object.keys(told ?? {})).toEqual(Object.keys(query));
  }
});

it('is asked for by agents’ operators over /mcp alike', async () => {
  const { message } = await new BareMcp({ url: tenant.url, key: tenant.key ?? '' }).call('getAuditTrail', {
    decision: 'blocked',
    tool_contains: 'FILES',
  });
  const { structuredContent } = (message?.result ?? {}) as { structuredContent?: Page };
  expect(structuredContent?.entries.map(({ tool }) => tool)).toEqual(['files.rm', 'files.rm']);
});

it('refuses what is no such filter, and names it', async () => {
  const wrong: Record<string, string[]> = {
    action: ['', 'x'.repeat(4001)],
    decision: ['', 'denied', 'ALLOWED'],
    rule: ['', 'x'.repeat(65)],
    upstream: ['', 'x'.repeat(65)],
    tool_contains: ['', 'a', 'x'.repeat(331)],
    actor: ['', 'x'.repeat(257)],
    ...{ session_id: [''], agent_id: [''], tool: [''], flagged: [''], since: [''], until: [''], q: ['', 'x'] },
    'session_id[]': ['a'],
    agent: ['x'],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      for (const path of ['/v1/audit', '/v1/audit/export', '/v1/audit/export/manifest']) {
        const reply = await tenant.get(`${path}?${new URLSearchParams({ [name]: value }).toString()}`);
        expect([path, name, reply.status, reply.body['field']]).toEqual([path, name, 400, name]);
      }
    }
  }
  const twice = await tenant.get('/v1/audit?action=a&action=b');
  expect([twice.status, twice.body['field']]).toEqual([400, 'action']);
});

it('finds no entry by details that were erased, and the log stays whole', async () => {
  const [blocked] = await all({ rule: policy, decision: 'blocked' });
  if (!blocked) throw new Error('nothing was blocked');
  expect((await tenant.delete(`/v1/audit/${blocked.entry_id}/details`)).status).toBe(200);
  expect(idsOf(await all({ rule: policy }))).not.toContain(blocked.entry_id);
  expect(idsOf(await all({ decision: 'blocked' }))).not.toContain(blocked.entry_id);
  expect(idsOf(await all({ upstream: 'files', action: 'tool_call_blocked' }))).toContain(blocked.entry_id);
  expect((await tenant.get('/v1/audit/verify')).body).toMatchObject({ verified: true });
});
