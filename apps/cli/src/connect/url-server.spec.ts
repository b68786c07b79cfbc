import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { text as bodyOf } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { type Building, eventually, Stage } from './stage.for-spec.js';
import { UrlServer } from './url-server.js';

let stage: Stage;
let server: Server;
let url: URL;
let seen: { method: string; headers: IncomingMessage['headers']; body: string }[];
let respond: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(async () => {
  seen = [];
  server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      seen.push({ method: request.method ?? '', headers: request.headers, body });
      respond(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp?a=b`);
  stage = await Stage.open();
});
afterEach(async () => {
  await stage.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const forward =
  (headers: Record<string, string> = {}) =>
  ({ instance, said }: Building): UrlServer =>
    new UrlServer(url, headers, instance, said);

it('is asked what Haldir is asked, with the headers that are for it and its own', async () => {
  respond = (_, response) => response.writeHead(200, { 'content-type': 'application/json', 'x-other': 'x' }).end('{}');
  await stage.connect(forward({ authorization: 'Bearer own' }));
  const headers = {
    ...{ 'mcp-method': 'tools/list', accept: 'application/json', authorization: 'Bearer haldir', cookie: 'a=b' },
    ...{ 'content-type': 'application/json', 'x-request-id': '1' },
  };
  const answer = await stage.haldir.ask('POST', headers, 'é').whole;
  expect(answer).toMatchObject({ status: 200, body: '{}', headers: { 'content-type': 'application/json' } });
  expect(Object.keys(answer.headers)).toEqual(['content-type']);
  expect(seen[0]).toMatchObject({
    method: 'POST',
    body: 'é',
    headers: { 'mcp-method': 'tools/list', accept: 'application/json', authorization: 'Bearer own' },
  });
  expect(seen[0]?.headers).not.toHaveProperty('cookie');
  expect(seen[0]?.headers).not.toHaveProperty('x-request-id');
});

it('has its sessions named after the instance, there and back', async () => {
  respond = (_, response) => response.writeHead(200, { 'mcp-session-id': 'abc' }).end();
  await stage.connect(forward());
  const { headers } = await stage.haldir.ask('POST', {}, '{}').whole;
  expect(headers['mcp-session-id']).toBe(`${stage.instance}.abc`);
  await stage.haldir.ask('DELETE', { 'mcp-session-id': headers['mcp-session-id'] ?? '' }).whole;
  expect(seen[1]).toMatchObject({ method: 'DELETE', headers: { 'mcp-session-id': 'abc' } });
  expect((await stage.haldir.ask('POST', { 'mcp-session-id': 'abc' }, '{}').whole).status).toBe(404);
  expect(seen).toHaveLength(2);
});

it('answers in pieces as they come, cut anywhere, and its redirects are answers', async () => {
  const bytes = Buffer.from('data: é😀\n\n');
  let open: ServerResponse | null = null;
  respond = (_, response) => {
    open = response.writeHead(200, { 'content-type': 'text/event-stream' });
    open.write(bytes.subarray(0, 7));
  };
  await stage.connect(forward());
  const asked = stage.haldir.ask('POST', {}, '{}');
  await eventually(() => expect(asked.answer.body).toBe('data: '));
  open!.end(bytes.subarray(7));
  expect((await asked.whole).body).toBe('data: é😀\n\n');
  respond = (_, response) => response.writeHead(307, { location: '/other' }).end();
  expect(await stage.haldir.ask('POST', {}, '{}').whole).toMatchObject({
    status: 307,
    headers: { location: '/other' },
  });
  expect(seen).toHaveLength(2);
});

it('may encode what it answers', async () => {
  respond = (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"a":"\0"}'));
  await stage.connect(forward());
  expect(await stage.haldir.ask('POST', {}, '{}').whole).toMatchObject({ headers: {}, body: '{"a":"\ufffd"}' });
});

it('is left when nobody waits any more', async () => {
  let isClosed = false;
  respond = (_, response) => void response.once('close', () => (isClosed = true));
  await stage.connect(forward());
  const asked = stage.haldir.ask('POST', {}, '{}');
  await eventually(() => expect(seen).toHaveLength(1));
  asked.cancel();
  await eventually(() => expect(isClosed).toBe(true));
});

it('that breaks off, or is not there, gives no answer', async () => {
  respond = (request) => request.socket.destroy();
  await stage.connect(forward());
  expect((await stage.haldir.ask('POST', {}, '{}').whole).failed).toBe('reset');
  respond = (request, response) => {
    response.writeHead(200).write('{');
    setImmediate(() => request.socket.destroy());
  };
  expect(await stage.haldir.ask('POST', {}, '{}').whole).toMatchObject({ status: 200, failed: 'reset' });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect((await stage.haldir.ask('POST', {}, '{}').whole).failed).toBe('reset');
  expect(stage.said.at(-1)).toContain('ECONNREFUSED');
});

it('answers nothing that Haldir does not take: of headers what fits, and no status beyond 599', async () => {
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`mcp-added-${i}`, String(i)]));
  const odd = { [`mcp-${'x'.repeat(150)}`]: 'x', 'mcp-session-id': 'abc', 'content-type': 'application/json' };
  respond = (_, response) => response.writeHead(200, { ...many, ...odd }).end('{}');
  await stage.connect(forward());
  const { headers } = await stage.haldir.ask('POST', {}, '{}').whole;
  expect(Object.keys(headers)).toHaveLength(64);
  expect(headers).toMatchObject({ 'content-type': 'application/json', 'mcp-session-id': `${stage.instance}.abc` });
  expect(Object.keys(headers).filter((name) => name.length > 128)).toEqual([]);
  respond = (_, response) => response.writeHead(200, { 'mcp-session-id': 'x'.repeat(8_190) }).end('{}');
  expect((await stage.haldir.ask('POST', {}, '{}').whole).headers).toEqual({});
  respond = (_, response) => response.writeHead(799).end('{}');
  expect(await stage.haldir.ask('POST', {}, '{}').whole).toMatchObject({ status: 0, failed: 'reset' });
  expect(stage.said.at(-1)).toContain('HTTP status 799');
});
