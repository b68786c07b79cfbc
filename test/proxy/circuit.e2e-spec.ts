import {
  type AppProcess,
  eventually,
  type OddUpstream,
  Scenario,
  startOddUpstream,
  startWorker,
  startWorld,
  times,
  type World,
} from '@haldir/test-support';
import { setTimeout as sleep } from 'node:timers/promises';

let world: World;
let worker: AppProcess;
let scenario: Scenario<OddUpstream>;
beforeAll(async () => {
  world = await startWorld({ processes: 2, environment: { UPSTREAM_TIMEOUT_SECONDS: '3' } });
  worker = await startWorker(world.environment);
});
afterAll(async () => {
  await worker.stop();
  await world.stop();
});
beforeEach(async () => {
  scenario = await Scenario.around(world, await startOddUpstream());
  expect((await scenario.register('up', scenario.up.url, { tools_max_age: 300 })).body).toMatchObject({
    healthy: true,
  });
});
afterEach(() => scenario.end());

/** Of each call; lists come as they should. */
let answerCalls: (respond: () => void, fail: () => void) => unknown;
beforeEach(() => {
  answerCalls = (respond) => respond();
  const { say } = scenario.up;
  scenario.up.say = (response, answer) =>
    answer.question.method === 'tools/call'
      ? answerCalls(
          () => say(response, answer),
          () => response.writeHead(500).end(),
        )
      : say(response, answer);
});

const shown = async (): Promise<Record<string, unknown>> => {
  const { body } = await scenario.tenant.get<{ upstreams: Record<string, Record<string, unknown>> }>(
    '/v1/proxy/upstreams',
  );
  return body.upstreams['up'] ?? {};
};
/** One after the other, as an agent's calls come. */
const fail = async (count: number): Promise<void> => {
  answerCalls = (_, failing) => failing();
  for (let i = 0; i < count; i++) expect((await scenario.call('up.echo')).status).toBe(502);
};
const untilHalfOpen = (): Promise<void> =>
  eventually(async () => expect(await shown()).toMatchObject({ circuit: 'half_open' }));

describe('an upstream whose calls fail', () => {
  it('is left alone after ten, by every process, and that is told wherever one looks', async () => {
    expect(await shown()).toMatchObject({ circuit: 'closed' });
    await fail(10);
    expect(await shown()).toMatchObject({
      circuit: 'open',
      circuit_reason: 'errors',
      circuit_until: expect.any(Number),
    });
    const arrived = scenario.up.calls;
    await scenario.tenant.put('/v1/proxy/upstreams/up/tools/echo/price', { price_usd: 0.5 });
    const session = await scenario.tenant.session({ agent_id: 'agent', scopes: ['execute'], spend_limit: 5 });
    for (const process of [0, 1]) {
      const { status, body } = await scenario.call('up.echo', {}, { by: scenario.at(process), session, key: 'again' });
      expect([status, body]).toMatchObject([
        502,
        {
          code: 'upstream_unreachable',
          error: expect.stringMatching(/left alone after calls that failed or were slow: for [1-5] s more$/),
        },
      ]);
    }
    const { message } = await scenario.agent().call('up.echo');
    expect(message).toMatchObject({
      result: { isError: true, _meta: { 'haldir/circuit': { state: 'open', retry_after: expect.any(Number) } } },
    });
    expect(scenario.up.calls).toBe(arrived);
    expect((await scenario.tenant.get(`/v1/sessions/${session}`)).body).toMatchObject({ spent: 0 });
    expect(await (await fetch(`${worker.url}/metrics`)).text()).toMatch(
      /haldir_upstream_circuits\{state="open"[^}]*\} [1-9]/,
    );
    // Nothing left: the key is free for the call that is made later.
    answerCalls = (respond) => respond();
    await untilHalfOpen();
    expect((await scenario.call('up.echo', {}, { session, key: 'again' })).status).toBe(200);
    expect(await shown()).toMatchObject({ circuit: 'closed' });
  });

  it('is tried by one call afterwards, of all processes, and is there for all once that one was answered', async () => {
    await fail(10);
    await untilHalfOpen();
    const before = scenario.up.calls;
    answerCalls = async (respond) => {
      await sleep(500);
      respond();
    };
    const statuses = await times(8, async (i) => (await scenario.call('up.echo', {}, { by: scenario.at(i) })).status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(scenario.up.calls).toBe(before + 1);
    answerCalls = (respond) => respond();
    await times(8, async (i) => expect((await scenario.call('up.echo', {}, { by: scenario.at(i) })).status).toBe(200));
  });

  it('is left alone for longer when that call fails, too', async () => {
    await fail(10);
    await untilHalfOpen();
    await fail(1);
    const { circuit, circuit_until } = await shown();
    expect(circuit).toBe('open');
    expect(Number(circuit_until) - Date.now() / 1000).toBeGreaterThan(7);
  });

  it('now and then is not left alone, and neither is one that refuses what it is asked', async () => {
    let nth = 0;
    answerCalls = (respond, failing) => (nth++ % 3 === 0 ? failing() : respond());
    for (let i = 0; i < 21; i++) await scenario.call('up.echo');
    scenario.up.answer = () => ({ error: { code: -32602, message: 'Invalid params' } });
    answerCalls = (respond) => respond();
    for (let i = 0; i < 12; i++) await scenario.call('up.echo');
    expect(await shown()).toMatchObject({ circuit: 'closed' });
  });

  it('is there again at once when it is registered anew', async () => {
    await fail(10);
    answerCalls = (respond) => respond();
    await scenario.register('up', scenario.up.url);
    expect((await scenario.call('up.echo')).status).toBe(200);
  });
});

it('an upstream that takes nearly all of its time for every call is left alone, as slow', async () => {
  // Time enough for a machine that does much besides.
  await scenario.tenant.patch('/v1/proxy/upstreams/up', { timeout: 5 });
  answerCalls = async (respond) => {
    await sleep(4_200);
    respond();
  };
  await times(10, async () => expect((await scenario.call('up.echo', {}, { by: scenario.at(0) })).status).toBe(200));
  expect(await shown()).toMatchObject({ circuit: 'open', circuit_reason: 'slowness' });
});
