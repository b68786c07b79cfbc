import { setTimeout as sleep } from 'node:timers/promises';
import {
  cleanUp,
  client,
  failure,
  type Handler,
  ok,
  plain,
  sessionful,
  text,
  upstream,
} from './upstream-fixture.for-spec.js';

afterEach(cleanUp);

/** A server after a handshake, that does something else with the question of the stateless revision. */
const withProbe = (sessions: Set<string>, probed: Handler): Handler => {
  const base = sessionful(sessions);
  return (message, req, res) =>
    message.method === 'server/discover' ? probed(message, req, res) : base(message, req, res);
};
const probes = (methods: string[]): number => methods.filter((method) => method === 'server/discover').length;

describe('an upstream that does not bear the question of the stateless revision', () => {
  it.each([
    ['breaks the connection', 2, (_m, _q, res) => void res.socket?.destroy()],
    ['answers 403', 1, (_m, _q, res) => void res.writeHead(403).end()],
    ['says nothing', 1, () => undefined],
  ] as [string, number, Handler][])('and %s is shaken hands with, and not asked so again', async (_, asked, probed) => {
    const sessions = new Set<string>();
    const server = await upstream(withProbe(sessions, probed));
    const mcp = client(server.url);
    expect(await mcp.callTool('a', {})).toEqual(text('called a'));
    expect([mcp.protocol, probes(server.methods())]).toEqual(['2025-11-25', asked]);
    sessions.clear();
    expect(await mcp.callTool('b', {})).toEqual(text('called b'));
    expect([mcp.protocol, probes(server.methods())]).toEqual(['2025-11-25', asked]);
  });

  it('is not asked so again while it takes its time to shake hands, and is once it has turned out to be another', async () => {
    let isSilent = true;
    const server = await upstream((message, req, res) => {
      if (message.method === 'server/discover') return void res.writeHead(403).end();
      return isSilent ? undefined : plain(message, req, res);
    });
    const mcp = client(server.url, { deadlineMs: 1_500 });
    await failure(mcp.callTool('a', {}));
    await failure(mcp.callTool('b', {}));
    expect(probes(server.methods())).toBe(1);
    isSilent = false;
    const ample = { deadlineMs: 30_000, detectionMs: 30_000 };
    expect(await mcp.callTool('c', {}, ample)).toEqual(text('called c'));
    server.handler = (message, _req, res) => {
      if (message.method !== 'server/discover') return void res.writeHead(404).end();
      return ok(message, { supportedVersions: ['2026-07-28'], capabilities: {} });
    };
    await failure(mcp.callTool('d', {}, ample));
    expect(probes(server.methods())).toBe(2);
  });

  it('and wants an authorization for everything is told to want it', async () => {
    const server = await upstream((_m, _q, res) => void res.writeHead(403).end());
    expect(await failure(client(server.url).callTool('a', {}))).toMatchObject({ reason: 'unauthorized', status: 403 });
  });
});

describe('an upstream that takes its time to shake hands', () => {
  const slow: Handler = async (message, req, res) => {
    if (message.method === 'initialize') await sleep(600);
    return message.method === 'initialize'
      ? ok(message, { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'x', version: '1' } })
      : plain(message, req, res);
  };

  it('has as long as it was given for that', async () => {
    const server = await upstream(slow);
    expect(await failure(client(server.url, { deadlineMs: 300 }).callTool('a', {}))).toMatchObject({
      reason: 'timeout',
    });
    const longer = { deadlineMs: 30_000, detectionMs: 30_000 };
    expect(await client(server.url, { deadlineMs: 300 }).callTool('a', {}, longer)).toEqual(text('called a'));
  });
});
