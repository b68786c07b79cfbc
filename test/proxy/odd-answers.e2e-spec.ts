import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { type OddUpstream, Scenario, startOddUpstream, startWorld, type World } from '@haldir/test-support';

let world: World;
let scenario: Scenario<OddUpstream>;
beforeAll(async () => {
  world = await startWorld({ processes: 1, environment: { UPSTREAM_TIMEOUT_SECONDS: '5' } });
});
afterAll(() => world.stop());
beforeEach(async () => {
  scenario = await Scenario.around(world, await startOddUpstream());
});
afterEach(() => scenario.end());

const register = () => scenario.register('up', scenario.up.url);
const isUsable = async (): Promise<void> => {
  expect((await register()).body).toMatchObject({ healthy: true, tool_names: ['echo'] });
  expect(await scenario.call('up.echo')).toMatchObject({ status: 200, body: { content: [{ text: 'said' }] } });
  expect(scenario.up.calls).toBe(1);
};

describe('an upstream whose event streams hold more than messages', () => {
  it.each([
    'event: ping\ndata: 2026-11-30T12:00:00Z\n\n',
    'event: heartbeat\ndata: {"type":"heartbeat"}\n\n',
    'data: {"type":"heartbeat"}\n\ndata: ping\n\n: comment\n\n',
  ])('before the answer is registered and called: %j', async (before) => {
    scenario.up.say = (response, { json }) =>
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`${before}data: ${json}\n\n`);
    await isUsable();
  });
});

it('an upstream that gives ids back as texts is registered and called', async () => {
  scenario.up.say = (response, { json }) =>
    response.setHeader('content-type', 'application/json').end(json.replace(/"id":(\d+)/, '"id":"$1"'));
  await isUsable();
});

describe('an upstream that encodes what was asked for as it is', () => {
  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('is registered and called: %s', async (encoding, encode) => {
    scenario.up.say = (response, { json }) =>
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': encoding }).end(encode(json));
    await isUsable();
  });

  it('cannot have more read than an answer may take', async () => {
    await isUsable();
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20));
    scenario.up.say = (response) =>
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(bomb);
    expect(await scenario.call('up.echo')).toMatchObject({
      status: 502,
      body: { code: 'upstream_unreachable', error: expect.stringContaining('larger than allowed') },
    });
  });

  it('in a way that nobody reads is told which', async () => {
    scenario.up.say = (response, { json }) =>
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'zstd' }).end(json);
    expect((await register()).body).toMatchObject({
      healthy: false,
      error: expect.stringMatching(/encoding.*: zstd$/),
    });
  });
});

describe('an upstream that redirects', () => {
  const withSlash = (): void => {
    const { say } = scenario.up;
    scenario.up.say = (response, answer) =>
      answer.path === '/mcp/' ? say(response, answer) : response.writeHead(307, { location: '/mcp/' }).end();
  };

  it('to its address with a slash is not healthy when it is registered, and the error has the URL to register', async () => {
    withSlash();
    const { status, body } = await register();
    expect([status, body]).toMatchObject([201, { healthy: false, upstream_status: 307 }]);
    expect(body).toMatchObject({ error: expect.stringMatching(/slash at the end of its path: \S+\/mcp\/$/) });
    const url = String((body as { error: string }).error.split(' ').at(-1));
    expect((await scenario.register('up', url)).body).toMatchObject({ healthy: true, tool_names: ['echo'] });
  });

  it('once it is registered is told of so by the call, without its address', async () => {
    await isUsable();
    withSlash();
    const { status, body } = await scenario.call('up.echo');
    expect([status, body]).toMatchObject([
      502,
      { error: expect.stringContaining('with a slash at the end of its path') },
    ]);
    expect(JSON.stringify(body)).not.toContain('127.0.0.1');
  });
});

it.each(['npx -y @modelcontextprotocol/server-filesystem /tmp', 'stdio://server', './server.js'])(
  'a command in place of a URL is refused, and the error says what to do: %s',
  async (url) => {
    expect(await scenario.register('files', url)).toMatchObject({
      status: 400,
      body: { field: 'url', error: expect.stringMatching(/^url: .*Haldir starts no command.*bridge from stdio/) },
    });
  },
);
