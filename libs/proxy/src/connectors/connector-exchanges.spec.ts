import { type ExchangeState } from './connector-exchange.repository.js';
import { ConnectorExchanges } from './connector-exchanges.js';
import { type UnderWay } from './under-way.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const PLACE = { tenantId: 'ten_1', upstream: 'fs', key: 'key' };
const REQUEST = { url: 'connector:fs', method: 'POST', deadlineMs: 300_000, maxResponseBytes: 1_024 } as const;
const GIVEN = { isGone: false, isUndelivered: true, hasParts: false, isLeased: true };

/** A request under way, and how the database sees it. */
async function begun(look: () => Omit<ExchangeState, 'id'>) {
  let hear: (notice: { left: string }) => void = () => undefined;
  const cancel = vi.fn(() => Promise.resolve(true));
  const extend = vi.fn((_: unknown, ms: number) => Promise.resolve(ms));
  const repository = {
    ask: () => Promise.resolve(['waiting']),
    look: async (places: { id: string }[]) => places.map(({ id }) => ({ id, ...look() })),
    ...{ cancel, extend },
  };
  const notices = { hearAnswered: (hears: typeof hear) => Promise.resolve(void (hear = hears)) };
  const parts = { read: async (places: { id: string }[]) => places.map(({ id }) => ({ ...PLACE, id, seq: 0 })) };
  const seal = {
    sealRequest: () => Buffer.alloc(1),
    openPart: () => {
      throw new Error('it is forged');
    },
  };
  const log = { debug: () => undefined, warn: () => undefined };
  type Parts = ConstructorParameters<typeof ConnectorExchanges>;
  const given = [repository, parts, notices, seal, { countExchange: () => undefined }, log] as unknown as Parts;
  const beginning = new ConnectorExchanges(...given).begin(PLACE, null, REQUEST);
  await vi.advanceTimersByTimeAsync(1);
  const one: UnderWay = await beginning;
  const failure = one.whole().catch((error: unknown) => error);
  return { one, failure, cancel, extend, left: () => hear({ left: PLACE.key }) };
}

describe('a request that was given away and never noted as delivered', () => {
  it('is lost after ten looks that found the database there, and not before', async () => {
    let isThere = false;
    const { one, failure, left } = await begun(() => {
      if (!isThere) throw new Error('no database');
      return GIVEN;
    });
    await vi.advanceTimersByTimeAsync(60_000);
    isThere = true;
    // Connectors that leave say nothing of how long it was.
    for (let i = 0; i < 20; i++) left();
    await vi.advanceTimersByTimeAsync(9_500);
    expect(one.isWaiting).toBe(true);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await failure).toMatchObject({ reason: 'reset', sent: true });
  });

  it('is not lost where that is not known', async () => {
    const { one } = await begun(() => ({ ...GIVEN, isUndelivered: false }));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(one.isWaiting).toBe(true);
  });
});

it('an answer that cannot be opened is over, and the connector is told', async () => {
  const { failure, cancel } = await begun(() => ({ ...GIVEN, hasParts: true }));
  await vi.advanceTimersByTimeAsync(2_000);
  expect(await failure).toMatchObject({ reason: 'protocol', sent: true });
  expect(cancel).toHaveBeenCalledTimes(1);
});

describe('the end of a row', () => {
  it('is put off at once when its answer may take longer, and again when it moves by a second', async () => {
    const { one, extend } = await begun(() => ({ ...GIVEN, isUndelivered: false }));
    for (const ms of [REQUEST.deadlineMs + 500, 600_000, 600_500, 10_000]) {
      one['extend'](ms);
      await vi.advanceTimersByTimeAsync(0);
    }
    expect(extend.mock.calls.map(([, ms]) => ms)).toEqual([600_000]);
    await vi.advanceTimersByTimeAsync(2_000);
    one['extend'](600_000);
    expect(extend).toHaveBeenCalledTimes(2);
  });

  it('is put off with a look once the database is there again, and with what was said meanwhile', async () => {
    const { one, extend } = await begun(() => ({ ...GIVEN, isUndelivered: false }));
    let fail: (error: Error) => void = () => undefined;
    extend.mockImplementationOnce(() => new Promise((_, reject) => (fail = reject)));
    one['extend'](500_000);
    one['extend'](600_000);
    fail(new Error('no database'));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(extend).toHaveBeenCalledTimes(2);
    const again = extend.mock.calls[1]?.[1] ?? 0;
    expect([again > 598_000, again <= 600_000]).toEqual([true, true]);
  });
});
