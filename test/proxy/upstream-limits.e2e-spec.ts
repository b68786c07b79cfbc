import {
  eventually,
  type OddAnswer,
  type OddUpstream,
  Scenario,
  startOddUpstream,
  startWorld,
  times,
  withHandshake,
  type World,
} from '@haldir/test-support';
import { type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

let world: World;
let scenario: Scenario<OddUpstream>;
beforeAll(async () => {
  world = await startWorld({
    processes: 2,
    environment: { UPSTREAM_TIMEOUT_SECONDS: '3', UPSTREAM_MAX_CALL_SECONDS: '60' },
  });
});
afterAll(() => world.stop());
beforeEach(async () => {
  scenario = await Scenario.around(world, await startOddUpstream());
});
afterEach(() => scenario.end());

const path = '/v1/proxy/upstreams/up';
const register = async (more: Record<string, unknown> = {}): Promise<void> => {
  const { status, body } = await scenario.register('up', scenario.up.url, more);
  expect([status, body]).toMatchObject([201, { healthy: true, tool_names: ['echo'] }]);
};
const change = (body: Record<string, unknown>) => scenario.tenant.patch(path, body);
const shown = async (): Promise<Record<string, unknown>> => {
  const { body } = await scenario.tenant.get<{ upstreams: Record<string, Record<string, unknown>> }>(
    '/v1/proxy/upstreams',
  );
  return body.upstreams['up'] ?? {};
};
/** Does something else with the answers to calls; the others come as they should. */
const onCall = (answered: (response: ServerResponse, answer: OddAnswer) => unknown): void => {
  const { say } = scenario.up;
  scenario.up.say = (response, answer) =>
    answer.question.method === 'tools/call' ? answered(response, answer) : say(response, answer);
};

describe('the settings of an upstream', () => {
  it('are those of the process until it has its own, and so again when they are null', async () => {
    await register();
    const byProcess = { timeout: 3, max_answer_bytes: 4_194_304, concurrency: 32, prefix: true, tools_max_age: 20 };
    expect(await shown()).toMatchObject(byProcess);
    const own = { timeout: 5, max_answer_bytes: 2048, concurrency: 1, prefix: false, tools_max_age: 0 };
    expect(await change(own)).toMatchObject({ status: 200, body: { name: 'up', ...own } });
    expect(await shown()).toMatchObject(own);
    expect((await change({})).body).toMatchObject({ name: 'up', ...own });
    await change({ timeout: null, max_answer_bytes: null, concurrency: null, prefix: true, tools_max_age: 20 });
    expect(await shown()).toMatchObject(byProcess);
  });

  it('change without anything else: tools, prices, counts, headers and what calls are approved by stay', async () => {
    const token = 'literal-token-0001';
    await register({ headers: { 'x-token': token }, timeout: 7 });
    await scenario.tenant.put(`${path}/tools/echo/price`, { price_usd: 0.5 });
    await scenario.call('up.echo');
    const rest = ({ timeout: _, ...others }: Record<string, unknown>): Record<string, unknown> => others;
    const before = await shown();
    const held = (): Promise<Record<string, unknown>[]> =>
      world.sql('SELECT revision, headers, shown_headers, catalogue_digest, listed_digest FROM proxy_upstream');
    const kept = await held();
    expect((await change({ timeout: 9 })).status).toBe(200);
    expect(await held()).toEqual(kept);
    expect(rest(await shown())).toMatchObject(rest(before));
    let seen: unknown;
    onCall((response, { headers, json }) => {
      seen = headers['x-token'];
      response.setHeader('content-type', 'application/json').end(json);
    });
    const session = await scenario.tenant.session({ agent_id: 'agent', scopes: ['execute'], spend_limit: 5 });
    expect((await scenario.call('up.echo', {}, { session })).status).toBe(200);
    expect(seen).toBe(token);
    expect((await scenario.tenant.get(`/v1/sessions/${session}`)).body).toMatchObject({ spent: 0.5 });
    const { body } = await scenario.tenant.get<{ entries: { action: string; details: string }[] }>(
      '/v1/audit?action=upstream_changed',
    );
    expect(body.entries.map(({ details }) => JSON.parse(details) as unknown)).toMatchObject([
      { upstream: 'up', timeout: 9, before: { timeout: 7 } },
    ]);
  });

  it.each([
    ['timeout', [0, 601, 1.5, '5', -1, true]],
    ['max_answer_bytes', [1023, 16_777_217, 2048.5, '4096']],
    ['concurrency', [0, 257, 1.5, '4']],
  ])('out of bounds are refused by name: %s', async (name, values) => {
    await register();
    const before = await shown();
    for (const value of values) {
      const refused = { status: 400, body: { field: name, error: expect.stringContaining(`${name}: expected`) } };
      expect(await change({ [name]: value })).toMatchObject(refused);
      expect(await scenario.register('other', scenario.up.url, { [name]: value })).toMatchObject(refused);
    }
    expect(await shown()).toMatchObject({ timeout: before['timeout'], concurrency: before['concurrency'] });
  });

  it.each([
    ['timeout', 60, 'seconds (UPSTREAM_MAX_CALL_SECONDS)'],
    ['max_answer_bytes', 4_194_304, 'bytes (UPSTREAM_MAX_ANSWER_BYTES)'],
    ['concurrency', 32, 'calls (UPSTREAM_CONCURRENCY)'],
  ])('have no %s over what the operator allows, which the refusal names', async (field, most, words) => {
    await register();
    const refused = { status: 400, body: { field, error: `${field}: expected at most ${most} ${words}` } };
    expect(await change({ [field]: most + 1 })).toMatchObject(refused);
    expect(await scenario.register('other', scenario.up.url, { [field]: most + 1 })).toMatchObject(refused);
    expect((await change({ [field]: most })).body).toMatchObject({ [field]: most });
  });

  it('of an upstream that is not there, or another tenant’s, are not found', async () => {
    await register();
    const other = await world.newTenant();
    expect((await other.patch(path, { timeout: 5 })).status).toBe(404);
    expect((await scenario.tenant.patch('/v1/proxy/upstreams/nobody', { timeout: 5 })).status).toBe(404);
  });
});

describe('an upstream that takes its time', () => {
  it.each([
    [{}, 'within 3 s (UPSTREAM_TIMEOUT_SECONDS)'],
    [{ timeout: 1 }, 'within 1 s (its timeout)'],
  ])('registered with %j is told how long that was, and by what: %s', async (terms, words) => {
    await register(terms);
    onCall(() => undefined);
    const { status, body } = await scenario.call('up.echo');
    expect([status, body]).toMatchObject([502, { error: expect.stringContaining(words) }]);
  });

  it(
    'to shake hands, and resets the question before, is registered with a timeout, and called',
    { timeout: 60_000 },
    async () => {
      const { up } = scenario;
      const { say } = up;
      up.answer = withHandshake;
      up.say = async (response, answer) => {
        const { method } = answer.question;
        if (method === 'server/discover') return response.socket?.destroy();
        if (method === 'initialize') await sleep(12_000);
        return say(response, answer);
      };
      expect((await scenario.register('up', up.url)).body).toMatchObject({
        healthy: false,
        error: expect.stringMatching(/within 3 s, for which the upstream can have a timeout of its own$/),
      });
      await register({ timeout: 20 });
      expect((await scenario.call('up.echo')).status).toBe(200);
    },
  );

  it('to answer, and says how far it is, is waited for beyond its timeout by who wants to know', async () => {
    await register({ timeout: 1 });
    onCall(async (response, { question, json }) => {
      const token = (question.params['_meta'] as { progressToken?: string } | undefined)?.progressToken;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (let progress = 1; progress <= 6; progress++) {
        await sleep(400);
        const message = {
          jsonrpc: '2.0',
          method: 'notifications/progress',
          params: { progressToken: token, progress },
        };
        if (token !== undefined) response.write(`data: ${JSON.stringify(message)}\n\n`);
      }
      response.end(`data: ${json}\n\n`);
    });
    const mcp = scenario.agent();
    const meta = mcp.paramsOf({})['_meta'] as object;
    const params = { name: 'up.echo', arguments: {}, _meta: { ...meta, progressToken: 'mine' } };
    const { message, before } = await mcp.ask('tools/call', params);
    expect(message).toMatchObject({ result: { content: [{ text: 'said' }] } });
    expect(before.length).toBeGreaterThan(3);
    expect((await scenario.call('up.echo')).status).toBe(502);
  });
});

it('an answer over the limit is told the number and by what it is set, and is read once it may be so large', async () => {
  await register({ max_answer_bytes: 2048 });
  scenario.up.answer = ((usual) => (question) =>
    question.method === 'tools/call'
      ? { result: { content: [{ type: 'text', text: 'x'.repeat(3_000) }] } }
      : usual(question))(scenario.up.answer);
  const { status, body } = await scenario.call('up.echo');
  expect([status, body]).toMatchObject([
    502,
    { error: expect.stringContaining('at most 2,048 bytes (its max_answer_bytes)') },
  ]);
  await change({ max_answer_bytes: 4096 });
  expect((await scenario.call('up.echo')).status).toBe(200);
});

describe('an upstream that is sent a few calls at once', () => {
  it('gets no more than that from a process, and each in its turn', async () => {
    await register({ concurrency: 2 });
    let most = 0;
    onCall(async (response, { json }) => {
      most = Math.max(most, scenario.up.underWay);
      await sleep(100);
      response.setHeader('content-type', 'application/json').end(json);
    });
    const at = scenario.at(0);
    await times(10, async () => expect((await scenario.call('up.echo', {}, { by: at })).status).toBe(200));
    expect([most, scenario.up.calls]).toEqual([2, 10]);
  });

  it('is sent more at once, those that wait already first, by the first call after it may be', async () => {
    await register({ concurrency: 1, timeout: 20 });
    const finish: (() => void)[] = [];
    onCall((response, { json }) => {
      finish.push(() => void response.setHeader('content-type', 'application/json').end(json));
    });
    const by = scenario.at(0);
    const calls = [scenario.call('up.echo', {}, { by })];
    await eventually(async () => expect(scenario.up.calls).toBe(1));
    calls.push(scenario.call('up.echo', {}, { by }));
    await sleep(300);
    expect(scenario.up.calls).toBe(1);
    await change({ concurrency: 3 });
    calls.push(scenario.call('up.echo', {}, { by }));
    await eventually(async () => expect(scenario.up.calls).toBe(3));
    for (const end of finish) end();
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it('may take its whole time for each, from when its turn has come', async () => {
    await register({ concurrency: 1, timeout: 2 });
    onCall(async (response, { json }) => {
      await sleep(1_500);
      response.setHeader('content-type', 'application/json').end(json);
    });
    const by = scenario.at(0);
    const calls = await Promise.all([1, 2].map(() => scenario.call('up.echo', {}, { by })));
    expect(calls.map(({ status }) => status)).toEqual([200, 200]);
  });

  it('refuses what finds no place in time: nothing is sent, nothing paid, and its Idempotency-Key stays free', async () => {
    await register({ concurrency: 1, timeout: 20 });
    await scenario.tenant.put(`${path}/tools/echo/price`, { price_usd: 0.5 });
    const session = await scenario.tenant.session({ agent_id: 'agent', scopes: ['execute'], spend_limit: 5 });
    let finish = (): void => undefined;
    onCall((response, { json }) => {
      finish = () => void response.setHeader('content-type', 'application/json').end(json);
      if (scenario.up.calls > 1) finish();
    });
    const by = scenario.at(0);
    const call = (key: string) => scenario.call('up.echo', {}, { by, session, key });
    const first = call('first');
    await eventually(async () => expect(scenario.up.calls).toBe(1));
    await change({ timeout: 1 });
    const { status, body } = await call('second');
    expect([status, body]).toMatchObject([
      502,
      {
        code: 'upstream_unreachable',
        error: expect.stringMatching(/at once: 1 \(its concurrency\), and none of them ended within 1 s$/),
      },
    ]);
    finish();
    expect((await first).status).toBe(200);
    expect(scenario.up.calls).toBe(1);
    expect((await scenario.tenant.get(`/v1/sessions/${session}`)).body).toMatchObject({ spent: 0.5 });
    expect((await call('second')).status).toBe(200);
    expect((await scenario.tenant.get(`/v1/sessions/${session}`)).body).toMatchObject({ spent: 1 });
  });
});
