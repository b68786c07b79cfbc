import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { Client as McpClient } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import {
  type Client,
  eventually,
  type FakeUpstream,
  type McpRevision,
  type McpUpstream,
  type RpcMessage,
  serveHttp,
  startApi,
  startConformanceUpstream,
  startFakeUpstream,
  startMcpUpstream,
  startWorld,
  STATELESS_VERSION,
  type World,
} from '@haldir/test-support';

let world: World;
let tenant: Client;
let upstream: McpUpstream;

beforeAll(async () => {
  world = await startWorld();
  upstream = await startMcpUpstream();
  tenant = await world.newTenant();
  await tenant.post('/v1/proxy/upstreams', { name: 'lib', url: upstream.url });
});
afterAll(async () => {
  await upstream.stop();
  await world.stop();
});

const PROGRAM = join(import.meta.dirname, '..', '..', 'dist', 'apps', 'cli', 'src', 'main.js');
type Environment = Record<string, string>;
const children = new Set<ChildProcess>();

const environment = (over: Environment = {}): Environment => ({
  PATH: process.env.PATH ?? '',
  HALDIR_URL: tenant.url,
  HALDIR_API_KEY: tenant.key ?? '',
  ...over,
});

async function connect(
  revision: McpRevision,
  args: string[],
  env: Environment,
  prepare?: (client: McpClient) => void,
): Promise<McpClient> {
  const client = new McpClient(
    { name: 'desktop', version: '1.0.0' },
    {
      capabilities: prepare ? { elicitation: {} } : {},
      versionNegotiation: { mode: revision === 'stateless' ? 'auto' : 'legacy' },
    },
  );
  prepare?.(client);
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: [PROGRAM, 'mcp', ...args], env, stderr: 'ignore' }),
  );
  return client;
}

/** Writes lines and answers what came back once the program has ended. */
async function pipe(lines: string[], env: Environment, args: string[] = []) {
  const child = spawn(process.execPath, [PROGRAM, 'mcp', ...args], { env, stdio: 'pipe' });
  child.stdin.end(lines.map((line) => `${line}\n`).join(''));
  const [out, err, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('exit', resolve)),
  ]);
  const messages = out.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as unknown]));
  return { messages, err, code };
}

describe.each<McpRevision>(['stateless', 'handshake'])(
  'a client of the %s revisions that starts its server',
  (revision) => {
    it('lists and calls governed tools through the program, in a session that ends with it', async () => {
      const client = await connect(revision, ['--agent', `desk-${revision}`], environment());
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toContain('lib__weather');
      expect(await client.callTool({ name: 'lib__weather', arguments: { region: 'eu' } })).toMatchObject({
        structuredContent: { degrees: 21.5 },
      });
      const agents = async (status: string): Promise<unknown> =>
        (await tenant.get(`/v1/sessions?agent_id=desk-${revision}&status=${status}`)).body['count'];
      expect(await agents('active')).toBe(1);
      await client.close();
      await eventually(async () => expect(await agents('active')).toBe(0));
      // The official client may start the program once more to find out what it speaks.
      expect(await agents('revoked')).toBeGreaterThan(0);
    });
  },
);

it.each<McpRevision>(['stateless', 'handshake'])('breaks a call off when its client does (%s)', async (revision) => {
  const before = upstream.cancelled;
  const client = await connect(revision, ['--agent', 'desk'], environment());
  const abort = new AbortController();
  const call = client.callTool({ name: 'lib.wait', arguments: {} }, { signal: abort.signal });
  call.catch(() => undefined);
  await eventually(() => expect(upstream.waiting).toBe(1));
  abort.abort();
  await eventually(() => expect([upstream.waiting, upstream.cancelled]).toEqual([0, before + 1]));
  await client.close();
});

it.each<McpRevision>(['stateless', 'handshake'])(
  'passes on what a tool asks, and what its client answers (%s)',
  async (revision) => {
    const suite = await startConformanceUpstream();
    await tenant.post('/v1/proxy/upstreams', { name: 'suite', url: suite.url });
    const client = await connect(revision, ['--agent', 'desk'], environment(), (it) =>
      it.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { username: 'Frodo' } })),
    );
    const result = await client.callTool({ name: 'suite.test_elicitation', arguments: { message: 'Who?' } });
    expect(JSON.stringify(result.content)).toContain('Frodo');
    await client.close();
    await suite.stop();
  },
);

it('acts in the session it is given, and as the operator without one', async () => {
  const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
  const names = ({ messages }: { messages: unknown[] }): string[] =>
    (messages[0] as { result: { tools: { name: string }[] } }).result.tools.map(({ name }) => name);
  const session = await tenant.session({ scopes: ['execute'] });
  expect(names(await pipe([list], environment({ HALDIR_SESSION_ID: session })))).toContain('lib__fail');
  expect(names(await pipe([list], environment()))).toContain('createSession');
});

it('passes on what is said before the answer', async () => {
  const params = { name: 'lib.count', arguments: { to: 3 }, _meta: { progressToken: 'token' } };
  const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
  const { messages } = await pipe(
    [call],
    environment({ HALDIR_SESSION_ID: await tenant.session({ scopes: ['execute'] }) }),
  );
  expect(messages).toMatchObject([
    ...[1, 2, 3].map((progress) => ({
      method: 'notifications/progress',
      params: { progressToken: 'token', progress, total: 3 },
    })),
    { id: 1, result: { content: [{ text: 'counted to 3' }] } },
  ]);
});

it('answers every request, whatever is wrong', async () => {
  const ping = '{"jsonrpc":"2.0","id":"p","method":"ping"}';
  const dead = await pipe(['nonsense', ping, ''], environment({ HALDIR_API_KEY: 'hld_dead' }));
  expect(dead.code).toBe(0);
  expect(dead.messages).toHaveLength(2);
  expect(dead.messages).toEqual(
    expect.arrayContaining([
      { jsonrpc: '2.0', id: null, error: { code: -32700, message: expect.any(String) } },
      expect.objectContaining({
        id: 'p',
        error: expect.objectContaining({ message: expect.stringContaining('X-API-Key') }),
      }),
    ]),
  );
  const away = await pipe([ping], environment({ HALDIR_URL: 'http://127.0.0.1:9' }));
  expect(away.messages).toMatchObject([{ id: 'p', error: { message: expect.stringContaining('127.0.0.1:9') } }]);
});

it('takes a message to its line feed, whatever else its texts have that ends lines elsewhere', async () => {
  const note = 'a\u2028b\u2029c\u0085d';
  const params = { name: 'lib.weather', arguments: { region: 'eu', note } };
  const call = (id: number): string => JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params });
  const { messages } = await pipe(
    [call(1), `${call(2)}\r`],
    environment({ HALDIR_SESSION_ID: await tenant.session({ scopes: ['execute'] }) }),
  );
  expect(messages).toHaveLength(2);
  expect(messages).toMatchObject([1, 2].map(() => ({ result: { structuredContent: { degrees: 21.5 } } })));
});

it.each<McpRevision>(['stateless', 'handshake'])(
  'goes on in a session of its own making when that has expired, and not when somebody has ended it (%s)',
  async (revision) => {
    const agent = `over-${revision}`;
    const opened = async (status: string): Promise<number> =>
      Number((await tenant.get(`/v1/sessions?agent_id=${agent}&status=${status}&limit=100`)).body['count']);
    const client = await connect(revision, ['--agent', agent, '--ttl', '2'], environment());
    const count = (): Promise<unknown> => client.callTool({ name: 'lib.count', arguments: { to: 1 } });
    // Whenever it expires, no call fails for it.
    for (const until = Date.now() + 5_000; Date.now() < until;) await Promise.all([count(), count()]);
    expect(await opened('expired')).toBeGreaterThan(0);
    await client.close();

    const other = await connect(revision, ['--agent', `${agent}-ended`], environment());
    await other.listTools();
    const { body } = await tenant.get<{ sessions: { session_id: string }[] }>(
      `/v1/sessions?agent_id=${agent}-ended&status=active`,
    );
    for (const { session_id: id } of body.sessions) await tenant.delete(`/v1/sessions/${id}`);
    await expect(other.callTool({ name: 'lib.count', arguments: { to: 1 } })).rejects.toThrow();
    expect((await tenant.get(`/v1/sessions?agent_id=${agent}-ended&status=active`)).body['count']).toBe(0);
    await other.close();
  },
);

it('says that a message is too large as JSON-RPC says it, under its id', async () => {
  const params = { name: 'lib.weather', arguments: { region: 'x'.repeat(1_100_000) } };
  const { messages } = await pipe(
    [JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params })],
    environment(),
  );
  expect(messages).toMatchObject([{ jsonrpc: '2.0', id: 7, error: { message: expect.stringContaining('1 MiB') } }]);
});

it('says what is missing before it starts', async () => {
  expect(await pipe([], environment({ HALDIR_API_KEY: '' }))).toMatchObject({
    ...{ code: 64, messages: [], err: expect.stringContaining('HALDIR_API_KEY') },
  });
  expect((await pipe([], environment({ HALDIR_URL: 'nowhere' }))).code).toBe(64);
  const away = await pipe([], environment({ HALDIR_URL: 'http://127.0.0.1:9' }), ['--agent', 'a']);
  expect([away.code, away.err]).toEqual([1, expect.stringContaining('is it started?')]);
  const refused = await pipe([], environment(), ['--agent', 'a', '--ttl', 'long']);
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('ttl')]);
});

/** The program, spoken to in lines. */
function start(env: Environment, args: string[] = ['--agent', 'desk']) {
  const child = spawn(process.execPath, [PROGRAM, 'mcp', ...args], { env, stdio: 'pipe' });
  children.add(child);
  const messages: RpcMessage[] = [];
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  void (async () => {
    for await (const line of createInterface(child.stdout)) messages.push(JSON.parse(line) as RpcMessage);
  })();
  const say = (message: object): void => void child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const has = (expected: object): Promise<void> =>
    eventually(() => expect(messages).toContainEqual(expect.objectContaining(expected)), 30_000);
  return {
    say,
    has,
    /** How often it was said that tools have changed. */
    told: (): number => messages.filter(({ method }) => method === 'notifications/tools/list_changed').length,
    /** Closes its input; how it has ended then. */
    end: (): Promise<number | null> => (child.stdin.end(), exited),
    async shakeHands(): Promise<void> {
      const clientInfo = { name: 'desktop', version: '1.0.0' };
      say({ id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo } });
      await has({ id: 1, result: expect.objectContaining({ protocolVersion: '2025-11-25' }) });
      say({ method: 'notifications/initialized' });
    },
    async subscribe(): Promise<void> {
      const _meta = {
        'io.modelcontextprotocol/protocolVersion': STATELESS_VERSION,
        'io.modelcontextprotocol/clientInfo': { name: 'desktop', version: '1.0.0' },
        'io.modelcontextprotocol/clientCapabilities': {},
      };
      const params = { notifications: { toolsListChanged: true }, _meta };
      say({ id: 1, method: 'subscriptions/listen', params });
      await has({ method: 'notifications/subscriptions/acknowledged' });
    },
  };
}

describe('changed lists', () => {
  let moving: FakeUpstream;
  let changes = 0;
  const change = async (): Promise<void> => {
    moving.tools = [{ name: `tool_${changes++}`, inputSchema: { type: 'object' } }];
    expect((await tenant.post('/v1/proxy/upstreams/moving/refresh')).status).toBe(200);
  };
  /** Changes until it is told of so: a stream is opened when the program likes. */
  const untilTold = (client: ReturnType<typeof start>, before = client.told()): Promise<void> =>
    eventually(async () => {
      await change();
      await eventually(() => expect(client.told()).toBeGreaterThan(before), 3_000);
    }, 60_000);
  beforeAll(async () => {
    moving = await startFakeUpstream('tool');
    await tenant.post('/v1/proxy/upstreams', { name: 'moving', url: moving.url });
  });
  afterAll(() => moving.stop());
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
    children.clear();
  });

  it.each(['shakeHands', 'subscribe'] as const)(
    'are told to its client while it makes calls, until it closes its end (%s)',
    async (begin) => {
      const client = start(environment());
      await client[begin]();
      await untilTold(client);
      if (begin === 'shakeHands') {
        client.say({ id: 'p', method: 'ping' });
        await client.has({ id: 'p', result: {} });
      }
      expect(await client.end()).toBe(0);
    },
    90_000,
  );

  it('that changed while Haldir was away are told once it is back, and calls do not wait for that', async () => {
    const api = await startApi(world.environment);
    const client = start(environment({ HALDIR_URL: api.url }));
    await client.shakeHands();
    await untilTold(client);
    await api.kill();
    await change();
    client.say({ id: 'away', method: 'ping' });
    await client.has({ id: 'away', error: expect.anything() });
    // What is told by now is about earlier changes.
    const before = client.told();
    const back = await startApi({ ...world.environment, PORT: new URL(api.url).port });
    client.say({ id: 'back', method: 'ping' });
    await client.has({ id: 'back', result: {} });
    await eventually(() => expect(client.told()).toBeGreaterThan(before), 60_000);
    await untilTold(client);
    expect(await client.end()).toBe(0);
    await back.stop();
  }, 180_000);

  it('are told again once a call has opened another session in place of one that has expired', async () => {
    const client = start(environment(), ['--agent', 'brief', '--ttl', '2']);
    await client.shakeHands();
    // By then its stream was refused: of a session that is over there is none.
    await sleep(6_000);
    const before = client.told();
    await eventually(async () => {
      await change();
      client.say({ id: 'again', method: 'ping' });
      await eventually(() => expect(client.told()).toBeGreaterThan(before), 3_000);
    }, 60_000);
    await client.has({ id: 'again', result: {} });
    expect(await client.end()).toBe(0);
  }, 120_000);

  it('of a client that Haldir tells of none are not asked for', async () => {
    const asked: string[] = [];
    const front = await serveHttp((request, response) => {
      asked.push(request.method ?? '');
      if (request.method !== 'POST') return void response.writeHead(405).end();
      const result = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: {} };
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result, session_id: 'ses_1' }));
    });
    const client = start(environment({ HALDIR_URL: new URL('/', front.url).href }));
    await client.shakeHands();
    client.say({ id: 1, method: 'ping' });
    await eventually(() => expect(asked.filter((method) => method === 'POST').length).toBeGreaterThan(3));
    await client.end();
    expect(asked).not.toContain('GET');
    await front.stop();
  });

  it('says of an answer that breaks off without its end that it did', async () => {
    const front = await serveHttp((request, response) => {
      if (request.url !== '/mcp') return void response.end(JSON.stringify({ session_id: 'ses_1' }));
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(': hello\n\n');
    });
    const client = start(environment({ HALDIR_URL: new URL('/', front.url).href }));
    client.say({ id: 7, method: 'ping' });
    await client.has({
      id: 7,
      error: expect.objectContaining({ message: expect.stringContaining('before it was whole') }),
    });
    await client.end();
    await front.stop();
  });
});
