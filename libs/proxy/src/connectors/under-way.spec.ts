import { type EgressRequest } from '@haldir/egress';
import { UnderWay } from './under-way.js';

const KB_256 = 'x'.repeat(256 * 1024);

function underWay(request: Partial<EgressRequest> = {}): UnderWay {
  const asked = {
    url: 'connector:fs',
    method: 'POST',
    deadlineMs: 60_000,
    maxResponseBytes: 10 * 1024 * 1024,
    ...request,
  };
  const hooks = { giveUp: () => undefined, settled: () => undefined, extended: () => undefined };
  return new UnderWay(
    'cex_1',
    { tenantId: 'ten_1', upstream: 'fs', key: 'key' },
    asked as EgressRequest,
    60_000,
    hooks,
  );
}
const part = (data: string, last = false) => ({ data, last });
const FIRST = { status: 200, headers: {}, data: '0', last: false };

describe('an answer that comes in parts', () => {
  it('is put together in their order, each once, also where they overtake each other', async () => {
    const one = underWay();
    const whole = one.whole();
    for (const seq of [3, 1, 2, 1, 3]) one.take(seq, part(String(seq), seq === 3));
    one.take(0, FIRST);
    expect((await whole).body.toString()).toBe('0123');
    expect(one.end).toBe('answered');
  });

  it('fails, and is kept no longer, once a part was left out by 256 places', async () => {
    const one = underWay();
    const whole = one.whole().catch((error: unknown) => error);
    one.take(0, FIRST);
    for (let seq = 2; seq < 257; seq++) one.take(seq, part(''));
    expect(one.isWaiting).toBe(true);
    one.take(257, part(''));
    expect(one.isWaiting).toBe(false);
    expect(await whole).toMatchObject({ reason: 'protocol', sent: true });
    expect(one.end).toBe('left');
  });

  it('fails once what waits for one that was left out is larger than the answer may be', async () => {
    const one = underWay();
    const whole = one.whole().catch((error: unknown) => error);
    for (let seq = 1; seq <= 40; seq++) one.take(seq, part(KB_256));
    expect(one.isWaiting).toBe(true);
    one.take(41, part(KB_256));
    expect(await whole).toMatchObject({ reason: 'protocol', sent: true });
  });
});
