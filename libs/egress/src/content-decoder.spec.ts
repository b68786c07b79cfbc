import { constants, brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { EgressWorld, failureOf } from '@haldir/test-support';
import { contentEncoding } from './content-decoder.js';

const world = new EgressWorld();
afterEach(() => world.close());

const limits = { method: 'GET', deadlineMs: 5_000, maxResponseBytes: 64 * 1024, decode: true } as const;
const encodings = [
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
  ['br', brotliCompressSync],
] as const;

/** As of a stream that goes on. */
const flushed = [
  ['gzip', (body: Buffer) => gzipSync(body, { finishFlush: constants.Z_SYNC_FLUSH })],
  ['deflate', (body: Buffer) => deflateSync(body, { finishFlush: constants.Z_SYNC_FLUSH })],
  ['br', (body: Buffer) => brotliCompressSync(body, { finishFlush: constants.BROTLI_OPERATION_FLUSH })],
] as const;

/** A server that answers these bytes, said to be so encoded. */
const serve = async (encoding: string, body: Buffer): Promise<string> =>
  (await world.serve((_, res) => res.setHeader('content-encoding', encoding).end(body))).url;

describe('an answer that is to be decoded', () => {
  it.each(encodings)('is, whole and in chunks: %s', async (encoding, encode) => {
    const text = Array.from({ length: 2_000 }, (_, i) => `line ${i} ü\n`).join('');
    const url = await serve(encoding, encode(Buffer.from(text)));
    const egress = world.egress();
    expect((await egress.request({ ...limits, url })).body.toString()).toBe(text);
    const chunks: Buffer[] = [];
    for await (const chunk of (await egress.open({ ...limits, url })).body) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe(text);
  });

  it.each(encodings)('that is a bomb is cut at the limit: %s', async (encoding, encode) => {
    const url = await serve(encoding, encode(Buffer.alloc(50 * 1024 * 1024)));
    const egress = world.egress();
    const before = process.memoryUsage.rss();
    expect(await failureOf(egress.request({ ...limits, maxResponseBytes: 1024 * 1024, url }))).toMatchObject({
      reason: 'too_large',
      sent: true,
    });
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 1024 * 1024);
    const cut = await egress.request({ ...limits, maxResponseBytes: 1024 * 1024, onOverflow: 'truncate', url });
    expect([cut.truncated, cut.body.length]).toEqual([true, 1024 * 1024]);
  });

  it('is too large when it is so as it comes, however little comes out of it', async () => {
    // Empty blocks of deflate, none of them the last.
    const url = await serve('deflate', Buffer.concat(Array(20_000).fill(Buffer.from([0, 0, 0, 0xff, 0xff]))));
    expect((await failureOf(world.egress().request({ ...limits, url }))).reason).toBe('too_large');
  });

  it('and is not what its encoding says fails as one that is no valid HTTP', async () => {
    const url = await serve('gzip', Buffer.from('this is no gzip'));
    expect((await failureOf(world.egress().request({ ...limits, url }))).reason).toBe('protocol');
  });

  it.each(flushed)('and breaks off is handed on as far as it came, and fails then: %s', async (encoding, encode) => {
    const text = `${'all of it '.repeat(20_000)}\n`;
    const { url } = await world.serve((_, res) => {
      res.writeHead(200, { 'content-encoding': encoding });
      res.write(encode(Buffer.from(text)), () => res.socket?.end());
    });
    const egress = world.egress();
    for (let nth = 0; nth < 10; nth++) {
      const { body } = await egress.open({ ...limits, maxResponseBytes: 1024 * 1024, url });
      const chunks: Buffer[] = [];
      const read = async (): Promise<void> => {
        for await (const chunk of body) chunks.push(chunk);
      };
      expect(await failureOf(read())).toMatchObject({ reason: 'reset', sent: true });
      expect(Buffer.concat(chunks).toString() === text).toBe(true);
    }
  });

  it('may be empty', async () => {
    const url = await serve('gzip', Buffer.alloc(0));
    expect((await world.egress().request({ ...limits, url })).body).toHaveLength(0);
  });

  it('is as it came where nobody asked for that', async () => {
    const url = await serve('gzip', gzipSync('a'));
    expect((await world.egress().request({ ...limits, decode: false, url })).body).toEqual(gzipSync('a'));
  });
});

it.each([
  [undefined, null],
  ['identity', null],
  ['', null],
  [' GZIP ', 'gzip'],
  ['x-gzip', 'gzip'],
  ['br', 'br'],
  ['identity, deflate', 'deflate'],
  ['zstd', { unread: 'zstd' }],
  [['gzip', 'gzip'], { unread: 'more than one' }],
  ['sk_live_1', { unread: 'one that is not registered' }],
])('of the header %j it is found to be %j', (value, found) => expect(contentEncoding(value)).toEqual(found));
