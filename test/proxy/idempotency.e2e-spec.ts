import { setTimeout as pause } from 'node:timers/promises';
import {
  byStatus,
  type FakeUpstream,
  saying,
  Scenario,
  startApi,
  startWorld,
  text,
  times,
  type World,
} from '@haldir/test-support';

let world: World;
let scenario: Scenario<FakeUpstream>;
beforeAll(async () => {
  world = await startWorld({ processes: 2, environment: { UPSTREAM_TIMEOUT_SECONDS: '3' } });
});
afterAll(() => world.stop());
beforeEach(async () => {
  scenario = await Scenario.of(world, ['echo']);
});
afterEach(() => scenario.end());

it('20 retries under one Idempotency-Key make one upstream call, and all get its answer', async () => {
  scenario.up.answer = async () => {
    await pause(200);
    return text(`call ${scenario.up.calls.length}`);
  };
  const replies = await times(20, (i) =>
    scenario.call('echo', { n: 1 }, { by: i % 2 ? scenario.tenant : scenario.there, key: 'k-1' }),
  );
  expect(byStatus(replies)).toEqual({ 200: 20 });
  expect(new Set(replies.map(({ body }) => body.content[0]?.text))).toEqual(new Set(['call 1']));
  expect(scenario.up.calls).toHaveLength(1);
  expect((await scenario.call('echo', { n: 1 }, { key: 'k-1' })).headers.get('idempotent-replayed')).toBe('true');

  expect((await scenario.call('echo', { n: 2 }, { key: 'k-1' })).status).toBe(422);
  expect((await scenario.call('echo', { n: 1 }, { key: 'k-2' })).body.content[0]?.text).toBe('call 2');
  expect((await scenario.tenant.get('/v1/audit?tool=up.echo')).body).toMatchObject({ count: 2 });
});

it('a refusal is kept like an answer', async () => {
  const id = await scenario.policy('block_tool', { tool: 'echo' });
  const first = await scenario.call('echo', {}, { key: 'k' });
  await scenario.tenant.delete(`/v1/proxy/policies/${id}`);
  const second = await scenario.call('echo', {}, { key: 'k' });
  expect([second.status, second.body]).toEqual([403, first.body]);
  expect((await scenario.call('echo', {}, { key: 'other' })).status).toBe(200);
});

it('a held call is held once, and goes under a new key', async () => {
  await scenario.tenant.post('/v1/approvals/rules', { type: 'all' });
  const held = await scenario.call('echo', {}, { key: 'k' });
  const id = String(saying(held)['request_id']);
  await scenario.tenant.post(`/v1/approvals/${id}/approve`);
  expect(saying(await scenario.call('echo', {}, { key: 'k' }))).toEqual(saying(held));
  expect((await scenario.call('echo', {}, { key: 'k2' })).body.content[0]?.text).toBe('echo');
  expect((await scenario.call('echo', {}, { key: 'k2' })).body.content[0]?.text).toBe('echo');
  expect(scenario.up.calls).toHaveLength(1);
});

it('what never left may be tried again under its key, what may have arrived is not sent twice', async () => {
  await scenario.up.stop();
  expect((await scenario.call('echo', {}, { key: 'gone' })).status).toBe(502);
  await scenario.up.start();
  expect((await scenario.call('echo', {}, { key: 'gone' })).status).toBe(200);
  const unknown = { session: 'ses_unknown', key: 'dead' };
  expect((await scenario.call('echo', {}, unknown)).status).toBe(401);
  expect((await scenario.call('echo', {}, { key: 'dead' })).status).toBe(200);

  scenario.up.answer = () => new Promise(() => undefined);
  expect((await scenario.call('echo', { n: 1 }, { key: 'slow' })).status).toBe(502);
  scenario.up.answer = () => text('late');
  const again = await scenario.call('echo', { n: 1 }, { key: 'slow' });
  expect([again.status, again.body.code]).toEqual([502, 'upstream_unreachable']);
  expect(scenario.up.calls.filter(({ arguments: { n } }) => n === 1)).toHaveLength(1);
});

it('a process that dies during a call leaves a key under which it is not made again', async () => {
  const api = await startApi(world.environment);
  let arrived = (): void => undefined;
  const there = new Promise<void>((resolve) => (arrived = resolve));
  scenario.up.answer = () => {
    arrived();
    return new Promise(() => undefined);
  };
  const lost = scenario.call('echo', {}, { by: scenario.tenant.at(api), key: 'k' }).catch(() => null);
  await there;
  await api.kill();
  expect(await lost).toBeNull();
  scenario.up.answer = () => text('again');
  const retry = await scenario.call('echo', {}, { key: 'k' });
  expect([retry.status, retry.body.code]).toEqual([409, 'idempotency_in_progress']);
  expect(scenario.up.calls).toHaveLength(1);
});
