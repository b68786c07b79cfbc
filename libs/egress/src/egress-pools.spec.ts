import { setTimeout as sleep } from 'node:timers/promises';
import { EgressWorld, failureOf } from '@haldir/test-support';
import { afterEach, describe, expect, it } from 'vitest';

const world = new EgressWorld();
afterEach(() => world.close());

const limits = { deadlineMs: 2_000, maxResponseBytes: 64 * 1024 };

describe('pools', () => {
  it('keeps a hung destination from delaying others under another key', async () => {
    const { url } = await world.serve((req, res) => void (req.url === '/hang' || res.end('ok')));
    const egress = world.egress();
    const hung = Array.from({ length: 8 }, () =>
      failureOf(
        egress.request({
          ...limits,
          method: 'GET',
          url: `${url}/hang`,
          deadlineMs: 500,
          pool: { key: 'a', connections: 2 },
        }),
      ),
    );
    await sleep(30);
    const answer = await egress.request({ ...limits, method: 'GET', url, deadlineMs: 300, pool: { key: 'b' } });
    expect(answer.body.toString()).toBe('ok');
    expect((await Promise.all(hung)).every(({ reason }) => reason === 'timeout')).toBe(true);
  });

  it('are closed by key, and only by exactly that key', async () => {
    const { url } = await world.serve((_req, res) => res.end('ok'));
    const egress = world.egress();
    for (const key of ['a', 'a b']) await egress.request({ ...limits, method: 'GET', url, pool: { key } });
    egress.closePools('a');
    expect(egress.poolCount).toBe(1);
  });

  it('are bounded in number, and closed when idle', async () => {
    const { url } = await world.serve((_req, res) => res.end('ok'));
    const egress = world.egress({ maxPools: 3, poolIdleMs: 100 });
    for (let i = 0; i < 10; i++) await egress.request({ ...limits, method: 'GET', url, pool: { key: `k${i}` } });
    expect(egress.poolCount).toBeLessThanOrEqual(3);
    await sleep(350);
    expect(egress.poolCount).toBe(0);
  });
});
