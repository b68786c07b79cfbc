import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { type Client, eventually, startWorld, type World } from '@haldir/test-support';

const MIB = 1_024 * 1_024;
/** What the system keeps at most of a connection that nobody reads: at its receiver, and at its sender. */
const SYSTEM_BYTES = ['tcp_rmem', 'tcp_wmem'].reduce((sum, name) => sum + largestBuffer(name), 0);
/** With what Haldir keeps beside, and some to spare. */
const KEPT_BYTES = SYSTEM_BYTES + 2 * MIB;
/** Of an upstream, as small as they can be; each is repeated to the client with a token as long as it likes. */
const TOKEN = 't'.repeat(1_000);
const EVENTS = Math.ceil((KEPT_BYTES + 8 * MIB) / TOKEN.length);

/** 8 MiB where the system does not say. */
function largestBuffer(name: string): number {
  const file = `/proc/sys/net/ipv4/${name}`;
  return existsSync(file) ? Number(readFileSync(file, 'utf8').trim().split(/\s+/).at(-1)) : 8 * MIB;
}

let world: World;
let tenant: Client;
let session: string;
let flood: Server;
let flooded: Promise<unknown>[];
beforeAll(async () => {
  world = await startWorld({
    environment: { UPSTREAM_TIMEOUT_SECONDS: '60', UPSTREAM_MAX_ANSWER_BYTES: String(16 * MIB) },
  });
});
afterAll(() => world.stop());
beforeEach(async () => {
  flooded = [];
  flood = createServer((request, response) => {
    void (async () => {
      const { id, method, params } = JSON.parse((await text(request)) || '{}') as {
        id?: number;
        method?: string;
        params?: { _meta: { progressToken: string } };
      };
      const answer = (result: object): unknown => response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
      response.setHeader('content-type', method === 'tools/call' ? 'text/event-stream' : 'application/json');
      if (method === 'tools/list') return answer({ tools: [{ name: 'flood', inputSchema: { type: 'object' } }] });
      if (method !== 'tools/call') return response.writeHead(400).end();
      const progressToken = params?._meta.progressToken;
      flooded.push(
        (async () => {
          for (let progress = 1; progress <= EVENTS && !response.destroyed; progress++) {
            const message = { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, progress } };
            response.write(`data:${JSON.stringify(message)}\n\n`);
            while (response.writableNeedDrain && !response.destroyed) await pause(5);
          }
        })(),
      );
    })();
  });
  flood.listen(0, '127.0.0.1');
  await once(flood, 'listening');
  tenant = await world.newTenant();
  const url = `http://127.0.0.1:${(flood.address() as AddressInfo).port}/mcp`;
  await tenant.post('/v1/proxy/upstreams', { name: 'up', url });
  session = await tenant.session({ scopes: ['execute'] });
});
afterEach(async () => {
  flood.closeAllConnections();
  await new Promise((resolve) => flood.close(resolve));
});

/** A client that sends one call and reads nothing until it is told to. */
function call(revision: 'stateless' | 'handshake'): { socket: Socket; rest: () => Promise<number> } {
  const meta =
    revision === 'stateless'
      ? {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: 'deaf', version: '1' },
          'io.modelcontextprotocol/clientCapabilities': {},
        }
      : {};
  const params = { name: 'up.flood', arguments: {}, _meta: { ...meta, progressToken: TOKEN } };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
  const headers = {
    ...{ host: new URL(tenant.url).host, authorization: `Bearer ${tenant.key}`, 'x-session-id': session },
    ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    ...(revision === 'stateless' ? { 'mcp-method': 'tools/call', 'mcp-name': 'up.flood' } : {}),
    'mcp-protocol-version': revision === 'stateless' ? '2026-07-28' : '2025-06-18',
    'content-length': String(Buffer.byteLength(body)),
  };
  const socket = connect(Number(new URL(tenant.url).port), '127.0.0.1');
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST /mcp HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
  socket.pause();
  socket.on('error', () => undefined);
  return {
    socket,
    rest: async () => {
      let bytes = 0;
      socket.on('data', (chunk: Buffer) => (bytes += chunk.length)).resume();
      for (let before = -1; before < bytes && !socket.closed;) {
        before = bytes;
        await pause(1_500);
      }
      return bytes;
    },
  };
}

it('keeps a bounded part of what an upstream says for clients that do not read, then ends the call, which the log has', async () => {
  const clients = [call('stateless'), call('handshake')];
  await eventually(() => Promise.resolve(expect(flooded).toHaveLength(clients.length)), 20_000);
  await Promise.all(flooded);
  // Read earlier, what has only come as far as Haldir by then would go on to clients that read.
  await eventually(async () => {
    const { body } = await tenant.get<{ entries: { details: string }[] }>('/v1/audit?tool=up.flood');
    const said = body.entries.map(({ details }) => JSON.parse(details) as object);
    expect(said).toMatchObject(clients.map(() => ({ result: 'unreachable', reason: 'aborted', sent: true })));
  }, 60_000);
  const kept = await Promise.all(clients.map(({ rest }) => rest()));
  expect(kept.filter((bytes) => bytes > KEPT_BYTES)).toEqual([]);
  for (const { socket } of clients) socket.destroy();
}, 150_000);
