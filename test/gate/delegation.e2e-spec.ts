import {
  type AppProcess,
  BareMcp,
  Client,
  type Reply,
  saying,
  Scenario,
  sharedWorld,
  text,
  times,
  type World,
} from '@haldir/test-support';

type Body = Record<string, unknown>;

let world: World;
let there: AppProcess;
let operator: Client;
beforeAll(async () => {
  world = await sharedWorld();
  there = world.apis[1] as AppProcess;
});
beforeEach(async () => {
  operator = await world.newTenant();
});
afterEach(async () => {
  expect(await world.sql('SELECT * FROM payment_fault')).toEqual([]);
});

const open = (client: Client, parent: string, more: Body = {}): Promise<Reply> =>
  client.post('/v1/sessions', { agent_id: 'agent', scopes: ['read'], parent_session_id: parent, ...more });
const opened = async (client: Client, parent: string, more: Body = {}): Promise<string> => {
  const { status, body } = await open(client, parent, more);
  expect([status, body['code']]).toEqual([201, undefined]);
  return String(body['session_id']);
};
async function agentKey(agent: Body = {}): Promise<Client> {
  const ceiling = { agent_id: 'agent', scopes: ['execute', 'read', 'spend'], ttl: 600, spend_limit: 5, ...agent };
  const { body } = await operator.post<{ key: string }>('/v1/keys', { name: 'agent', agent: ceiling });
  return new Client(operator.url, body.key);
}
const ends = async (client: Client, id: string): Promise<number> =>
  Number((await client.get<{ expires_at: number }>(`/v1/sessions/${id}`)).body.expires_at);

describe('a session that is opened from another', () => {
  it.each<[string, Body]>([
    ['agent_id', { agent_id: 'other' }],
    ['scopes', { scopes: ['read', 'write'] }],
    ['scopes', { scopes: ['admin'] }],
    ['ttl', { ttl: 601 }],
    ['spend_limit', { spend_limit: 5.01 }],
  ])('is no more than its parent: a 403 names %s, of %j', async (field, wanted) => {
    const root = await operator.session({ scopes: ['read', 'execute:up'], ttl: 600, spend_limit: 5 });
    const { status, body } = await open(operator, root, { spend_limit: 1, ...wanted });
    expect([status, body]).toMatchObject([403, { code: 'beyond_parent', field }]);
  });

  it.each<[string, Body]>([
    ['scopes', { scopes: undefined }],
    ['spend_limit', { spend_limit: undefined }],
    ['parent_session_id', { parent_session_id: '' }],
    ['parent_session_id', { parent_session_id: 5 }],
    ['parent_session_id', { parent_session_id: null }],
    ['parent_session_id', { parent_session_id: 'x'.repeat(129) }],
  ])('is not opened without what it takes of its parent: a 400 names %s, of %j', async (field, wanted) => {
    const root = await operator.session({ spend_limit: 5 });
    const { status, body } = await open(operator, root, { spend_limit: 1, ...wanted });
    expect([status, body]).toMatchObject([400, { field }]);
  });

  it('has scopes of its parent in their meaning, and ends with it unless it says when', async () => {
    const root = await operator.session({ scopes: ['execute', 'read:mail'], ttl: 600 });
    const child = await opened(operator, root, { scopes: ['execute:up', 'read:mail'] });
    const check = async (scope: string): Promise<unknown> =>
      (await operator.post(`/v1/sessions/${child}/check`, { scope })).body['allowed'];
    expect([await check('execute:up'), await check('read:mail'), await check('execute'), await check('read')]).toEqual([
      ...[true, true, false, false],
    ]);
    expect((await open(operator, child, { scopes: ['execute'] })).body).toMatchObject({ field: 'scopes' });
    expect(await ends(operator, child)).toBe(await ends(operator, root));
    expect(await ends(operator, await opened(operator, root, { scopes: [], ttl: 10 }))).toBeLessThan(await ends(operator, root));
  }); // prettier-ignore

  it('is shown with its parent to operators, in the list too, and without it to an agent', async () => {
    const agent = await agentKey();
    const root = await operator.session({ scopes: ['read'] });
    const child = await opened(agent, root);
    const leaf = await opened(operator, child);
    const told = async (client: Client, id: string): Promise<unknown[]> => {
      const { body } = await client.get(`/v1/sessions/${id}`);
      return ['parent_session_id', 'depth', 'descendants'].map((name) => body[name]);
    };
    expect([await told(operator, root), await told(operator, child), await told(operator, leaf)]).toEqual([
      [null, 0, 2],
      [root, 1, 1],
      [child, 2, 0],
    ]);
    expect(await told(agent, leaf)).toEqual([null, 2, 0]);
    const { body } = await operator.get<{ sessions: Body[] }>('/v1/sessions');
    expect(new Set(body.sessions.map((session) => session['parent_session_id']))).toEqual(new Set([child, root, null]));
    const { body: log } = await operator.get<{ entries: Body[] }>(`/v1/audit?session_id=${leaf}`);
    expect(JSON.parse(String(log.entries[0]?.['details']))).toMatchObject({ parent_session_id: child });
  });

  it('is not opened from one that nobody has, whatever is the matter with it', async () => {
    const agent = await agentKey();
    const [ended, revoked] = [await operator.session({ ttl: 1 }), await operator.session()];
    await operator.delete(`/v1/sessions/${revoked}`);
    const stranger = await (await world.newTenant()).session();
    const another = await operator.session({ agent_id: 'other' });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const answers = async (client: Client, ids: string[]): Promise<unknown[]> =>
      Promise.all(
        ids.map(async (id) => {
          const { status, body } = await open(client, id);
          return [status, { ...body, request_id: null }];
        }),
      );
    const unknown = `ses_${'0'.repeat(36)}`;
    const [first, ...others] = await answers(operator, [unknown, ended, revoked, stranger]);
    expect(first).toMatchObject([401, { code: 'invalid_session' }]);
    for (const other of others) expect(other).toEqual(first);
    for (const other of await answers(agent, [unknown, ended, revoked, stranger, another])) expect(other).toEqual(first);
  }); // prettier-ignore

  it('descends from 8 others at most, and at most 100 that live descend from one', async () => {
    let last = await operator.session({ scopes: ['read'] });
    const root = last;
    for (let depth = 1; depth <= 8; depth++) last = await opened(operator, last);
    expect((await open(operator, last)).body).toMatchObject({
      ...{ code: 'delegated_too_deep', field: 'parent_session_id' },
      error: expect.stringContaining('8') as string,
    });
    const more = await times(95, (i) => open(i % 2 ? operator : operator.at(there), root));
    expect(more.filter(({ status }) => status === 201)).toHaveLength(92);
    expect((await open(operator, root)).body).toMatchObject({
      ...{ code: 'too_many_descendants', field: 'parent_session_id' },
      error: expect.stringContaining('100') as string,
    });
    const leaf = String(more.find(({ status }) => status === 201)?.body['session_id']);
    expect((await operator.delete(`/v1/sessions/${leaf}`)).status).toBe(200);
    await opened(operator, root);
  });
});

describe('a session that is ended', () => {
  it('ends all that descend from it at the next request, on every process, and no other', async () => {
    const root = await operator.session({ scopes: ['read', 'execute', 'spend'], spend_limit: 10 });
    const more = { scopes: ['read', 'spend'], spend_limit: 2 };
    const [child, sibling] = [await opened(operator, root, more), await opened(operator, root, more)];
    const leaf = await opened(operator, child, { ...more, spend_limit: 1 });
    const far = operator.at(there);
    const tries = async (session_id: string): Promise<number[]> => {
      const replies = await Promise.all([
        far.get(`/v1/sessions/${session_id}`),
        far.post('/v1/payments/authorize', { session_id, amount: 0.01 }),
        far.post('/v1/audit', { session_id, tool: 't', action: 'a' }),
        far.post('/v1/proxy/call', { session_id, tool: 'none.none', arguments: {} }),
        open(far, session_id, { spend_limit: 0 }),
      ]);
      const mcp = await new BareMcp({ url: far.url, key: far.key ?? '', session: session_id }).ask('tools/list');
      return [...replies.map(({ status }) => status), mcp.status];
    };
    expect(await tries(leaf)).toEqual([200, 200, 201, 404, 201, 200]);
    expect((await operator.delete(`/v1/sessions/${child}`)).status).toBe(200);
    expect(await tries(leaf)).toEqual([404, 401, 401, 401, 401, 403]);
    expect(await tries(sibling)).toEqual([200, 200, 201, 404, 201, 200]);
    expect((await operator.delete(`/v1/sessions/${root}`)).status).toBe(200);
    expect(await tries(sibling)).toEqual([404, 401, 401, 401, 401, 403]);
    const { body } = await operator.get<{ entries: Body[] }>('/v1/audit?action=session_revoked');
    const told = body.entries.map(({ session_id, details }) => [session_id, (JSON.parse(String(details)) as Body)['with']]);
    expect(told.filter(([id]) => [root, child, leaf, sibling].includes(String(id)))).toHaveLength(4);
    expect(told).toContainEqual([leaf, child]);
    expect(told).toContainEqual([child, undefined]);
    expect(told).toContainEqual([sibling, root]);
  }); // prettier-ignore

  it('has nothing opened from it any more: of what is opened while it is ended, nothing lives', async () => {
    for (let i = 0; i < 10; i++) {
      const root = await operator.session({ scopes: ['read'] });
      const child = await opened(operator, root);
      const racing = times(12, (j) => open(j % 2 ? operator : operator.at(there), j % 3 ? child : root));
      const end = operator.at(there).delete(`/v1/sessions/${root}`);
      const [replies] = await Promise.all([racing, end]);
      for (const { status, body } of replies.filter((reply) => reply.status === 201)) {
        const check = await operator.post(`/v1/sessions/${String(body['session_id'])}/check`, { scope: 'read' });
        expect([status, check.body['allowed']]).toEqual([201, false]);
      }
      expect([201, 401]).toEqual(expect.arrayContaining([...new Set(replies.map(({ status }) => status))]));
    }
  });
});

describe('an agent that opens sessions from its own', () => {
  it('is given no more by it: neither its ceiling nor its session is what the other lacks', async () => {
    const agent = await agentKey({ scopes: ['read', 'write'], ttl: 300 });
    const wide = await operator.session({ scopes: ['read', 'execute'], ttl: 3600, spend_limit: 100 });
    for (const [field, wanted, code] of [
      ['scopes', { scopes: ['execute'], spend_limit: 0 }, 'beyond_ceiling'],
      ['scopes', { scopes: ['write'], spend_limit: 0 }, 'beyond_parent'],
      ['ttl', { ttl: 301, spend_limit: 0 }, 'beyond_ceiling'],
      ['spend_limit', { spend_limit: 6 }, 'beyond_ceiling'],
      ['agent_id', { agent_id: 'other', spend_limit: 0 }, 'beyond_ceiling'],
    ] as const)
      expect((await open(agent, wide, wanted)).body).toMatchObject({ code, field });
    const child = await opened(agent, wide, { spend_limit: 5 });
    expect(await ends(operator, child)).toBeLessThan(await ends(operator, wide));
    // It cannot end what it descends from without its id, and ends what descends from it.
    const leaf = await opened(agent, child, { spend_limit: 1 });
    expect((await agent.delete(`/v1/sessions/${child}`)).status).toBe(200);
    expect((await agent.get(`/v1/sessions/${leaf}`)).status).toBe(404);
    expect((await agent.get(`/v1/sessions/${wide}`)).body).toMatchObject({ is_valid: true, delegated: 0 });
  });

  it('is stopped with them, and has them back when it goes on', async () => {
    const agent = await agentKey();
    const child = await opened(agent, await agent.session({ scopes: ['read'], ttl: 600 }));
    const check = async (): Promise<unknown> =>
      (await agent.post(`/v1/sessions/${child}/check`, { scope: 'read' })).body['allowed'];
    await operator.post('/v1/agents/agent/freeze', { reason: 'x' });
    expect([await check(), (await open(agent, child)).status]).toEqual([false, 403]);
    await operator.post('/v1/agents/agent/unfreeze');
    expect(await check()).toBe(true);
  });

  it('leaves to them nothing that was approved for itself, and takes nothing that was for them', async () => {
    const scenario = await Scenario.of(world, ['pay'], { tenant: operator });
    try {
      scenario.up.answer = () => text('paid');
      await scenario.policy('require_approval', {});
      const agent = await agentKey();
      const root = await agent.session({ scopes: ['execute'], ttl: 600 });
      const [child, sibling] = [
        await opened(agent, root, { scopes: ['execute'] }),
        await opened(agent, root, { scopes: ['execute'] }),
      ];
      /** The id of the request that the call waits for; null when it was made. */
      const asks = async (session: string): Promise<unknown> => {
        const before = scenario.up.calls.length;
        const reply = await scenario.call('up.pay', { to: 'x' }, { by: agent, session });
        return scenario.up.calls.length > before ? null : saying(reply)['request_id'];
      };
      const approve = (id: unknown): Promise<Reply> => operator.post(`/v1/approvals/${String(id)}/approve`);
      const [ofRoot, ofChild, ofSibling] = [await asks(root), await asks(child), await asks(sibling)];
      expect(new Set([ofRoot, ofChild, ofSibling, null]).size).toBe(4);
      await approve(ofRoot);
      expect([await asks(child), await asks(sibling), await asks(root)]).toEqual([ofChild, ofSibling, null]);
      await approve(ofChild);
      expect([await asks(sibling), await asks(child)]).toEqual([ofSibling, null]);
    } finally {
      await scenario.end();
    }
  });
});

it('an operator opens a session from another at /mcp, too', async () => {
  const root = await operator.session({ scopes: ['read'] });
  const mcp = new BareMcp({ url: operator.url, key: operator.key ?? '' });
  const { message } = await mcp.call('createSession', {
    ...{ agent_id: 'agent', scopes: ['read:x'], parent_session_id: root },
  });
  const made = (message as { result?: { structuredContent?: Body } }).result?.structuredContent;
  expect(made).toMatchObject({ agent_id: 'agent', scopes: ['read:x'] });
  expect((await operator.get(`/v1/sessions/${String(made?.['session_id'])}`)).body).toMatchObject({
    ...{ parent_session_id: root, depth: 1 },
  });
});
