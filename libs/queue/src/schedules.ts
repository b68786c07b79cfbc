import { type Queue } from 'bullmq';

/**
 * How a worker takes jobs: a killed worker's job is taken up by another within six seconds (lock 4 s, checked every
 * 2 s), so jobs must be idempotent and must not keep the event loop for seconds.
 */
export const workerOptions = { lockDuration: 4000, stalledInterval: 2000, maxStalledCount: 5 } as const;

/**
 * Declares that `queue` runs one job every `everyMs`. Idempotent; call it again now and then, because a flushed Redis
 * forgets its schedules.
 */
export async function runEvery(queue: Queue, everyMs: number): Promise<void> {
  await queue.upsertJobScheduler(
    queue.name,
    { every: everyMs },
    { name: queue.name, data: {}, opts: { removeOnComplete: true, removeOnFail: { count: 10 } } },
  );
}
