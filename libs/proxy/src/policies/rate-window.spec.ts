import fc from 'fast-check';
import { answerTo, countCall, type RateWindow, type RateRequest } from './rate-window.js';

const requestOf = (maxPerMinute: number): RateRequest => ({
  ...{ tenantId: 'tnt_1', agentId: 'agent', logOnly: [] },
  limits: [{ policyId: 'pol_1', maxPerMinute }],
});

it('has a place again within a minute, at the time it says', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(1, 5, 601, 1000),
      fc.integer({ min: 0, max: 1_000_000 }),
      fc.array(fc.integer({ min: 0, max: 40_000 }), { minLength: 1, maxLength: 30 }),
      (maxPerMinute, start, gaps) => {
        const window: RateWindow = { times: [], counts: [] };
        const request = requestOf(maxPerMinute);
        let now = start;
        for (const gap of gaps) {
          now += gap;
          // As many as there is room for.
          for (let made = 0; answerTo(() => window, request, new Date(now)).full.size === 0; made++) {
            expect(made).toBeLessThanOrEqual(maxPerMinute);
            countCall(() => window, request, new Date(now));
          }
          const freeAt = answerTo(() => window, request, new Date(now)).full.get('pol_1') as Date;
          expect(freeAt.getTime() - now).toBeLessThanOrEqual(60_000);
          expect(answerTo(() => window, request, new Date(freeAt.getTime() - 1)).full.size).toBe(1);
          expect(answerTo(() => window, request, freeAt).full.size).toBe(0);
        }
      },
    ),
  );
});

describe('a window', () => {
  const counted = (window: RateWindow, maxPerMinute: number, ...times: number[]): RateWindow => {
    for (const now of times) countCall(() => window, requestOf(maxPerMinute), new Date(now));
    return window;
  };
  const empty = (): RateWindow => ({ times: [], counts: [] });

  it('remembers each millisecond of up to 600 calls a minute, and tenths of a second of more', () => {
    expect(counted(empty(), 600, 1_000, 1_000, 1_001)).toEqual({ times: [1_000, 1_001], counts: [2, 1] });
    expect(counted(empty(), 601, 1_000, 1_099, 1_100)).toEqual({ times: [1_099, 1_100], counts: [2, 1] });
    // From a process whose clock is behind.
    expect(counted(empty(), 601, 1_099, 1_000)).toEqual({ times: [1_099], counts: [2] });
  });

  it('forgets a call after a minute, and none before', () => {
    expect(counted(empty(), 5, 0, 1, 60_000)).toEqual({ times: [1, 60_000], counts: [1, 1] });
    const full = { times: [0, 1], counts: [1, 1] };
    expect(answerTo(() => full, requestOf(2), new Date(59_999)).full.get('pol_1')).toEqual(new Date(60_000));
    expect(answerTo(() => full, requestOf(2), new Date(60_000)).full.size).toBe(0);
  });

  it('counts what a clock that is ahead has written, and has a place a minute from now at the latest', () => {
    const ahead = { times: [70_000, 90], counts: [1, 1] };
    const answer = answerTo(() => ahead, requestOf(1), new Date(5_000));
    expect([answer.at, answer.full]).toEqual([new Date(5_000), new Map([['pol_1', new Date(65_000)]])]);
    expect(answerTo(() => ahead, requestOf(2), new Date(5_000)).full.get('pol_1')).toEqual(new Date(60_090));
  });

  it('of a limit of nothing is never free, and of one that limits nothing any more is none', () => {
    expect(answerTo(empty, requestOf(0), new Date(1)).full).toEqual(new Map([['pol_1', null]]));
    expect(answerTo(() => undefined, requestOf(0), new Date(1)).full.size).toBe(0);
    expect(countCall(() => undefined, requestOf(1), new Date(1))).toEqual([]);
  });
});

it('a policy in log_only counts the calls that it would have let through, and stops none', () => {
  const windows = new Map(['enforced', 'full', 'open'].map((id) => [id, { times: [], counts: [] }]));
  const logOnly = [{ policyId: 'full', maxPerMinute: 0 }, { policyId: 'open', maxPerMinute: 1 }, { policyId: 'gone', maxPerMinute: 1 }]; // prettier-ignore
  const request: RateRequest = { ...requestOf(1), limits: [{ policyId: 'enforced', maxPerMinute: 1 }], logOnly };
  const windowOf = ({ policyId }: { policyId: string }): RateWindow | undefined => windows.get(policyId);
  expect(countCall(windowOf, request, new Date(7))).toEqual([windows.get('enforced'), windows.get('open')]);
  const one = { times: [7], counts: [1] };
  expect(Object.fromEntries(windows)).toEqual({ enforced: one, open: one, full: { times: [], counts: [] } });
  const answer = answerTo(windowOf, request, new Date(8));
  expect([[...answer.full.keys()], [...answer.logOnly.keys()]]).toEqual([['enforced'], ['full', 'open']]);
});
