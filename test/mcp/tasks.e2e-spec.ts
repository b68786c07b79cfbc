import {
  type Balancer,
  BareMcp,
  eventually,
  type FakeUpstream,
  type McpReply,
  saidBy,
  Scenario,
  startApi,
  startBalancer,
  startWorld,
  text,
  times,
  type World,
} from '@haldir/test-support';

const TASKS = { extensions: { 'io.modelcontextprotocol/tasks': {} } };
const META = { _meta: { 'io.modelcontextprotocol/clientCapabilities': TASKS } };

let world: World;
let balancer: Balancer;
let scenario: Scenario<FakeUpstream>;
beforeAll(async () => {
  world = await startWorld({ processes: 2 });
  balancer = await startBalancer(world.apis);
});
afterAll(async () => {
  await balancer.stop();
  await world.stop();
});
beforeEach(async () => {
  scenario = await Scenario.of(world, ['pay', 'look'], { balancer });
  await scenario.tenant.post('/v1/approvals/rules', { type: 'tool_blocked', tools: ['up.pay'] });
});
afterEach(() => scenario.end());

interface Task {
  resultType: string;
  taskId: string;
  status: string;
  statusMessage?: string;
  lastUpdatedAt: string;
  ttlMs: number;
  pollIntervalMs: number;
  result?: { isError?: boolean; content: { text: string }[] };
  error?: { code: number; data: unknown };
}
const call = (agent: BareMcp, args: object = { to: 'dana' }, tool = 'up.pay'): Promise<McpReply> =>
  agent.ask('tools/call', { name: tool, arguments: args, ...META });
const about = (agent: BareMcp, taskId: string, method = 'tasks/get', params: object = META): Promise<McpReply> =>
  agent.ask(method, { taskId, ...params }, { 'mcp-name': taskId });
const get = async (agent: BareMcp, taskId: string): Promise<Task> => taskIn(await about(agent, taskId));
const taskIn = ({ message }: McpReply): Task => {
  expect(message).toHaveProperty('result');
  return message?.result as unknown as Task;
};
const begun = async (agent = scenario.agent(), args?: object): Promise<{ id: string; request: string }> => {
  const { taskId, statusMessage = '' } = taskIn(await call(agent, args));
  return { id: taskId, request: /apr_\w+/.exec(statusMessage)?.[0] ?? '' };
};
const approve = async (request: string): Promise<void> => {
  expect((await scenario.tenant.post(`/v1/approvals/${request}/approve`)).status).toBe(200);
};

describe('a call that waits for approval, of a client that declares tasks', () => {
  it('is a task until it is approved, then made, and its result is found after a restart, at any process', async () => {
    const first = await call(scenario.agent());
    expect(first.message?.result).toMatchObject({ resultType: 'task', status: 'working', pollIntervalMs: 2_000 });
    const { taskId, statusMessage, ttlMs } = taskIn(first);
    expect([statusMessage, ttlMs]).toEqual([expect.stringContaining('/approvals/apr_'), 86_400_000]);
    expect(await get(scenario.agent(), taskId)).toMatchObject({ resultType: 'complete', taskId, status: 'working' });
    expect(scenario.up.calls).toEqual([]);
    await approve(/apr_\w+/.exec(String(statusMessage))?.[0] ?? '');
    for (const api of world.apis) {
      const task = await get(scenario.agent().at(api.url), taskId);
      expect(task).toMatchObject({ status: 'completed', result: { content: [{ type: 'text', text: 'pay' }] } });
    }
    expect(scenario.up.calls).toEqual([{ tool: 'pay', arguments: { to: 'dana' } }]);
    expect((await scenario.callEntries('up.pay')).map(({ details }) => details['decision'])).toEqual([
      'approval_required',
      'allowed',
    ]);
  });

  it('is made once, however many ask for it over any number of processes', async () => {
    const { id, request } = await begun();
    await approve(request);
    const tasks = await times(20, () => get(scenario.agent(), id));
    // One that has waited long enough for the others' call says so.
    for (const { status } of tasks) expect(['completed', 'working']).toContain(status);
    await eventually(async () => expect(await get(scenario.agent(), id)).toMatchObject({ status: 'completed' }));
    expect(scenario.up.calls).toHaveLength(1);
  });

  it('is one task when it is made again while it waits, at any process: one approval, made once', async () => {
    const { id, request } = await begun();
    for (const api of world.apis) expect(taskIn(await call(scenario.agent().at(api.url))).taskId).toBe(id);
    const racing = await times(6, (n) => begun(scenario.agent().at(world.apis[n % 2]?.url ?? ''), { to: 'erin' }));
    expect(new Set(racing.map((each) => each.id)).size).toBe(1);
    await approve(request);
    expect(await get(scenario.agent(), id)).toMatchObject({ status: 'completed' });
    expect(scenario.up.calls).toHaveLength(1);
    expect((await begun()).id).not.toBe(id);
  });

  it('is another task under another Idempotency-Key, which asks for another execution', async () => {
    const under = async (key: string): Promise<string> => {
      const params = { name: 'up.pay', arguments: { to: 'frank' }, ...META };
      return taskIn(await scenario.agent().ask('tools/call', params, { 'idempotency-key': key })).taskId;
    };
    const [one, again, other] = [await under('one'), await under('one'), await under('other')];
    expect(again).toBe(one);
    expect(other).not.toBe(one);
  });

  it('is made once, whichever of the keys that use its session asks for it', async () => {
    const { id, request } = await begun();
    await approve(request);
    const { key } = await scenario.keyOf(['proxy:call']);
    if (!key) throw new Error('no key');
    const other = new BareMcp({ ...scenario.agent().party, key });
    for (const agent of [scenario.agent(), other, scenario.agent()])
      expect(await get(agent, id)).toMatchObject({ status: 'completed', result: { content: [{ text: 'pay' }] } });
    expect(scenario.up.calls).toHaveLength(1);
  });

  it('ends as denied, expired or cancelled without having been made', async () => {
    const [denied, expired, cancelled] = [
      await begun(),
      await begun(undefined, { to: 'erin' }),
      await begun(undefined, { to: 'fay' }),
    ];
    await scenario.tenant.post(`/v1/approvals/${denied.request}/deny`);
    await world.sql(`UPDATE approval_request SET expires_at = now() WHERE id = $1`, [expired.request]);
    expect(taskIn(await about(scenario.agent(), cancelled.id, 'tasks/cancel'))).toMatchObject({
      resultType: 'complete',
    });
    await approve(cancelled.request);
    const [no, late, none] = [
      await get(scenario.agent(), denied.id),
      await get(scenario.agent(), expired.id),
      await get(scenario.agent(), cancelled.id),
    ];
    const { body } = await scenario.tenant.get<{ decided_at: number }>(`/v1/approvals/${denied.request}`);
    expect(Date.parse(no.lastUpdatedAt)).toBe(Math.floor(body.decided_at * 1000));
    expect([no, late, none]).toMatchObject([
      { status: 'completed', result: { isError: true } },
      { status: 'completed', result: { isError: true } },
      { status: 'cancelled' },
    ]);
    expect(
      [no, late].map(({ result }) => (JSON.parse(result?.content[0]?.text ?? '') as { status: string }).status),
    ).toEqual(['approval_denied', 'approval_expired']);
    expect(scenario.up.calls).toEqual([]);
  });

  it('that was made is not cancelled any more, and what is brought to it is taken without effect', async () => {
    const { id, request } = await begun();
    await approve(request);
    await get(scenario.agent(), id);
    for (const method of ['tasks/cancel', 'tasks/update'])
      expect(taskIn(await about(scenario.agent(), id, method))).toMatchObject({ resultType: 'complete' });
    expect(await get(scenario.agent(), id)).toMatchObject({ status: 'completed' });
  });

  it('waits for another approval when the policies have changed since', async () => {
    const { id, request } = await begun();
    await approve(request);
    await scenario.policy('rate_limit', { max_per_minute: 5 });
    const task = await get(scenario.agent(), id);
    expect(task).toMatchObject({ status: 'working' });
    const another = /apr_\w+/.exec(task.statusMessage ?? '')?.[0] ?? '';
    expect([another === request, scenario.up.calls]).toEqual([false, []]);
    // Made again, it is the task that waits already.
    expect((await begun()).id).toBe(id);
    await approve(another);
    expect(await get(scenario.agent(), id)).toMatchObject({ status: 'completed' });
  });

  it('shows the errors of its tool as they are, and what its upstream refuses as a failure', async () => {
    const { id, request } = await begun();
    scenario.up.answer = () => ({ isError: true, content: [{ type: 'text', text: 'no funds' }] });
    await approve(request);
    expect(await get(scenario.agent(), id)).toMatchObject({ status: 'completed', result: { isError: true } });
  });

  it('that could not be sent has ended, and is not made when its upstream is back', async () => {
    const { id, request } = await begun();
    await approve(request);
    await scenario.up.stop();
    for (const again of [false, true]) {
      const task = await get(scenario.agent(), id);
      expect(task).toMatchObject({ status: 'completed', result: { isError: true } });
      if (!again) await scenario.up.start();
    }
    expect(scenario.up.calls).toEqual([]);
  });

  it('has one outcome when the process that makes it is killed: nobody knows, and it is never made again', async () => {
    const { id, request } = await begun();
    const arrived = new Promise<void>((resolve) => {
      scenario.up.answer = () => {
        resolve();
        return new Promise((answer) => setTimeout(() => answer(text('late')), 60_000).unref());
      };
    });
    await approve(request);
    const api = await startApi(world.environment);
    const lost = about(scenario.agent().at(api.url), id).catch(() => null);
    await arrived;
    expect(await get(scenario.agent(), id)).toMatchObject({ status: 'working' });
    await api.kill();
    expect(await lost).toBeNull();
    await world.sql(`UPDATE idempotency SET locked_until = now() WHERE route = 'MCP task'`);
    await eventually(async () =>
      expect(await get(scenario.agent(), id)).toMatchObject({
        status: 'failed',
        error: { data: { code: 'outcome_unknown' } },
      }),
    );
    expect(scenario.up.calls).toHaveLength(1);
  }, 60_000);
});

describe('a task', () => {
  it('is nothing to another session, key or tenant', async () => {
    const { id, request } = await begun();
    await approve(request);
    const stranger = await Scenario.of(world, ['pay'], { balancer });
    const others = [
      scenario.agent('stateless', await scenario.tenant.session({ agent_id: 'agent', scopes: ['execute'] })),
      scenario.operator(),
      stranger.agent(),
    ];
    for (const other of others)
      for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel'])
        expect((await about(other, id, method)).message?.error).toMatchObject({ code: -32602 });
    expect(scenario.up.calls).toEqual([]);
    await stranger.end();
  });

  it('is made for no key that may not call tools, which leaves it to those that may', async () => {
    const { id, request } = await begun();
    await approve(request);
    const { key } = await scenario.keyOf(['sessions:read', 'approvals:read']);
    if (!key) throw new Error('no key');
    const lesser = new BareMcp({ ...scenario.agent().party, key });
    for (const isMade of [false, true]) {
      for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
        const { message } = await about(lesser, id, method);
        expect(message?.error).toMatchObject({ code: -32000, data: { code: 'insufficient_scope' } });
      }
      expect(scenario.up.calls).toHaveLength(isMade ? 1 : 0);
      expect(await get(scenario.agent(), id)).toMatchObject({
        status: 'completed',
        result: { content: [{ text: 'pay' }] },
      });
    }
  });

  it('says nothing once its session has ended', async () => {
    const { id, request } = await begun();
    await approve(request);
    await get(scenario.agent(), id);
    expect((await scenario.tenant.delete(`/v1/sessions/${scenario.session}`)).status).toBeLessThan(300);
    const { status, message } = await about(scenario.agent(), id);
    expect([status, message?.result]).toEqual([403, undefined]);
  });

  it('of an agent key is found in the session that has taken the place of the one it was made in', async () => {
    const { body } = await scenario.tenant.post<{ key: string }>('/v1/keys', {
      agent: { agent_id: 'keyed', scopes: ['execute'], ttl: 600, spend_limit: 0 },
    });
    const agent = scenario.operator(body.key);
    const { id, request } = await begun(agent);
    const [holder] = await world.sql<{ id: string }>(
      `SELECT 'hld_' || public_id AS id FROM api_key WHERE agent_id = 'keyed'`,
    );
    const posing = scenario.agent('stateless', `key:${holder?.id}`);
    expect(await about(posing, id)).toMatchObject({ status: 403, message: { error: expect.any(Object) } });
    await world.sql(`UPDATE session SET expires_at = now() WHERE agent_id = 'keyed'`);
    await approve(request);
    expect(await get(agent, id)).toMatchObject({ status: 'completed' });
  });

  it('is given to nobody who has not declared tasks, who is told so', async () => {
    const plain = scenario.agent();
    expect(saidBy(await plain.call('up.pay', { to: 'dana' }))).toMatchObject({ status: 'approval_required' });
    const { id } = await begun();
    const refused = await about(plain, id, 'tasks/get', {});
    expect([refused.status, refused.message?.error]).toMatchObject([
      400,
      { code: -32021, data: { requiredCapabilities: TASKS } },
    ]);
    const listening = await plain.ask('subscriptions/listen', { notifications: { taskIds: [id] } });
    expect([listening.status, listening.message?.error]).toMatchObject([400, { code: -32021 }]);
    const old = scenario.agent('handshake');
    expect((await old.ask('tasks/get', { taskId: id })).message?.error).toMatchObject({ code: -32601 });
  });

  it('is none for a call that need not wait, whatever the upstream says its answer is', async () => {
    scenario.up.answer = () => ({ resultType: 'task', taskId: 'mine', content: [{ type: 'text', text: 'look' }] });
    expect((await call(scenario.agent(), {}, 'up.look')).message?.result).toMatchObject({ resultType: 'complete' });
    scenario.up.answer = () => ({ resultType: 'task', taskId: 'mine', status: 'working' });
    expect((await call(scenario.agent(), {}, 'up.look')).message?.result).toMatchObject({
      ...{ resultType: 'complete', isError: true, content: [{ text: expect.stringContaining('not valid MCP') }] },
    });
    expect((await call(scenario.agent(), { to: 3 }, 'nothing')).message?.error).toMatchObject({ code: -32602 });
  });

  it('keeps its arguments sealed, and is forgotten after a day', async () => {
    const { id } = await begun(undefined, { to: 'a-canary-of-arguments' });
    const [row] = await world.sql<{ row: string }>(`SELECT t::text AS row FROM mcp_task t WHERE id = $1`, [id]);
    const sealed = Buffer.from(/\\x([0-9a-f]+)/g.exec(row?.row ?? '')?.[1] ?? '', 'hex').toString('latin1');
    expect(`${row?.row} ${sealed}`).not.toMatch(/canary|ses_/);
    await world.sql(`UPDATE mcp_task SET expires_at = now() WHERE id = $1`, [id]);
    expect((await about(scenario.agent(), id)).message?.error).toMatchObject({ code: -32602 });
  });
});

it('the tasks extension is declared to clients of the stateless revision in a session, and to no other', async () => {
  const capabilities = async (agent: BareMcp, method: string): Promise<object> =>
    (
      await agent.ask(method, {
        protocolVersion: '2025-11-25',
        capabilities: {},
        clientInfo: { name: 'c', version: '1' },
      })
    ).message?.result?.['capabilities'] as object;
  expect(await capabilities(scenario.agent(), 'server/discover')).toMatchObject(TASKS);
  expect(await capabilities(scenario.operator(), 'server/discover')).not.toHaveProperty('extensions');
  expect(await capabilities(scenario.agent('handshake'), 'initialize')).not.toHaveProperty('extensions');
});
