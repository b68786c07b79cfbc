import { EventEmitter } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { type HaldirReply, type HaldirRequest } from '@haldir/http';
import Fastify from 'fastify';
import { Exchange, MAX_UNREAD_BYTES } from './exchange.js';

const MESSAGE = 'x'.repeat(1_000);

/** What comes of `count` messages to a client that reads, or does not. */
async function tell(count: number, reads: boolean): Promise<{ most: number; exchange: Exchange; heard: () => number }> {
  const fastify = Fastify();
  let begun: (exchange: Exchange) => void = () => undefined;
  const exchanges = new Promise<Exchange>((resolve) => (begun = resolve));
  fastify.post('/', (request, reply) => {
    begun(new Exchange(request, reply));
    return reply;
  });
  await fastify.listen({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => fastify.close());
  const socket = connect((fastify.server.address() as AddressInfo).port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.write('POST / HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\ncontent-length: 0\r\n\r\n');
  let heard = 0;
  if (reads) socket.on('data', (chunk: Buffer) => (heard += chunk.length));
  else socket.pause();
  socket.on('error', () => undefined);
  const exchange = await exchanges;
  let most = 0;
  for (let i = 0; i < count && !exchange.unread.aborted; i++) {
    exchange.notify('notifications/progress', { message: MESSAGE });
    most = Math.max(most, exchange.unreadBytes);
    if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return { most, exchange, heard: () => heard };
}

describe('a stream', () => {
  it('whose client has hung up before it begins is over, and keeps nothing going', async () => {
    const raw = Object.assign(new EventEmitter(), { closed: true, writableFinished: false });
    const set = vi.spyOn(globalThis, 'setInterval');
    onTestFinished(() => set.mockRestore());
    const exchange = new Exchange(
      { headers: { accept: 'text/event-stream' } } as HaldirRequest,
      { raw } as unknown as HaldirReply,
    );
    expect(exchange.signal.aborted).toBe(true);
    exchange.stand();
    expect(set).not.toHaveBeenCalled();
  });

  it('keeps a bounded number of bytes for a client that does not read, and ends then', async () => {
    const { most, exchange } = await tell(50_000, false);
    expect(most).toBeGreaterThan(MAX_UNREAD_BYTES / 2);
    expect(most).toBeLessThan(MAX_UNREAD_BYTES + 2 * (MESSAGE.length + 200));
    expect(exchange.unread.aborted).toBe(true);
    await vi.waitFor(() => expect(exchange.signal.aborted).toBe(true));
    exchange.notify('notifications/progress', { message: MESSAGE });
    exchange.finish(200, '{}');
    expect(exchange.unreadBytes).toBeLessThan(MAX_UNREAD_BYTES + 2 * (MESSAGE.length + 200));
  });

  it('says all of it to one that reads', async () => {
    const { exchange, heard } = await tell(5_000, true);
    exchange.finish(200, '{}');
    expect(exchange.unread.aborted).toBe(false);
    await vi.waitFor(() => expect(heard()).toBeGreaterThan(5_000 * MESSAGE.length));
  });
});
