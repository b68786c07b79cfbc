import { startWorld, text, type World } from '@haldir/test-support';
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

it('an answer that nearly holds a long secret at every place holds up nobody', async () => {
  const up = await story.upstream('up', 'say');
  const value = `${'a'.repeat(8190)}b`;
  await story.tenant.post('/v1/secrets', {
    ...{ name: 'k', value, scope_required: 'execute', bindings: [{ upstream: 'up', tool: 'say' }] },
  });
  up.answer = () => text('a'.repeat(65_536));
  expect(await longestWaitDuring(() => story.call('up.say', { v: '{{vault:k}}' }))).toBeLessThan(1_000);
  expect(up.calls).toEqual([{ tool: 'say', arguments: { v: value } }]);
});
