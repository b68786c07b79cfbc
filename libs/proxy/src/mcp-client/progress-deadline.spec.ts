import { setTimeout as sleep } from 'node:timers/promises';
import { ProgressWatch } from './progress-watch.js';
import {
  cleanUp,
  client,
  failure,
  handshake,
  type Message,
  ok,
  text,
  upstream,
  type Upstream,
} from './upstream-fixture.for-spec.js';

afterEach(cleanUp);

/** Answers a call after `times` times 150 ms, each time with progress for a token. */
const working = (times: number, tokenOf: (message: Message) => unknown): Promise<Upstream> =>
  upstream(
    handshake(async (message, _req, res) => {
      if (!message.method) return void res.writeHead(202).end();
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      const say = (said: unknown): unknown => res.write(`data: ${JSON.stringify(said)}\n\n`);
      for (let progress = 1; progress <= times && !res.destroyed; progress++) {
        await sleep(150);
        const params = { progressToken: tokenOf(message), progress };
        say({ jsonrpc: '2.0', method: 'notifications/progress', params });
      }
      return void res.end(`data: ${JSON.stringify(ok(message, text('done')))}\n\n`);
    }),
  );
const own = (message: Message): unknown => message.params._meta.progressToken;
const options = { deadlineMs: 400, longestMs: 5_000, onProgress: () => undefined };

describe('a call whose upstream says how far it is', () => {
  it('is waited for beyond its deadline', async () => {
    const server = await working(18, own);
    const ample = { ...options, deadlineMs: 2_000, longestMs: 60_000 };
    expect(await client(server.url).callTool('a', {}, ample)).toEqual(text('done'));
  });

  it('is waited for no longer than the longest call', async () => {
    const server = await working(200, own);
    const startedAt = performance.now();
    const mcp = client(server.url);
    expect(await failure(mcp.callTool('a', {}, { ...options, deadlineMs: 2_000, longestMs: 2_500 }))).toMatchObject({
      reason: 'timeout',
      sent: true,
    });
    expect(performance.now() - startedAt).toBeGreaterThan(2_400);
    expect(performance.now() - startedAt).toBeLessThan(25_000);
  });

  it('has so much more as its client was asked meanwhile', () => {
    const elicitation = { capability: {}, endsAt: () => 0, askedMs: 0, ask: async () => null };
    const terms = { deadlineAt: performance.now() + 400, elicitation };
    const limits = { terms, deadlineMs: 60_000, longestMs: 5_000 };
    const watch = new ProgressWatch({}, 'p1', () => undefined, limits);
    const { deadlineAt } = terms;
    const later = (): number =>
      watch.terms.laterDeadline?.({ method: 'notifications/progress', params: { progressToken: 'p1', progress: 1 } }) ??
      0;
    const before = later();
    expect(before).toBeGreaterThan(deadlineAt);
    elicitation.askedMs = 30_000;
    expect(later()).toBe(before + 30_000);
  });

  it.each([
    ['of another call', () => 'p999'],
    ['of nobody', () => undefined],
  ])('gains nothing by progress %s', async (_, tokenOf) => {
    const server = await working(8, tokenOf);
    expect(await failure(client(server.url).callTool('a', {}, options))).toMatchObject({
      reason: 'timeout',
      sent: true,
    });
  });
});
