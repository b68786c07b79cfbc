import { startWorld, type World } from '@haldir/test-support';
import { ProxyStory } from '../e2e/proxy-story.js';

let world: World;
let story: ProxyStory;
beforeAll(async () => {
  world = await startWorld();
});
beforeEach(async () => {
  story = await ProxyStory.begin(await world.newTenant());
});
afterEach(() => story.end());
afterAll(() => world.stop());

/** How long the slowest of the questions whether the process lives took while the work was done, in milliseconds. */
async function longestWaitDuring(work: () => Promise<unknown>): Promise<number> {
  let isDone = false;
  const done = work().finally(() => (isDone = true));
  let longest = 0;
  while (!isDone) {
    const startedAt = performance.now();
    await story.tenant.get('/livez');
    longest = Math.max(longest, performance.now() - startedAt);
  }
  await done;
  return longest;
}

it('an amount of 40,000 digits that is none holds up nobody', async () => {
  await story.upstream('up', 'pay');
  await story.policy('spend_limit', { max: 5 });
  const amount = `${'1'.repeat(40_000)}x`;
  expect(await longestWaitDuring(() => story.call('up.pay', { amount }))).toBeLessThan(1_000);
});
