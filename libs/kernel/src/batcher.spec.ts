import { Batcher } from './batcher.js';
import { Unavailable } from './haldir-error.js';

const options = { maxBatch: 10, maxInFlight: 1, maxQueued: 20 };

it('takes what arrives together in one batch, answered in its order', async () => {
  const batches: number[][] = [];
  const batcher = new Batcher<number, number>({
    ...options,
    run: (items) => {
      batches.push(items);
      return Promise.resolve(items.map((item) => item * 2));
    },
  });
  expect(await Promise.all([1, 2, 3].map((item) => batcher.submit(item)))).toEqual([2, 4, 6]);
  expect(batches).toEqual([[1, 2, 3]]);
});

it('keeps what arrives meanwhile for the next batch', async () => {
  const batches: number[][] = [];
  const batcher = new Batcher<number, number>({
    ...options,
    run: async (items) => {
      batches.push(items);
      await new Promise((resolve) => setTimeout(resolve, 5));
      return items;
    },
  });
  const first = batcher.submit(1);
  await new Promise((resolve) => setImmediate(resolve));
  await Promise.all([first, batcher.submit(2), batcher.submit(3)]);
  expect(batches).toEqual([[1], [2, 3]]);
});

it('lets one bad item fail alone', async () => {
  const batcher = new Batcher<number, number>({
    ...options,
    splitOn: () => true,
    run: (items) => (items.includes(3) ? Promise.reject(new Error('bad')) : Promise.resolve(items)),
  });
  const settled = await Promise.allSettled([1, 2, 3, 4, 5].map((item) => batcher.submit(item)));
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
});

it('refuses what goes beyond the queue', async () => {
  const batcher = new Batcher<number, number>({ ...options, run: (items) => Promise.resolve(items) });
  const settled = await Promise.allSettled(Array.from({ length: 25 }, (_, i) => batcher.submit(i)));
  const refused = settled.filter((one) => one.status === 'rejected');
  expect(refused).toHaveLength(5);
  expect(refused.every(({ reason }) => reason instanceof Unavailable)).toBe(true);
});
