import { eventOf, type EventStreamUpstream, eventually, startEventStreamUpstream } from '@haldir/test-support';
import { type McpClient } from './mcp-client.js';
import { type Progress } from './mcp-protocol.js';
import { type McpClientOptions } from './mcp-client.options.js';
import { type UpstreamUnreachable } from './mcp-client.errors.js';
import { cleanUp, cleanups, client as clientOf, failure, json, upstream } from './upstream-fixture.for-spec.js';

let up: EventStreamUpstream;
beforeEach(async () => {
  up = await startEventStreamUpstream();
});
afterEach(async () => {
  await cleanUp();
  await up.stop();
});

/** Closed before the server is. */
function client(options: Partial<McpClientOptions> = {}): McpClient {
  const mcp = clientOf(up.url, options);
  cleanups.push(() => Promise.resolve(mcp.close()));
  return mcp;
}

const said = (value: string): unknown => ({ content: [{ type: 'text', text: value }] });
const count = (what: string): number => up.seen.filter((each) => each === what).length;

describe('a server that speaks over an event stream', () => {
  it('is found out once, listed and called, over one stream that ends with the client', async () => {
    const mcp = client();
    expect((await mcp.listTools()).tools.map(({ name }) => name)).toEqual(up.tools);
    const calls = Array.from({ length: 20 }, (_, n) => mcp.callTool('echo', { n }));
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 20 }, (_, n) => said(JSON.stringify({ n }))));
    expect(up.seen.slice(0, 5)).toEqual([
      ...['POST /sse server/discover', 'POST /sse initialize', 'GET /sse'],
      ...['POST /message initialize', 'POST /message notifications/initialized'],
    ]);
    expect([count('GET /sse'), count('POST /message tools/call'), up.streams.size]).toEqual([1, 20, 1]);
    expect(mcp.protocol).toBe('2024-11-05');
    mcp.close();
    await eventually(() => expect(up.streams.size).toBe(0));
  });

  it('is sent the credentials of now, and the version that was agreed on', async () => {
    const mcp = client();
    mcp.present({ headers: { authorization: 'Bearer one' }, masker: null, order: 1 });
    await mcp.callTool('echo', {});
    mcp.present({ headers: { authorization: 'Bearer two' }, masker: null, order: 2 });
    await mcp.callTool('echo', {});
    expect(up.headers).toMatchObject({ authorization: 'Bearer two', 'mcp-protocol-version': '2024-11-05' });
    expect(count('GET /sse')).toBe(1);
  });

  it('may name its endpoint by the whole URL, of the same origin alone', async () => {
    up.endpoint = (session) => new URL(`/message?session=${session}`, up.url).href;
    expect(await client().callTool('echo', {})).toEqual(said('{}'));
    const other = await upstream((_, __, res) => void res.writeHead(202).end());
    for (const endpoint of [other.url, `http://user:word@${new URL(up.url).host}/message`, '//127.0.0.2/message']) {
      up.endpoint = () => endpoint;
      const error = await failure(client().callTool('echo', {}));
      expect([error.reason, error.sent]).toEqual(['refused', false]);
    }
    up.endpoint = () => other.url;
    expect((await failure(client().listTools())).message).toMatch(/endpoint that is not of the origin of its URL/);
    expect(other.seen).toEqual([]);
    await eventually(() => expect(up.streams.size).toBe(1));
  });

  it('is passed over where the stream does not begin as it should, or is none', async () => {
    up.endpoint = () => '/message\n\nevent: endpoint\ndata: /message';
    const server = await upstream((message, req, res) => {
      if (req.method !== 'GET') return json(res, 404, { error: 'not here' });
      res.writeHead(200, { 'content-type': 'text/event-stream' }).write('event: message\ndata: {}\n\n');
      return undefined;
    });
    const mcp = clientOf(server.url);
    const error = await failure(mcp.callTool('add', {}));
    expect([error.reason, error.status, error.sent]).toEqual(['http_status', 404, false]);
  });

  it('may say other things in between: comments, heartbeats, answers to others, questions', async () => {
    const mcp = client();
    await mcp.listTools();
    const waiting = mcp.callTool('wait', {});
    await eventually(() => expect(up.calls).toHaveLength(1));
    up.say(': comment\n\nevent: ping\ndata: {}\n\ndata: {"beat":true}\n\ndata: beat\n\ndata: null\n\n');
    up.say(eventOf({ id: 777, result: { content: [] } }) + eventOf({ id: 'a', method: 'ping' }));
    const { id } = up.calls[0] as { id: number };
    up.say(eventOf({ id: String(id), result: said('at last') }));
    expect(await waiting).toEqual(said('at last'));
    await eventually(() => expect(up.seen.at(-1)).toBe('POST /message'));
  });

  it('tells how far a call is, to that call alone, and has longer for it', async () => {
    const mcp = client();
    await mcp.listTools();
    const heard: unknown[][] = [[], []];
    const [first, second] = heard.map((list) =>
      mcp.callTool(
        'wait',
        {},
        { onProgress: ({ progress }) => list.push(progress), deadlineMs: 2_000, longestMs: 60_000 },
      ),
    ) as [Promise<unknown>, Promise<unknown>];
    let late: UpstreamUnreachable | null = null;
    void failure(second).then((error) => (late = error));
    await eventually(() => expect(up.calls).toHaveLength(2));
    // Until the second, of which nothing is told, is out of time, and the first would be, too.
    let progress = 0;
    await eventually(() => {
      const params = { progressToken: up.calls[0]?.progressToken, progress: ++progress };
      up.say(eventOf({ method: 'notifications/progress', params }));
      expect(late?.reason).toBe('timeout');
    });
    up.say(eventOf({ id: up.calls[0]?.id, result: said('done') }));
    expect(await first).toEqual(said('done'));
    expect(heard).toEqual([Array.from({ length: progress }, (_, n) => n + 1), []]);
  });

  it('takes what is masked out of answers and progress', async () => {
    const mcp = client();
    const mask = async (message: unknown): Promise<unknown> =>
      JSON.parse(JSON.stringify(message).replaceAll('hush', '***')) as unknown;
    expect(await mcp.callTool('echo', { a: 'hush' }, { mask })).toEqual(said('{"a":"***"}'));
    const broken = async (): Promise<unknown> => Promise.reject(new Error('hush'));
    const error = await failure(mcp.callTool('echo', {}, { mask: broken }));
    expect([error.reason, error.cause]).toEqual(['protocol', undefined]);
  });

  it('hears of a call that is broken off, or out of time', async () => {
    const mcp = client();
    await mcp.listTools();
    const abort = new AbortController();
    const broken = failure(mcp.callTool('wait', {}, { signal: abort.signal }));
    await eventually(() => expect(up.calls).toHaveLength(1));
    abort.abort();
    const late = failure(mcp.callTool('wait', {}, { deadlineMs: 1_000 }));
    expect([await broken, await late]).toMatchObject([
      { reason: 'aborted', sent: true },
      { reason: 'timeout', sent: true },
    ]);
    await eventually(() => expect(up.cancelled).toEqual(up.calls.map(({ id }) => id)));
  });

  it('that ends its stream in mid-call may have done all that waited, and nothing is sent twice', async () => {
    const mcp = client();
    await mcp.listTools();
    const waiting = Array.from({ length: 3 }, () => failure(mcp.callTool('wait', {})));
    await eventually(() => expect(up.calls).toHaveLength(3));
    const dying = await failure(mcp.callTool('die', {}));
    for (const error of [dying, ...(await Promise.all(waiting))])
      expect([error.reason, error.sent]).toEqual(['reset', true]);
    const before = up.seen.length;
    const next = Array.from({ length: 5 }, () => mcp.callTool('echo', {}));
    expect(await Promise.all(next)).toEqual(Array(5).fill(said('{}')));
    expect(up.calls.map(({ tool }) => tool)).toEqual([
      ...Array<string>(3).fill('wait'),
      'die',
      ...Array<string>(5).fill('echo'),
    ]);
    // What it speaks is known.
    expect(up.seen.slice(before, before + 2)).toEqual(['GET /sse', 'POST /message initialize']);
    expect(count('GET /sse')).toBe(2);
  });

  it('that no longer knows the session is asked over another stream, once', async () => {
    const mcp = client();
    await mcp.callTool('echo', {});
    (up.streams as Map<string, unknown>).clear();
    expect(await mcp.callTool('echo', {})).toEqual(said('{}'));
    expect([up.calls.length, count('GET /sse')]).toEqual([2, 2]);
  });

  it('that refuses a message has not been asked, and keeps its other calls', async () => {
    const mcp = client();
    await mcp.listTools();
    const waiting = mcp.callTool('wait', {});
    await eventually(() => expect(up.calls).toHaveLength(1));
    up.status = 503;
    const error = await failure(mcp.callTool('echo', {}));
    expect([error.reason, error.status]).toEqual(['http_status', 503]);
    up.status = 202;
    expect(await mcp.callTool('echo', {})).toEqual(said('{}'));
    up.say(eventOf({ id: up.calls[0]?.id, result: said('still here') }));
    expect(await waiting).toEqual(said('still here'));
    await eventually(() => expect(up.streams.size).toBe(1));
  });

  it('may take so much for an answer, whatever else comes over the stream', async () => {
    const mcp = client({ maxResponseBytes: 2_000_000 });
    await mcp.listTools();
    for (let n = 0; n < 4; n++) await mcp.callTool('echo', { text: 'x'.repeat(900_000) });
    expect(count('GET /sse')).toBe(1);
    const small = await failure(mcp.callTool('echo', { text: 'x'.repeat(900_000) }, { maxBytes: 1_000 }));
    expect([small.reason, small.sent]).toEqual(['too_large', true]);
    const waiting = failure(mcp.callTool('wait', {}));
    await eventually(() => expect(up.calls.at(-1)?.tool).toBe('wait'));
    up.say(`data: ${'y'.repeat(2_100_000)}`);
    expect((await waiting).reason).toBe('too_large');
    await eventually(() => expect(up.streams.size).toBe(0));
    expect(await mcp.callTool('echo', {})).toEqual(said('{}'));
  });

  it('that sends all over every stream gives each its own answers and progress', async () => {
    up.broadcasts = true;
    const clients = [client(), client()];
    await Promise.all(clients.map((mcp) => mcp.listTools()));
    expect(up.streams.size).toBe(2);
    const heard: unknown[][] = [[], []];
    const asked = clients.flatMap((mcp, one) =>
      Array.from({ length: 5 }, async (_, n) => {
        expect(await mcp.callTool('echo', { one, n })).toEqual(said(JSON.stringify({ one, n })));
        const onProgress = ({ progress }: Progress): void => void heard[one]?.push(progress);
        if (n === one) await mcp.callTool('count', {}, { onProgress });
      }),
    );
    await Promise.all(asked);
    expect(heard).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    const waiting = clients[0]?.callTool('wait', {}, { maxBytes: 500_000 });
    await eventually(() => expect(up.calls.at(-1)?.tool).toBe('wait'));
    // What the other is told is not taken off what the first may be.
    for (let n = 0; n < 3; n++) await clients[1]?.callTool('echo', { text: 'x'.repeat(400_000) });
    up.say(eventOf({ id: up.calls.find(({ tool }) => tool === 'wait')?.id, result: said('mine') }));
    expect(await waiting).toEqual(said('mine'));
  });

  it('that says a lot to nobody has its stream closed', async () => {
    const mcp = client();
    await mcp.listTools();
    const noise = eventOf({ method: 'notifications/message', params: { data: 'z'.repeat(100_000) } });
    for (let n = 0; n < 12; n++) up.say(noise);
    await eventually(() => expect(up.streams.size).toBe(0));
    expect(await mcp.callTool('echo', {})).toEqual(said('{}'));
  });

  it('that is silent past a deadline is asked over another stream from then on', async () => {
    const mcp = client();
    await mcp.listTools();
    expect((await failure(mcp.callTool('wait', {}, { deadlineMs: 50 }))).reason).toBe('timeout');
    expect(await mcp.callTool('echo', {})).toEqual(said('{}'));
    expect(count('GET /sse')).toBe(2);
    await eventually(() => expect(up.streams.size).toBe(1));
  });

  it('tells of lists that changed to whoever listens, until the stream ends', async () => {
    let changes = 0;
    const mcp = client({ onListChange: () => changes++ });
    const { signal } = new AbortController();
    expect(await mcp.listen({ deadlineMs: 50, signal })).toBe(true);
    const listening = mcp.listen({ deadlineMs: 5_000, signal });
    await eventually(() => expect(up.streams.size).toBe(1));
    up.say(eventOf({ method: 'notifications/tools/list_changed' }));
    await eventually(() => expect(changes).toBe(1));
    up.cut();
    expect(await listening).toBe(true);
  });
});
