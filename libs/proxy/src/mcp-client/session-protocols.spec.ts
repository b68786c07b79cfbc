import { afterEach, describe, expect, it, vi } from 'vitest';
import { type UpstreamTransport } from './upstream-transport.js';
import { type SessionPlace, type UpstreamSession } from './session-place.js';
import { SessionProtocols } from './session-protocols.js';
import { KeptSessions } from './session-places.for-spec.js';
import {
  cleanUp,
  client,
  fail,
  failure,
  type Handler,
  ok,
  plain,
  sessionful,
  upstream,
} from './upstream-fixture.for-spec.js';

afterEach(cleanUp);
afterEach(() => void vi.restoreAllMocks());

const OTHER = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'x', version: '1' } };

describe('whose sessions an upstream begins', () => {
  it('is one for each who asks where a second goes on beside the first', async () => {
    const sessions = new Set<string>();
    const server = await upstream(sessionful(sessions));
    const mcp = client(server.url);
    expect(await mcp.whoseSessions()).toBe('own');
    await expect.poll(() => server.methods().filter((method) => method === 'DELETE')).toHaveLength(1);
    expect(mcp.session?.sessionId).toBe('s1');
  });

  it.each([
    ['is refused', () => (message) => fail(null, -32_600, `Server already initialized, ${String(message.method)}`)],
    [
      'breaks the server',
      () => (_m, _q, res) => void res.writeHead(500).end('Error: Already connected to a transport'),
    ],
  ] as [string, (begun: number) => Handler][])('is a single one for everybody where a second %s', async (_, second) => {
    const base = sessionful(new Set());
    let begun = 0;
    const server = await upstream((message, req, res) =>
      message.method === 'initialize' && ++begun > 1 ? second(begun)(message, req, res) : base(message, req, res),
    );
    const mcp = client(server.url);
    expect(await mcp.whoseSessions()).toBe('shared');
    expect(mcp.session?.sessionId).toBe('s1');
  });

  it('is a single one where a second ends the first, and the second is gone on with', async () => {
    const sessions = new Set<string>();
    const base = sessionful(sessions);
    const server = await upstream((message, req, res) => {
      if (message.method === 'initialize') sessions.clear();
      return base(message, req, res);
    });
    const mcp = client(server.url);
    expect(await mcp.whoseSessions()).toBe('shared');
    expect(mcp.session?.sessionId).toBe('s2');
    expect([...sessions]).toEqual(['s2']);
  });

  it.each([
    ['by its status', () => undefined, { reason: 'http_status', status: 503 }],
    [
      'in an answer to who asks for one more',
      (message) => fail(message.id, -32_603, 'as many sessions as it may'),
      { reason: 'session', sent: false },
    ],
  ] as [string, Handler, object][])(
    'is not known of a server that says %s that it is too busy',
    async (_, body, error) => {
      const base = sessionful(new Set());
      let begun = 0;
      let isBusy = true;
      const server = await upstream((message, req, res) => {
        if (message.method !== 'initialize' || ++begun === 1 || !isBusy) return base(message, req, res);
        res.statusCode = 503;
        return body(message, req, res) ?? void res.end();
      });
      const sessions = new KeptSessions();
      const mcp = client(server.url, { sessions });
      await expect(mcp.whoseSessions()).rejects.toMatchObject(error);
      expect(sessions.whoseFound).toBeNull();
      isBusy = false;
      expect(await mcp.whoseSessions()).toBe('own');
    },
  );

  it('is not found out of a server that is too busy to begin one: it is not taken for one without', async () => {
    const server = await upstream((message, _req, res) => {
      if (message.method === 'initialize') res.statusCode = 503;
      return message.method === 'initialize' ? fail(message.id, -32_603, 'too many') : plain(message, _req, res);
    });
    expect(await failure(client(server.url).callTool('add', {}))).toMatchObject({ reason: 'session', sent: false });
    expect(server.methods()).not.toContain('tools/call');
  });

  it.each([
    ['without a handshake', plain],
    [
      'with a handshake and no sessions',
      (message, req, res) => (message.method === 'initialize' ? ok(message, OTHER) : plain(message, req, res)),
    ],
  ] as [string, Handler][])('is nobody’s of a server %s', async (_, handler) => {
    const server = await upstream(handler);
    const mcp = client(server.url);
    await mcp.callTool('add', {});
    expect(await mcp.whoseSessions()).toBe('none');
  });
});

it('of sessions that nobody uses a process forgets which is the upstream’s, and looks it up again', async () => {
  const looked: string[] = [];
  const place = (of: string): SessionPlace => ({
    find: async () => {
      looked.push(of);
      const session: UpstreamSession = { kind: 'handshake', version: '2025-11-25', sessionId: of, epoch: of };
      return { session, lost: false };
    },
    keep: async (begun) => begun,
    lose: async () => undefined,
    use: () => undefined,
  });
  const places = {
    shared: place('shared'),
    of: place,
    whose: async () => 'own' as const,
    found: async () => 'own' as const,
  };
  const protocols = new SessionProtocols({ headers: {} } as UpstreamTransport, 30_000, places);
  let now = 1_000;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const use = async (id: string): Promise<void> => {
    const deadline = { deadlineAt: now + 10_000 };
    await (await protocols.for(id, deadline)).find(deadline);
  };
  await use('one');
  await use('two');
  now += 9 * 60_000;
  await use('two');
  now += 2 * 60_000;
  await use('three');
  await use('two');
  await use('one');
  expect(looked).toEqual(['shared', 'one', 'two', 'three', 'one']);
});
