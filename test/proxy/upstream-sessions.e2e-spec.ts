import { setTimeout as pause } from 'node:timers/promises';
import {
  type AppProcess,
  type Balancer,
  cli,
  eventually,
  Scenario,
  startApi,
  startBalancer,
  startStatefulUpstream,
  startWorker,
  startWorld,
  type StatefulUpstream,
  times,
  type World,
} from '@haldir/test-support';

let world: World;
let worker: AppProcess;
let balancer: Balancer;
beforeAll(async () => {
  world = await startWorld({ processes: 2, environment: { UPSTREAM_MAX_CALL_SECONDS: '8' } });
  [worker, balancer] = await Promise.all([startWorker(world.environment), startBalancer(world.apis)]);
});
afterAll(async () => {
  await Promise.all([balancer.stop(), worker.stop()]);
  await world.stop();
});

let scenario: Scenario<StatefulUpstream>;
let up: StatefulUpstream;
afterEach(() => scenario.end());

async function registered(single = false): Promise<void> {
  scenario = await Scenario.around(world, await startStatefulUpstream({ single }));
  ({ up } = scenario);
  expect((await scenario.register('up', up.url)).body).toMatchObject({ healthy: true, tools_discovered: 2 });
}

const begin = (agent: string): Promise<string> =>
  scenario.tenant.session({ agent_id: agent, scopes: ['read', 'execute'], ttl: 3_600 });

/** Over the processes in turn. */
let turn = 0;
async function call(session: string, tool: string, args: object = {}): Promise<string[]> {
  const { status, body } = await scenario.call(tool, args, { by: scenario.at(turn++), session });
  expect([status, body]).toEqual([200, expect.objectContaining({ content: expect.any(Array) as unknown[] })]);
  return body.content.map(({ text }) => text);
}

const shown = async (): Promise<Record<string, unknown> | undefined> => {
  const { body } = await scenario.tenant.get<{ upstreams: Record<string, Record<string, unknown>> }>(
    '/v1/proxy/upstreams',
  );
  return body.upstreams['up'];
};

const LOST = expect.stringMatching(/session with upstream up was lost and a new one was begun/) as string;

describe('two agents at a stateful upstream', () => {
  beforeEach(() => registered());

  it('have a page each, whichever process they come to, and the upstream begins one session for each', async () => {
    const [one, two] = [await begin('one'), await begin('two')];
    const before = up.begun.length;
    await call(one, 'goto', { page: 'of one' });
    await call(two, 'goto', { page: 'of two' });
    for (let i = 0; i < 4; i++) {
      expect(await call(one, 'page')).toEqual(['of one']);
      expect(await call(two, 'page')).toEqual(['of two']);
      expect(await call(two, 'page')).toEqual(['of two']);
    }
    expect(up.begun.length - before).toBe(2);
    expect(await shown()).toMatchObject({ sessions: 'own', healthy: true });
  });

  it('read resources and prompts in the session that their tools run in', async () => {
    const [one, two] = [await begin('one'), await begin('two')];
    await call(one, 'goto', { page: 'of one' });
    await call(two, 'goto', { page: 'of two' });
    const agent = scenario.agent('handshake', one);
    const read = await agent.ask('resources/read', { uri: 'page:it' });
    expect(read.message?.result?.['contents']).toMatchObject([{ text: 'of one' }]);
    const prompt = await scenario.agent('handshake', two).ask('prompts/get', { name: 'say' });
    expect(prompt.message?.result?.['messages']).toMatchObject([{ content: { text: 'of two' } }]);
  });

  it('whose first calls come to two processes at once end with one session of the upstream', async () => {
    const session = await begin('one');
    const before = new Set(up.begun);
    await times(16, async () => call(session, 'page'));
    const fresh = up.begun.filter((id) => !before.has(id));
    await eventually(() => expect(fresh.filter((id) => !up.ended.includes(id))).toHaveLength(1));
    await call(session, 'goto', { page: 'there' });
    await times(4, async () => expect(await call(session, 'page')).toEqual(['there']));
    // The handshake is not made for every call.
    expect(fresh.length).toBeLessThanOrEqual(2);
  });

  it('are told when the session was lost, once a new one has begun', async () => {
    const session = await begin('one');
    await call(session, 'goto', { page: 'there' });
    await up.lose();
    const { body } = await scenario.call('page', {}, { session });
    expect(body.content.map(({ text }) => text)).toEqual(['blank', LOST]);
    expect(body).toMatchObject({ _meta: { 'haldir/upstream-session': 'replaced' } });
    expect((await scenario.call('page', {}, { session })).body.content).toHaveLength(1);
    expect(await call(session, 'goto', { page: 'again' })).toEqual(expect.arrayContaining(['went to again']));
  });
});

describe('two agents at an upstream that is registered again at its address', () => {
  beforeEach(() => registered());

  it.each([0, 5_000])(
    'are told that their sessions with it are others, those before having ended: after %i ms',
    async (ms) => {
      const [one, two] = [await begin('one'), await begin('two')];
      const before = up.begun.length;
      await call(one, 'goto', { page: 'of one' });
      await call(two, 'goto', { page: 'of two' });
      const own = up.begun.slice(before);
      expect((await scenario.register('up', up.url)).body).toMatchObject({ healthy: true });
      await pause(ms);
      for (const session of [one, two]) {
        const { body } = await scenario.call('page', {}, { session });
        expect(body.content.map(({ text }) => text)).toEqual(['blank', LOST]);
        expect(body).toMatchObject({ _meta: { 'haldir/upstream-session': 'replaced' } });
        expect(await call(session, 'page')).toEqual(['blank']);
      }
      // Those of the registration before, once no call can be under way in them, which may ask its client for five minutes.
      const tenant = await world.tenantOf(scenario.tenant);
      await world.sql(
        `UPDATE proxy_upstream SET registered_at = registered_at - interval '5 minutes' WHERE tenant_id = $1`,
        [tenant],
      );
      await eventually(() => expect(up.ended).toEqual(expect.arrayContaining(own)), 30_000);
      for (const session of [one, two]) await scenario.tenant.delete(`/v1/sessions/${session}`);
      const left = `SELECT revision FROM upstream_session WHERE tenant_id = '${tenant}' AND session_id <> ''`;
      await eventually(async () => expect(await world.sql(left)).toEqual([]));
    },
  );
});

describe('the session of an upstream', () => {
  beforeEach(() => registered());

  it.each([
    ['is revoked', (id: string) => scenario.tenant.delete(`/v1/sessions/${id}`)],
    [
      'expires',
      async (id: string) => {
        const tenant = await world.tenantOf(scenario.tenant);
        await world.sql(`UPDATE session SET expires_at = now() WHERE tenant_id = $1 AND id = $2`, [tenant, id]);
      },
    ],
  ])('ends when the session that it is of %s', async (_, end) => {
    const [one, two] = [await begin('one'), await begin('two')];
    const before = up.begun.length;
    await call(one, 'goto', { page: 'of one' });
    await call(two, 'goto', { page: 'of two' });
    const [ofOne] = up.begun.slice(before);
    await end(one);
    await eventually(() => expect(up.ended).toContain(ofOne));
    expect([...up.pages.values()]).not.toContain('of one');
    expect(await call(two, 'page')).toEqual(['of two']);
    await eventually(async () =>
      expect(await world.sql('SELECT FROM upstream_session WHERE session_id = $1', [one])).toEqual([]),
    );
  });

  it('that nobody has used for an hour ends, and whoever comes back is told', async () => {
    const session = await begin('one');
    const before = up.begun.length;
    await call(session, 'goto', { page: 'there' });
    await eventually(async () => {
      // A process may note just now that it was used.
      await world.sql(`UPDATE upstream_session SET used_at = now() - interval '61 minutes' WHERE session_id = $1`, [
        session,
      ]);
      expect(up.ended).toContain(up.begun[before]);
    });
    expect(await call(session, 'page')).toEqual(['blank', LOST]);
  });

  it('that a process began which was killed is gone on with by others, and ends with its own', async () => {
    const doomed = await startApi(world.environment);
    const session = await begin('one');
    const before = up.begun.length;
    const by = scenario.tenant.at(doomed);
    expect((await scenario.call('goto', { page: 'there' }, { by, session })).status).toBe(200);
    await doomed.kill();
    expect(await call(session, 'page')).toEqual(['there']);
    expect(up.begun.length - before).toBe(1);
    await scenario.tenant.delete(`/v1/sessions/${session}`);
    await eventually(() => expect(up.ended).toContain(up.begun[before]));
  });

  it('lies sealed, is sealed anew by a rotation, and is in no list, log or output', async () => {
    const session = await begin('one');
    const before = up.begun.length;
    await call(session, 'goto', { page: 'there' });
    const id = String(up.begun[before]);
    const tenant = await world.tenantOf(scenario.tenant);
    const sealed = async (): Promise<string[]> =>
      (
        await world.sql<{ sealed: string }>(
          `SELECT encode(sealed, 'hex') AS sealed FROM upstream_session WHERE tenant_id = $1 ORDER BY session_id`,
          [tenant],
        )
      ).map((row) => row.sealed);
    const first = await sealed();
    expect(first).toHaveLength(2);
    expect(first.join()).not.toContain(Buffer.from(id).toString('hex'));
    expect((await cli(world.environment, 'keys', 'rotate-tenant', '--tenant', tenant)).code).toBe(0);
    const second = await sealed();
    expect(second.filter((value) => first.includes(value))).toEqual([]);
    const fresh = await startApi(world.environment);
    try {
      const by = scenario.tenant.at(fresh);
      const { body } = await scenario.call('page', {}, { by, session });
      expect(body.content).toEqual([{ type: 'text', text: 'there' }]);
    } finally {
      await fresh.stop();
    }
    const said = [worker, ...world.apis].map((app) => app.output()).join('\n');
    const lists = await Promise.all(
      ['/v1/proxy/upstreams', '/v1/audit?limit=1000', '/v1/metrics', '/v1/sessions'].map((path) =>
        scenario.tenant.get(path),
      ),
    );
    expect(said + JSON.stringify(lists)).not.toContain(id);
  });
});

describe('an upstream that has one session for everybody', () => {
  beforeEach(() => registered(true));

  it('is called in the session that it was discovered in, by every process, and shown as shared', async () => {
    expect(await shown()).toMatchObject({ sessions: 'shared', healthy: true, tools: 2 });
    const [one, two] = [await begin('one'), await begin('two')];
    await call(one, 'goto', { page: 'of everybody' });
    for (let i = 0; i < 4; i++) expect(await call(two, 'page')).toEqual(['of everybody']);
    expect(up.begun).toHaveLength(1);
    expect(up.ended).toEqual([]);
  });

  it('goes on in another one, the same for everybody, when it has lost that', async () => {
    await up.lose();
    const answers = await times(6, async (i) => scenario.call('page', {}, { by: scenario.at(i) }));
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200));
    expect(up.begun).toHaveLength(2);
    expect(up.ended).toEqual([]);
  });

  it('is registered again in the session that it has, which ends when it is removed', async () => {
    await scenario.call('goto', { page: 'there' });
    const again = await scenario.register('up', up.url, { prefix: true });
    expect(again.body).toMatchObject({ healthy: true, tools_discovered: 2 });
    expect((await scenario.call('up.page')).body.content).toMatchObject([{ text: 'there' }]);
    await pause(3_000);
    expect(await call(scenario.session, 'up.page')).toEqual(['there']);
    expect([up.begun.length, up.ended.length]).toEqual([1, 0]);
    await scenario.tenant.delete('/v1/proxy/upstreams/up');
    await eventually(() => expect(up.ended).toEqual(up.begun));
  });

  it('goes on when the process that registered it has ended, and is healthy for the worker', async () => {
    const short = await startApi(world.environment);
    const other = await startStatefulUpstream({ single: true });
    try {
      const by = scenario.tenant.at(short);
      expect((await by.post('/v1/proxy/upstreams', { name: 'late', url: other.url })).body).toMatchObject({
        healthy: true,
      });
      await short.stop();
      const { body } = await scenario.call('late.page');
      expect(body.content).toMatchObject([{ text: 'blank' }]);
      await world.sql(`UPDATE proxy_upstream SET next_check_at = now(), last_check_at = NULL WHERE name = 'late'`);
      await eventually(async () =>
        expect(
          await world.sql(`SELECT healthy FROM proxy_upstream WHERE name = 'late' AND last_check_at IS NOT NULL`),
        ).toEqual([{ healthy: true }]),
      );
      expect(other.begun).toHaveLength(1);
    } finally {
      await other.stop();
    }
  });
});
