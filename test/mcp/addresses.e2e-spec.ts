import {
  BareMcp,
  type Client,
  type McpReply,
  type ResourceUpstream,
  startResourceUpstream,
  startWorld,
  type World,
} from '@haldir/test-support';

const PASSWD = 'file:///etc/passwd';

let world: World;
let tenant: Client;
let agent: BareMcp;
let files: ResourceUpstream;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());
beforeEach(async () => {
  tenant = await world.newTenant();
  files = await startResourceUpstream('files');
  files.resources = [{ uri: PASSWD, name: 'passwd' }];
  files.templates = [
    { uriTemplate: 'file:///{+path}', name: 'any' },
    { uriTemplate: 'doc://public/a/{+path}', name: 'public' },
  ];
  expect((await tenant.post('/v1/proxy/upstreams', { name: 'files', url: files.url })).status).toBe(201);
  agent = new BareMcp({
    ...{ url: tenant.url, key: tenant.key ?? '' },
    session: await tenant.session({ scopes: ['read'] }),
  });
});
afterEach(() => files.stop());

const read = (uri: string): Promise<McpReply> => agent.ask('resources/read', { uri }, { 'mcp-name': uri });
const textOf = ({ message }: McpReply): unknown =>
  (message?.result?.['contents'] as { text: string }[] | undefined)?.[0]?.text ?? null;
const policy = async (body: object): Promise<void> => {
  expect((await tenant.post('/v1/proxy/policies', body)).status).toBe(201);
};

describe.each([
  'file:///%65tc/passwd',
  'FILE:///etc/x/../passwd',
  'file:///%2565tc//passwd',
  'file:///etc/passwd%00#x',
])('the address %s of a file that is denied as file:///etc/passwd', (uri) => {
  it.each([
    [{ type: 'deny_list', tools: [PASSWD] }],
    [{ type: 'deny_list', tools: [`files.${PASSWD}`] }],
    [{ type: 'block_tool', tool: 'file://localhost/%65tc/passwd' }],
    [{ type: 'rate_limit', max_per_minute: 0, scope: { tools: ['file:///etc/*'] } }],
  ])('is denied by %j', async (body) => {
    await policy(body);
    expect((await read(uri)).message?.error?.data).toMatchObject({ blocked_by: 'haldir' });
    expect(files.asked).not.toContain('resources/read');
  });

  it('needs the approval that the file needs', async () => {
    await tenant.post('/v1/approvals/rules', { type: 'tool_blocked', tools: [PASSWD] });
    expect((await read(uri)).message?.error?.data).toMatchObject({ status: 'approval_required' });
    expect(files.asked).not.toContain('resources/read');
  });
});

it('a list that allows an address allows what is certainly the same, which is asked for as it was written', async () => {
  await policy({ type: 'allow_list', tools: [PASSWD] });
  expect(textOf(await read(PASSWD))).toBe(`files has ${PASSWD}`);
  expect(textOf(await read('FILE:///%65tc/passwd'))).toBe('files has FILE:///%65tc/passwd');
  for (const uri of ['file:///x/../etc/passwd', 'file:///%2565tc/passwd', 'file:///etc/passwd#x'])
    expect([uri, textOf(await read(uri))]).toEqual([uri, null]);
});

it('an address that leaves its template by dot segments is not of it', async () => {
  expect(textOf(await read('doc://public/a/./b'))).toBe('files has doc://public/a/./b');
  expect(textOf(await read('DOC://public/a/b'))).toBe('files has DOC://public/a/b');
  for (const uri of ['doc://public/a/../b', 'doc://public/a/%2e%2e/b']) expect(textOf(await read(uri))).toBeNull();
});

it('what is denied is in no list, however its upstream writes it', async () => {
  await policy({ type: 'deny_list', tools: ['FILE:///etc/./passwd'] });
  const { message } = await agent.ask('resources/list');
  expect(message?.result?.['resources']).toEqual([]);
});
