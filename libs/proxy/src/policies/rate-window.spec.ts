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
          while (answerTo(() => window, request, new Date(now)).full.size === 0)
            countCall(() => window, request, new Date(now));
          const freeAt = answerTo(() => window, request, new Date(now)).full.get('pol_1') as Date;
          expect(freeAt.getTime() - now).toBeLessThanOrEqual(60_000);
          expect(answerTo(() => window, request, new Date(freeAt.getTime() - 1)).full.size).toBe(1);
          expect(answerTo(() => window, request, freeAt).full.size).toBe(0);
        }
      },
    ),
  );
});
