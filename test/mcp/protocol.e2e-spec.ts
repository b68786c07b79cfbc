import {
  type Balancer,
  BareMcp,
  type Client,
  connectMcp,
  type EverythingServer,
  type McpRevision,
  type McpUpstream,
  startBalancer,
  startEverything,
  startMcpUpstream,
  startWorld,
  type World,
} from '@haldir/test-support';

let world: World;
let balancer: Balancer;
let upstream: McpUpstream;
let everything: EverythingServer;
let tenant: Client;
let session: string;

const REVISIONS: McpRevision[] = ['stateless', 'handshake'];
const party = (over: { key?: string; session?: string | undefined } = {}) => ({
  url: balancer.url,
  key: tenant.key ?? '',
  session,
  ...over,
});
const bare = (revision: McpRevision = 'stateless', version?: string): BareMcp =>
  new BareMcp(party(), revision, version);

beforeAll(async () => {
  world = await startWorld({ processes: 3, environment: { UPSTREAM_TIMEOUT_SECONDS: '10' } });
  balancer = await startBalancer(world.apis);
  upstream = await startMcpUpstream();
  everything = await startEverything();
  tenant = await world.newTenant();
  for (const [name, { url }] of Object.entries({ lib: upstream, everything })) {
    const { body } = await tenant.post('/v1/proxy/upstreams', { name, url });
    expect(body).toMatchObject({ registered: true, healthy: true });
  }
  session = await tenant.session({ agent_id: 'agent', scopes: ['execute'] });
});
afterAll(async () => {
  await balancer.stop();
  await upstream.stop();
  await everything.kill();
  await world.stop();
});

describe.each(REVISIONS)('an official client of the %s revisions, over three processes in turn', (revision) => {
  it('lists the tools of every upstream as they were defined, and calls them', async () => {
    const client = await connectMcp(party(), revision);
    expect(client.getServerVersion()).toMatchObject({ name: 'haldir' });
    const { tools } = await client.listTools();
    const names = tools.map(({ name }) => name);
    expect(names).toContain('everything__echo');
    expect(names.filter((name) => !name.includes('__'))).toEqual([
      ...['checkPermission', 'getSecret', 'authorizePayment', 'logAction', 'requestApproval', 'checkApproval'],
    ]);
    expect(tools.find(({ name }) => name === 'lib__weather')).toMatchObject({
      title: 'Weather',
      description: 'The weather of a region',
      inputSchema: { properties: { region: { enum: ['eu', 'us'], 'x-mcp-header': 'Region' } } },
      outputSchema: { properties: { degrees: { type: 'number' } } },
      annotations: { readOnlyHint: true, openWorldHint: true },
    });
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(names);

    const echoes = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        client.callTool({ name: 'everything.echo', arguments: { message: `${i}` } }),
      ),
    );
    expect(echoes.map(({ content }) => content)).toEqual(echoes.map((_, i) => [{ type: 'text', text: `Echo: ${i}` }]));
    const weather = await client.callTool({ name: 'lib__weather', arguments: { region: 'eu' } });
    expect(weather).toMatchObject({
      content: [{ type: 'text', text: 'fine in eu' }],
      structuredContent: { degrees: 21.5 },
      _meta: { 'example.com/source': 'station' },
    });
    expect(await client.callTool({ name: 'lib.fail', arguments: {} })).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: 'it did not work' }],
    });
    await client.close();
  });

  it('hears of progress under its own token', async () => {
    const client = await connectMcp(party(), revision);
    const heard: unknown[] = [];
    const result = await client.callTool(
      { name: 'lib.count', arguments: { to: 3 } },
      { onprogress: (progress) => heard.push(progress) },
    );
    expect(result.content).toEqual([{ type: 'text', text: 'counted to 3' }]);
    expect(heard).toEqual([1, 2, 3].map((progress) => ({ progress, total: 3, message: `at ${progress}` })));
    await client.close();
  });
});

describe('the stateless revision', () => {
  it('describes itself, and what may be cached for how long', async () => {
    const { status, message } = await bare().ask('server/discover');
    expect(status).toBe(200);
    expect(message?.result).toMatchObject({
      resultType: 'complete',
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: {} },
      cacheScope: 'private',
      ttlMs: expect.any(Number),
      instructions: expect.stringContaining('checkApproval'),
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'haldir' } },
    });
    const list = (await bare().ask('tools/list')).message?.result;
    expect(list).toMatchObject({ resultType: 'complete', cacheScope: 'private', ttlMs: expect.any(Number) });
    expect(
      (await bare().call('lib.weather', { region: 'eu' }, { 'mcp-param-region': 'eu' })).message?.result,
    ).toMatchObject({ resultType: 'complete' });
  });

  it('takes no header that says something else than the body', async () => {
    const wrong: Record<string, string>[] = [
      { 'mcp-method': 'tools/list' },
      { 'mcp-method': '' },
      { 'mcp-name': 'lib.fail' },
      { 'mcp-name': '' },
      { 'mcp-name': '=?base64?%%%?=' },
      { 'mcp-protocol-version': '2025-11-25' },
      { 'mcp-protocol-version': '' },
    ];
    for (const headers of wrong) {
      const { status, message } = await bare().call('lib.weather', { region: 'eu' }, headers);
      expect([status, message?.error?.code], JSON.stringify(headers)).toEqual([400, -32020]);
    }
    const named = `=?base64?${Buffer.from('lib.weather').toString('base64')}?=`;
    expect(
      (await bare().call('lib.weather', { region: 'eu' }, { 'mcp-name': named, 'mcp-param-region': 'eu' })).status,
    ).toBe(200);
  });

  it('takes no call whose headers say something else than the arguments they repeat', async () => {
    for (const header of ['us', '=?base64?%%%?=', '']) {
      const { status, message } = await bare().call('lib.weather', { region: 'eu' }, { 'mcp-param-region': header });
      expect([header, status, message?.error?.code]).toEqual([header, 400, -32020]);
    }
    const other = await bare().call('everything.echo', { message: 'x' }, { 'mcp-param-region': 'us' });
    expect(other.status).toBe(200);
    expect((await bare('handshake').call('lib.weather', { region: 'eu' })).status).toBe(200);
  });

  it('names the versions there are to a client of another, and has 404 for methods there are not', async () => {
    const client = bare();
    const meta = {
      ...(client.paramsOf({})['_meta'] as object),
      'io.modelcontextprotocol/protocolVersion': '2030-01-01',
    };
    const unknown = await client.send(
      { jsonrpc: '2.0', id: 'x', method: 'tools/list', params: { _meta: meta } },
      { 'mcp-protocol-version': '2030-01-01', 'mcp-method': 'tools/list' },
    );
    expect(unknown.status).toBe(400);
    expect(unknown.message).toMatchObject({
      id: 'x',
      error: { code: -32022, data: { supported: ['2026-07-28'], requested: '2030-01-01' } },
    });
    for (const method of ['ping', 'initialize', 'resources/subscribe', 'nothing/like/it']) {
      const { status, message } = await client.ask(method);
      expect([status, message?.error?.code], method).toEqual([404, -32601]);
    }
  });
});

describe('the revisions with a handshake', () => {
  it.each(['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'])('shakes hands in %s', async (version) => {
    const client = bare('handshake', version);
    const hello = { protocolVersion: version, capabilities: {}, clientInfo: { name: 'bare', version: '1' } };
    const { status, headers, message } = await client.ask('initialize', hello);
    expect(status).toBe(200);
    expect(message?.result).toMatchObject({
      protocolVersion: version,
      capabilities: { tools: {} },
      serverInfo: { name: 'haldir' },
    });
    const id = headers.get('mcp-session-id') ?? '';
    expect(id).toMatch(/^plain\.[\w-]{22}$/);
    expect((await client.ask('initialize', hello)).headers.get('mcp-session-id')).not.toBe(id);
    // Any process knows it; a client that does not send it back is served as well.
    for (const sent of [id, '', id, id]) {
      const more = { 'mcp-session-id': sent };
      const initialized = await client.send(
        { jsonrpc: '2.0', method: 'notifications/initialized' },
        { 'mcp-protocol-version': version, ...more },
      );
      expect([initialized.status, initialized.message]).toEqual([202, null]);
      expect((await client.ask('ping', {}, more)).message?.result).toEqual({});
      const list = (await client.ask('tools/list', {}, more)).message?.result;
      expect(Object.keys(list ?? {})).toEqual(['tools']);
    }
  });

  it.each(['x', 'plain.short', 'else.6CxBTYfhDym1-yQgXh_LRg', 'plain.6CxBTYfhDym1-yQgXh_LR=', 'url.'.repeat(100)])(
    'know no session %s, so that its client shakes hands anew',
    async (id) => {
      const { status, message } = await bare('handshake').ask('tools/list', {}, { 'mcp-session-id': id });
      expect([status, message?.error]).toEqual([
        ...[404, { code: -32001, message: 'Mcp-Session-Id: no such session; send initialize without it' }],
      ]);
      // The stateless revision has none.
      expect((await bare().ask('tools/list', {}, { 'mcp-session-id': id })).status).toBe(200);
    },
  );

  it('offers the newest of them to a client of one nobody knows', async () => {
    const { message } = await bare('handshake').ask('initialize', { protocolVersion: '1999-01-01', capabilities: {} });
    expect(message?.result).toMatchObject({ protocolVersion: '2025-11-25' });
    const { status, message: refused } = await bare('handshake', '1999-01-01').ask('tools/list');
    expect([status, refused?.error?.message]).toEqual([400, expect.stringContaining('2025-11-25')]);
  });

  it('answers a batch as one, where the revision has batches', async () => {
    const batch = [
      { jsonrpc: '2.0', id: 1, method: 'ping' },
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'lib.weather', arguments: { region: 'us' } } },
      { jsonrpc: '2.0', id: 'three', method: 'nothing' },
    ];
    const { status, message } = await bare('handshake').send(batch, { 'mcp-protocol-version': '2025-03-26' });
    expect(status).toBe(200);
    expect(message).toMatchObject([
      { id: 1, result: {} },
      { id: 2, result: { structuredContent: { degrees: 21.5 } } },
      { id: 'three', error: { code: -32601 } },
    ]);
    expect((await bare('handshake').send(batch, { 'mcp-protocol-version': '2025-06-18' })).status).toBe(400);
  });
});

describe('the endpoint', () => {
  it('has neither a stream for operators nor a session to delete', async () => {
    for (const method of ['GET', 'DELETE', 'PUT']) {
      const { status, headers } = await tenant.send(method, '/mcp');
      expect([method, status, headers.get('allow')?.endsWith('POST, OPTIONS')]).toEqual([method, 405, true]);
    }
  });

  it('keeps out pages of other origins, and host names that were made to point here', async () => {
    for (const origin of ['https://evil.example', 'null', 'http://localhost.evil.example']) {
      const { status, message } = await bare().ask('tools/list', {}, { origin });
      expect([origin, status, message?.error?.message]).toEqual([origin, 403, expect.stringContaining('Origin')]);
    }
    expect((await bare().ask('tools/list', {}, { origin: 'http://localhost:5173' })).status).toBe(200);
  });

  it('tells who looks for an authorization server that there is none', async () => {
    for (const path of ['/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp']) {
      const { status, body } = await tenant.get(path);
      expect([status, body]).toMatchObject([
        200,
        { resource: expect.stringMatching(/\/mcp$/), bearer_methods_supported: ['header'], authorization_servers: [] },
      ]);
    }
    expect((await tenant.get('/.well-known/oauth-authorization-server')).status).toBe(404);
  });
});
