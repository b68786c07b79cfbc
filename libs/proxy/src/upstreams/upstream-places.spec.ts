import { type HaldirConfig } from '@haldir/runtime';
import { type UpstreamAddress } from './upstream-address.js';
import { NO_LIMITS, UpstreamLimits } from './upstream-limits.js';
import { UpstreamPlaces } from './upstream-places.js';

const upstreams = { timeoutMs: 200, longestMs: 600_000, maxAnswerBytes: 4096, concurrency: 2 };
let places: UpstreamPlaces;
beforeEach(() => {
  places = new UpstreamPlaces(new UpstreamLimits({ upstreams } as HaldirConfig));
});

const up = (more: Partial<UpstreamAddress> = {}): UpstreamAddress =>
  ({ ...NO_LIMITS, tenantId: 'ten_1', name: 'up', ...more }) as UpstreamAddress;
const take = (of = up(), signal?: AbortSignal): Promise<() => void> => places.take(of, signal);

describe('places at an upstream', () => {
  it('are as many as it is sent at once; who comes later waits for its turn, in order', async () => {
    const [first, second] = [await take(), await take()];
    const order: number[] = [];
    const waiting = [3, 4, 5].map((nth) => take().then((leave) => (order.push(nth), leave)));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(order).toEqual([]);
    first();
    const third = await waiting[0];
    expect(order).toEqual([3]);
    second();
    third?.();
    await Promise.all(waiting);
    expect(order).toEqual([3, 4, 5]);
  });

  it('are given back once, however often that is said', async () => {
    const first = await take();
    await take();
    first();
    first();
    await take();
    await expect(take()).rejects.toMatchObject({ reason: 'busy' });
  });

  it('are each upstream’s own', async () => {
    await Promise.all([take(), take()]);
    await take(up({ name: 'other' }));
    await take(up({ tenantId: 'ten_2' }));
  });

  it('that are not there in time are refused with the number and where it is set, and nothing was sent', async () => {
    await Promise.all([take(), take()]);
    await expect(take()).rejects.toMatchObject({
      ...{ reason: 'busy', sent: false },
      message: expect.stringMatching(/: 2 \(UPSTREAM_CONCURRENCY\), and none of them ended within 0\.2 s$/) as string,
    });
    await expect(take(up({ concurrency: 1 }))).rejects.toThrow('1 (its concurrency)');
  });

  it('become more for those that wait already once the upstream is registered with more, and fewer for all', async () => {
    const first = await take(up({ concurrency: 1 }));
    const second = take(up({ concurrency: 1 }));
    const third = take(up({ concurrency: 2 }));
    const leave = await second;
    const fourth = take(up({ concurrency: 1 }));
    first();
    await expect(third).rejects.toMatchObject({ reason: 'busy' });
    await expect(fourth).rejects.toMatchObject({ reason: 'busy' });
    const fifth = take(up({ concurrency: 1 }));
    leave();
    await fifth;
  });

  it('are waited for by a thousand at most: the next one is refused at once, with the number', async () => {
    await Promise.all([take(), take()]);
    const waiting = Array.from({ length: 1_000 }, () => take());
    const startedAt = performance.now();
    await expect(take()).rejects.toMatchObject({
      ...{ reason: 'busy', sent: false },
      message: expect.stringMatching(/: 2 \(UPSTREAM_CONCURRENCY\), and 1000 more wait for their turn$/) as string,
    });
    expect(performance.now() - startedAt).toBeLessThan(150);
    await Promise.allSettled(waiting);
  });

  it('are not waited for by one that is broken off, and what it would have had is the next one’s', async () => {
    const [first] = [await take(), await take()];
    const cut = new AbortController();
    const left = take(up(), cut.signal);
    const next = take();
    cut.abort();
    await expect(left).rejects.toMatchObject({ reason: 'aborted', sent: false });
    await expect(take(up(), AbortSignal.abort())).rejects.toMatchObject({ reason: 'aborted', sent: false });
    first();
    await next;
  });
});
