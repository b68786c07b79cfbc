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

it('a MiB of numbers that are to stay as written is refused, and as many as are taken hold up nobody', async () => {
  const up = await story.upstream('up', 'say');
  const call = (numbers: number): Promise<Response> =>
    fetch(`${story.tenant.url}/v1/proxy/call`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${story.tenant.key}` },
      body: `{"session_id":"${story.session}","tool":"up.say","arguments":{"n":[${'1.0,'.repeat(numbers)}2.0]}}`,
    });
  const refused = await call(260_000);
  expect([refused.status, await refused.json()]).toMatchObject([400, { field: 'body' }]);
  let answered = 0;
  expect(await longestWaitDuring(async () => (answered = (await call(99_000)).status))).toBeLessThan(1_000);
  expect([answered, up.calls.length]).toEqual([200, 1]);
});
