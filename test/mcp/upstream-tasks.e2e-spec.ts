import {
  type AppProcess,
  connectMcp,
  eventually,
  saidBy,
  saying,
  Scenario,
  startApi,
  startTaskingUpstream,
  startWorker,
  startWorld,
  type TaskingUpstream,
  type TaskState,
  text,
  type World,
} from '@haldir/test-support';

let world: World;
let worker: AppProcess;
let scenario: Scenario<TaskingUpstream>;
beforeAll(async () => {
  world = await startWorld({ processes: 2, environment: { UPSTREAM_TIMEOUT_SECONDS: '60' } });
  worker = await startWorker(world.environment);
});
afterAll(async () => {
  await worker.stop();
  await world.stop();
});
beforeEach(async () => {
  scenario = await Scenario.around(world, await startTaskingUpstream(), { scopes: ['execute', 'read'] });
  expect((await scenario.register('up', scenario.up.url)).body).toMatchObject({ healthy: true });
});
afterEach(() => scenario.end());

/** Once the upstream was asked for a task, that it is in this state. */
async function then(state: TaskState): Promise<void> {
  await eventually(async () => expect(scenario.up.asked.length).toBeGreaterThan(0));
  for (const id of scenario.up.tasks.keys()) scenario.up.tasks.set(id, state);
}
const done: TaskState = { status: 'completed', result: text('done') };
const store = (name: string, value: string): Promise<unknown> =>
  scenario.tenant.post('/v1/secrets', { name, value, bindings: [{ upstream: 'up' }] });
const entries = async (): Promise<Record<string, unknown>[]> =>
  (await scenario.callEntries('up.work')).map(({ details }) => details);

describe('a call that its upstream makes a task of', () => {
  it('is answered with the result of the task: one call, one entry, one price, to clients of every kind', async () => {
    await scenario.tenant.put('/v1/proxy/upstreams/up/tools/work/price', { price_usd: 0.5 });
    const session = await scenario.tenant.session({ agent_id: 'agent', scopes: ['execute'], spend_limit: 5 });
    const party = { url: scenario.there.url, key: scenario.tenant.key ?? '', session };
    const callers = [
      async () => (await scenario.call('up.work', { n: 0 }, { session })).body,
      async () => (await connectMcp(party)).callTool({ name: 'up__work', arguments: { n: 1 } }),
      async () => (await connectMcp(party, 'handshake')).callTool({ name: 'up__work', arguments: { n: 2 } }),
    ];
    for (const caller of callers) {
      const called = caller();
      scenario.up.asked.length = 0;
      await then(done);
      expect(await called).toMatchObject({ content: [{ type: 'text', text: 'done' }] });
    }
    expect(scenario.up.calls.map(({ arguments: args }) => args)).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
    expect(await entries()).toMatchObject(Array(3).fill({ decision: 'allowed', result: 'ok', price_usd: 0.5 }));
    expect((await scenario.tenant.get(`/v1/sessions/${session}`)).body).toMatchObject({ spent: 1.5 });
    expect(scenario.up.cancelled).toEqual([]);
  });

  it('is masked, held and made under an Idempotency-Key as any other', async () => {
    await store('k', 'a-very-secret-value');
    await scenario.tenant.post('/v1/approvals/rules', { type: 'all' });
    const args = { with: '{{vault:k}}' };
    const request = saying(await scenario.call('up.work', args))['request_id'];
    expect(scenario.up.calls).toEqual([]);
    await scenario.tenant.post(`/v1/approvals/${String(request)}/approve`);
    const called = scenario.call('up.work', args, { key: 'one' });
    await then({ status: 'completed', result: text('said a-very-secret-value back') });
    const { body } = await called;
    expect(body.content[0]?.text).toMatch(/^said (?!.*a-very-secret).* back$/);
    expect((await scenario.call('up.work', args, { key: 'one', by: scenario.there })).body).toEqual(body);
    expect(scenario.up.calls).toEqual([{ tool: 'work', arguments: { with: 'a-very-secret-value' } }]);
  });

  it('says what became of a task without a result, in words that name it', async () => {
    const states: [TaskState | null, Record<string, unknown>, RegExp][] = [
      [{ status: 'cancelled' }, { result: 'unreachable', reason: 'task', sent: true }, /task.*cancelled/],
      [{ status: 'input_required', inputRequests: {} }, { reason: 'task', sent: true }, /asks for input/],
      [{ status: 'failed', error: { code: -32050, message: 'no paper' } }, { rpc_code: -32050 }, /no paper/],
    ];
    for (const [state, logged, words] of states) {
      scenario.up.asked.length = 0;
      const called = scenario.agent().call('up.work');
      if (state) await then(state);
      expect(JSON.stringify((await called).message)).toMatch(words);
      expect((await entries()).at(-1)).toMatchObject(logged);
    }
    await eventually(async () => expect(scenario.up.cancelled).toHaveLength(1));
  });

  it('is cancelled there when its client breaks it off, and when the time of its upstream is over', async () => {
    const agent = await connectMcp({
      url: scenario.tenant.url,
      key: scenario.tenant.key ?? '',
      session: scenario.session,
    });
    const abort = new AbortController();
    const called = agent.callTool({ name: 'up__work', arguments: {} }, { signal: abort.signal }).catch(() => null);
    await eventually(async () => expect(scenario.up.asked.length).toBeGreaterThan(0));
    abort.abort();
    await called;
    await eventually(async () => expect(scenario.up.cancelled).toEqual([...scenario.up.tasks.keys()]));
    await eventually(async () => expect(await entries()).toMatchObject([{ reason: 'aborted', sent: true }]));
    await scenario.tenant.patch('/v1/proxy/upstreams/up', { timeout: 2 });
    const said = saidBy(await scenario.agent().call('up.work'));
    expect(JSON.stringify(said)).toContain('within 2 s (its timeout)');
    expect((await entries()).at(-1)).toMatchObject({ reason: 'timeout', sent: true });
    await eventually(async () => expect(scenario.up.cancelled).toHaveLength(2));
    expect(scenario.up.calls).toHaveLength(2);
  });

  it('is asked for with the credentials of then, and not made again when those of before are refused', async () => {
    await store('token', 'first-token');
    const { body } = await scenario.register('up', scenario.up.url, { headers: { authorization: '{{vault:token}}' } });
    expect(body).toMatchObject({ healthy: true });
    const called = scenario.call('up.work');
    await eventually(async () => expect(scenario.up.asked).toContain('first-token'));
    scenario.up.refuses = (authorization) => authorization !== 'second-token';
    await store('token', 'second-token');
    scenario.up.asked.length = 0;
    await eventually(async () => expect(scenario.up.asked).toContain('second-token'));
    await then(done);
    expect((await called).body).toMatchObject({ content: [{ text: 'done' }] });
    expect(scenario.up.calls).toHaveLength(1);
  });

  it.each([
    ['registered anew', () => scenario.register('up', scenario.up.url)],
    ['removed', () => scenario.tenant.delete('/v1/proxy/upstreams/up')],
  ])('is given up where its upstream is %s meanwhile, which is sent nothing more for it', async (_, change) => {
    const agent = scenario.agent();
    const called = agent.call('up.work');
    await eventually(async () => expect(scenario.up.asked.length).toBeGreaterThan(0));
    expect((await change()).status).toBeLessThan(300);
    expect(JSON.stringify(saidBy(await called))).toContain('was removed, or registered anew, meanwhile');
    expect(await entries()).toMatchObject([{ result: 'unreachable', reason: 'task', sent: true }]);
    expect(scenario.up.cancelled).toEqual([]);
  });

  it('has one outcome when its process is killed while it asks: nobody knows, and nobody calls again', async () => {
    const api = await startApi(world.environment);
    const lost = scenario.call('up.work', { n: 1 }, { by: scenario.tenant.at(api), key: 'k' }).catch(() => null);
    await eventually(async () => expect(scenario.up.asked.length).toBeGreaterThan(0));
    await api.kill();
    expect(await lost).toBeNull();
    await then(done);
    await eventually(async () => expect(await entries()).toMatchObject([{ outcome: 'unknown' }]), 40_000);
    const again = await scenario.call('up.work', { n: 1 }, { key: 'k' });
    expect([again.status, again.body.code]).toEqual([502, 'outcome_unknown']);
    expect(scenario.up.calls).toEqual([{ tool: 'work', arguments: { n: 1 } }]);
  }, 90_000);
});
