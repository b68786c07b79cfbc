import {
  type AppProcess,
  BareMcp,
  eventually,
  type ResourceUpstream,
  saying,
  Scenario,
  startApi,
  startResourceUpstream,
  startWorker,
  startWorld,
  text,
  type World,
} from '@haldir/test-support';

type Details = Record<string, unknown>;

let world: World;
let worker: AppProcess;
let scenario: Scenario;
beforeAll(async () => {
  world = await startWorld({ environment: { UPSTREAM_TIMEOUT_SECONDS: '60', SHUTDOWN_TIMEOUT_SECONDS: '4' } });
  worker = await startWorker(world.environment);
});
afterAll(async () => {
  await worker.stop();
  await world.stop();
});
beforeEach(async () => {
  scenario = await Scenario.begin(world, { scopes: ['execute', 'spend'] });
});
afterEach(() => scenario.end());

/** Of what the proxy did, oldest first. */
async function entries(action = /^(tool_call|resource_read)/): Promise<{ action: string; details: Details }[]> {
  const { body } = await scenario.tenant.get<{ entries: { action: string; details: string; entry_id: string }[] }>(
    '/v1/audit?limit=1000',
  );
  return body.entries
    .filter((entry) => action.test(entry.action))
    .map((entry) => ({ ...entry, details: JSON.parse(entry.details) as Details }))
    .reverse();
}

/** An upstream that has got a call and answers when it is told to. */
async function hanging(): Promise<{ arrived: Promise<void>; answer: () => void; calls: unknown[] }> {
  const up = await scenario.upstream('up', 'echo');
  let arrive = (): void => undefined;
  let answer = (): void => undefined;
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  const answered = new Promise<void>((resolve) => (answer = resolve));
  up.answer = async () => {
    arrive();
    await answered;
    return text('done');
  };
  return { arrived, answer: () => answer(), calls: up.calls };
}

const lapse = (): Promise<unknown> => world.sql(`UPDATE process_lease SET ends_at = now() - interval '1 second'`);

describe('a call whose process is killed after it has left', () => {
  it('is in the log, once, as unknown; its price stays spent, its approval used, and its key says so', async () => {
    const up = await hanging();
    await scenario.tenant.put('/v1/proxy/upstreams/up/tools/echo/price', { price_usd: 0.5 });
    await scenario.tenant.post('/v1/approvals/rules', { type: 'all' });
    const session = await scenario.tenant.session({ agent_id: 'agent', scopes: ['execute'], spend_limit: 5 });
    const args = { text: 'an argument' };
    const request = saying(await scenario.call('echo', args, { session }))['request_id'];
    await scenario.tenant.post(`/v1/approvals/${String(request)}/approve`);
    const api = await startApi(world.environment);
    const lost = scenario.call('echo', args, { session, by: scenario.tenant.at(api), key: 'k' }).catch(() => null);
    await up.arrived;
    await api.kill();
    expect(await lost).toBeNull();
    up.answer();

    await eventually(async () => expect(await entries(/^tool_call$/)).toHaveLength(1), 40_000);
    const [{ details } = { details: {} }] = await entries(/^tool_call$/);
    expect(details).toMatchObject({ decision: 'allowed', outcome: 'unknown', price_usd: 0.5, approval: request });
    expect((await scenario.tenant.get(`/v1/sessions/${session}`)).body).toMatchObject({ spent: 0.5, remaining_budget: 4.5 });
    const again = await scenario.call('echo', args, { session, key: 'k' });
    expect([again.status, again.body.code]).toEqual([502, 'outcome_unknown']);
    expect(saying(await scenario.call('echo', args, { session }))['status']).toBe('approval_required');
    expect(up.calls).toHaveLength(1);
    expect((await scenario.tenant.get(`/v1/approvals/${String(request)}`)).body).toMatchObject({ outcome: 'unknown' });
    expect(await world.sql('SELECT * FROM payment_fault')).toEqual([]);
  }, 90_000); // prettier-ignore

  it('so is a resource that was being read', async () => {
    const upstream: ResourceUpstream = scenario.keep(await startResourceUpstream('docs'));
    upstream.resources = [{ uri: 'file:///a', name: 'a' }];
    upstream.capabilities = { resources: {} };
    await scenario.register('docs', upstream.url);
    const api = await startApi(world.environment);
    const agent = new BareMcp({ url: api.url, key: scenario.tenant.key ?? '', session: scenario.session });
    upstream.silent = ['resources/read'];
    const lost = agent.ask('resources/read', { uri: 'file:///a' }, { 'mcp-name': 'file:///a' }).catch(() => null);
    await eventually(() => Promise.resolve(expect(upstream.asked).toContain('resources/read')));
    await api.kill();
    await lost;
    await eventually(
      async () => expect(await entries()).toMatchObject([{ action: 'resource_read', details: { outcome: 'unknown' } }]),
      40_000,
    );
  }, 60_000);
});

it('a call that outlasts the stop of its process is in the log before that has ended', async () => {
  const up = await hanging();
  const api = await startApi(world.environment);
  const lost = scenario.call('echo', {}, { by: scenario.tenant.at(api), key: 'k' }).catch(() => null);
  await up.arrived;
  await api.stop();
  await lost;
  expect(await entries()).toMatchObject([{ action: 'tool_call', details: { outcome: 'unknown' } }]);
  const again = await scenario.call('echo', {}, { key: 'k' });
  expect([again.status, again.body.code]).toEqual([502, 'outcome_unknown']);
  up.answer();
}, 60_000);

it('a process that finds its call closed, because its lease had ended, says what came of it', async () => {
  const up = await hanging();
  const called = scenario.call('echo');
  await up.arrived;
  // It renews its lease every few seconds.
  await eventually(async () => {
    await lapse();
    expect(await entries()).toMatchObject([{ action: 'tool_call', details: { outcome: 'unknown' } }]);
  }, 30_000, 100);
  const [closed] = (await entries()) as unknown as { entry_id: string }[];
  up.answer();
  expect((await called).body.content[0]?.text).toBe('done');
  expect(await entries()).toMatchObject([
    { action: 'tool_call', details: { outcome: 'unknown' } },
    { action: 'tool_call_late', details: { entry_id: closed?.entry_id, result: 'ok' } },
  ]);
}, 60_000); // prettier-ignore

it('calls that are made while their process lives are never closed by others, however old they are', async () => {
  const up = await hanging();
  const called = scenario.call('echo', { text: 'a private argument' });
  await up.arrived;
  const kept = JSON.stringify(await world.sql('SELECT * FROM started_call'));
  expect(kept).toContain('up.echo');
  expect(kept).not.toContain('private');
  await world.sql(`UPDATE started_call SET started_at = now() - interval '1 day'`);
  await new Promise((resolve) => setTimeout(resolve, 20_000));
  expect(await entries()).toEqual([]);
  up.answer();
  await called;
  expect(await entries()).toMatchObject([{ action: 'tool_call', details: { result: 'ok' } }]);
  expect(await world.sql('SELECT FROM started_call')).toEqual([]);
}, 60_000);

it('no call leaves that could not be recorded', async () => {
  const up = await scenario.upstream('up', 'echo');
  await world.sql('BEGIN');
  await world.sql('LOCK TABLE started_call IN EXCLUSIVE MODE');
  try {
    const refused = await scenario.call('echo');
    expect([refused.status, up.calls.length]).toEqual([503, 0]);
  } finally {
    await world.sql('ROLLBACK');
  }
  expect(await scenario.statusOf('echo')).toBe(200);
}, 60_000);
