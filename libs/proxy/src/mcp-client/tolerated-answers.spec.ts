import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { cleanUp, client, failure, handshake, ok, text, upstream } from './upstream-fixture.for-spec.js';

afterEach(cleanUp);

describe('an answer that is not quite as it should be', () => {
  it.each([
    ['event: ping\ndata: 2026-11-30T12:00:00Z\n\n'],
    ['event: ping\ndata: {}\n\nevent: endpoint\ndata: /messages?id=1\n\n'],
    ['data: ping\n\ndata: {"type":"heartbeat"}\n\ndata: 1\n\ndata: null\n\ndata: [DONE]\n\n'],
    ['event: message\ndata: {"jsonrpc":"2.0","method"\n\n'],
    ['event: ping\ndata: {"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"text","text":"no message"}]}}\n\n'],
  ])('passes over what is no message, as the official client does: %j', async (before) => {
    const server = await upstream(
      handshake((message, _req, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write(before.replace('ID', String(message.id)));
        return void res.write(`data: ${JSON.stringify(ok(message, text('the answer')))}\n\n`);
      }),
    );
    expect(await client(server.url).callTool('a', {})).toEqual(text('the answer'));
  });

  it.each(['application/json', 'text/event-stream'])(
    'knows its id when it comes back as a text, in %s',
    async (type) => {
      const server = await upstream(
        handshake((message, _req, res) => {
          const answer = JSON.stringify(ok({ id: String(message.id) }, text('mine')));
          const other = JSON.stringify(ok({ id: `${message.id}0` }, text('not mine')));
          res.writeHead(200, { 'content-type': type });
          return void res.end(type === 'application/json' ? answer : `data: ${other}\n\ndata: ${answer}\n\n`);
        }),
      );
      expect(await client(server.url).callTool('a', {})).toEqual(text('mine'));
    },
  );

  it('reads an answer that begins with a byte order mark', async () => {
    const server = await upstream(
      handshake(
        (message, _req, res) =>
          void res
            .writeHead(200, { 'content-type': 'application/json' })
            .end(`\ufeff${JSON.stringify(ok(message, text('read')))}`),
      ),
    );
    expect(await client(server.url).callTool('a', {})).toEqual(text('read'));
  });
});

describe('an answer that is encoded although identity was asked for', () => {
  it.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
  ])('is decoded, in JSON and in events: %s', async (encoding, encode) => {
    let type = 'application/json';
    const server = await upstream(
      handshake((message, _req, res) => {
        const answer = JSON.stringify(ok(message, text('été 🙂')));
        res.writeHead(200, { 'content-type': type, 'content-encoding': encoding });
        return void res.end(encode(Buffer.from(type === 'application/json' ? answer : `data: ${answer}\n\n`)));
      }),
    );
    const mcp = client(server.url);
    expect(await mcp.callTool('a', {})).toEqual(text('été 🙂'));
    type = 'text/event-stream';
    expect(await mcp.callTool('a', {})).toEqual(text('été 🙂'));
    expect(server.seen.every(({ headers }) => headers['accept-encoding'] === 'identity')).toBe(true);
  });

  it('is read event by event, before the stream ends', async () => {
    const server = await upstream(
      handshake((message, _req, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' });
        const { Z_SYNC_FLUSH } = constants;
        const event = `data: ${JSON.stringify(ok(message, text('now')))}\n\n`;
        return void res.write(gzipSync(event, { finishFlush: Z_SYNC_FLUSH }));
      }),
    );
    expect(await client(server.url).callTool('a', {})).toEqual(text('now'));
  });

  it.each([
    ['zstd', /: zstd$/],
    ['br, gzip', /: more than one$/],
    ['sk_live_1', /: one that is not registered$/],
  ])('in one that is not read is refused, which is named if it is a known one: %s', async (encoding, words) => {
    const server = await upstream(
      handshake((message, _req, res) => {
        res.writeHead(200, { 'content-type': 'application/json', 'content-encoding': encoding });
        return void res.end(JSON.stringify(ok(message, text('a'))));
      }),
    );
    const error = await failure(client(server.url).callTool('a', {}));
    expect(error).toMatchObject({ reason: 'encoding', sent: true });
    expect(error.message).toMatch(words);
  });
});
