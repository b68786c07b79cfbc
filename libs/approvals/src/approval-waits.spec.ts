import { createLogger } from '@haldir/runtime';
import { type ApprovalRequestRepository } from './approval-request.repository.js';
import { ApprovalWaits } from './approval-waits.js';

it('has no tenant keep others from waiting', async () => {
  const waits = new ApprovalWaits({} as ApprovalRequestRepository, createLogger('silent'));
  const wait = (tenantId: string): Promise<string> =>
    waits.untilDecided(tenantId, 'apr_1', 60_000, new AbortController().signal);
  const decided = vi.fn();
  const waiting = Array.from({ length: 1_000 }, () => wait('greedy'));
  expect(await wait('greedy')).toBe('pending');
  void wait('other').then(decided);
  await new Promise((resolve) => setImmediate(resolve));
  expect(decided).not.toHaveBeenCalled();
  waits.beforeApplicationShutdown();
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['pending']));
  expect(decided).toHaveBeenCalled();
});
