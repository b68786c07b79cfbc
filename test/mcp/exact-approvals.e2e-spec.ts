import {
  type AppProcess,
  type Balancer,
  BareMcp,
  type ChangingUpstream,
  Client,
  eventually,
  type Receiver,
  type Reply,
  startBalancer,
  startChangingUpstream,
  startReceiver,
  startWorker,
  startWorld,
  type World,
} from '@haldir/test-support';

interface Result {
  isError?: boolean;
  content: { text: string }[];
}
interface Request {
  request_id: string;
  tool: string;
  action: string;
  reason: string;
  details: string;
  digest: string;
  status: string;
  consumed: boolean;
  requested_key: string;
  decided_by: string;
  decided_key: string;
}

let world: World;
let worker: AppProcess;
let balancer: Balancer;
let receiver: Receiver;
let tenant: Client;
let session: string;
let upstream: ChangingUpstream;
beforeAll(async () => {
  world = await startWorld({ processes: 3 });
  worker = await startWorker(world.environment);
  balancer = await startBalancer(world.apis);
  receiver = await startReceiver();
});
afterAll(async () => {
  await balancer.stop();
  await worker.stop();
  await world.stop();
  await receiver.stop();
});
beforeEach(async () => {
  tenant = await world.newTenant();
  session = await tenant.session({ agent_id: 'agent', scopes: ['execute'] });
  upstream = await startChangingUpstream('pay', 'look');
  await tenant.post('/v1/proxy/upstreams', { name: 'up', url: upstream.url, tools_max_age: 0 });
  await tenant.post('/v1/approvals/rules', { type: 'tool_blocked', tools: ['up.pay'] });
});
afterEach(() => upstream.stop());

const ARGS = { to: 'dana', amount: 5, note: 'for lunch' };
const call = (args: object = ARGS, by = tenant): Promise<Reply<Result>> =>
  by.post<Result>('/v1/proxy/call', { tool: 'up.pay', arguments: args, session_id: session });
const said = ({ body }: Reply<Result>): Record<string, unknown> =>
  JSON.parse(body.content[0]?.text ?? '') as Record<string, unknown>;
/** The id of the request that a call waits for. */
const held = async (args: object = ARGS, by = tenant): Promise<string> => {
  const reply = await call(args, by);
  expect([reply.status, said(reply)]).toMatchObject([200, { status: 'approval_required' }]);
  return String(said(reply)['request_id']);
};
const approve = (id: string, by = tenant): Promise<Reply> =>
  by.post(`/v1/approvals/${id}/approve`, { decided_by: 'dana', note: 'fine' });
const request = async (id: string): Promise<Request> => (await tenant.get<Request>(`/v1/approvals/${id}`)).body;
const audited = async (action: string): Promise<Record<string, unknown>[]> =>
  (await tenant.get<{ entries: { action: string; details: string }[] }>('/v1/audit?limit=1000')).body.entries
    .filter((entry) => entry.action === action)
    .map(({ details }) => JSON.parse(details) as Record<string, unknown>);
const keyOf = async (scopes: string[]): Promise<Client> =>
  new Client(tenant.url, (await tenant.post<{ key: string }>('/v1/keys', { scopes })).body.key);
const prefixOf = ({ key }: Client): string => (key ?? '').slice(0, 14);

describe('an approval is for the call as it was shown', () => {
  const changes: [string, () => Promise<object>][] = [
    ['one byte of its arguments', async () => ({ ...ARGS, note: 'for lunCh' })],
    [
      'the text of its tool, though that was accepted',
      async () => {
        upstream.change('pay', { description: 'Does pay, at once' });
        expect((await call()).status).toBe(403);
        const { tools } = (
          await tenant.get<{ tools: { drift: { fingerprint: string } }[] }>('/v1/proxy/tools?drifted=true')
        ).body;
        const fingerprint = tools[0]?.drift.fingerprint;
        expect((await tenant.post('/v1/proxy/upstreams/up/tools/pay/accept', { fingerprint })).status).toBe(200);
        return ARGS;
      },
    ],
    [
      'a policy of the tenant',
      async () => {
        await tenant.post('/v1/proxy/policies', { type: 'block_tool', tool: 'other' });
        return ARGS;
      },
    ],
    [
      'a rule of the tenant',
      async () => {
        await tenant.post('/v1/approvals/rules', { type: 'spend_over', threshold: 1_000 });
        return ARGS;
      },
    ],
  ];

  it.each(changes)('and for no other: after a change of %s it is asked about anew', async (_, change) => {
    const id = await held();
    expect((await approve(id)).status).toBe(200);
    const args = await change();
    for (const api of world.apis) expect(await held(args, tenant.at(api))).not.toBe(id);
    expect(upstream.calls).toEqual([]);
    expect((await request(id)).consumed).toBe(false);
  });

  it('and is used once, by 50 calls at once over three processes, REST and MCP: one reaches the upstream', async () => {
    const id = await held();
    const { digest } = await request(id);
    await approve(id);
    const agent = new BareMcp({ url: balancer.url, key: tenant.key ?? '', session });
    const calls = Array.from({ length: 50 }, (__, i) =>
      i % 2 === 0 ? call(ARGS, tenant.at(world.apis[i % 3] as AppProcess)) : agent.call('up.pay', ARGS),
    );
    await Promise.all(calls);
    expect(upstream.calls).toEqual([{ tool: 'pay', arguments: ARGS }]);
    expect(await request(id)).toMatchObject({ consumed: true, digest });
    // What was shown is what was used.
    expect(await audited('approval_consumed')).toMatchObject([{ request_id: id, digest }]);
  });
});

describe('whoever decides', () => {
  it('sees what is hidden in a call, in the API and in the event, and decides on the call as it is', async () => {
    const hook = `hidden-${session.slice(-8)}`;
    const { body } = await tenant.post('/v1/webhooks', { url: receiver.url(hook), events: ['approval_requested'] });
    receiver.expectSecrets(Number(body['webhook_id']), [String(body['secret'])]);
    const args = { to: 'dana\u202e\u200b', ['no\u2066te']: 'plain' };
    const id = await held(args);
    const shown = await request(id);
    expect(JSON.parse(shown.details)).toEqual({
      upstream: 'up',
      tool: 'pay',
      arguments: { to: String.raw`dana\u{202e}\u{200b}`, [String.raw`no\u{2066}te`]: 'plain' },
    });
    await tenant.post('/v1/approvals/request', {
      ...{
        session_id: session,
        tool: 'cr\u200bm',
        action: 'send\u202e',
        reason: 'because \u{e0041}',
        details: 'a\u2069',
      },
    });
    const { requests } = (await tenant.get<{ requests: Request[] }>('/v1/approvals/pending')).body;
    expect(requests.find(({ tool }) => tool !== 'up.pay')).toMatchObject({
      tool: String.raw`cr\u{200b}m`,
      action: String.raw`send\u{202e}`,
      reason: String.raw`because \u{e0041}`,
      details: String.raw`a\u{2069}`,
    });
    await eventually(async () => expect(receiver.at(hook)).toHaveLength(2));
    expect(receiver.at(hook).map(({ raw }) => /[\p{Cf}\p{DI}]/u.test(raw))).toEqual([false, false]);

    await approve(id);
    // The text that was shown is another call.
    expect(await held({ to: String.raw`dana\u{202e}\u{200b}`, [String.raw`no\u{2066}te`]: 'plain' })).not.toBe(id);
    expect((await call(args)).body.content[0]?.text).toBe('pay');
    expect(upstream.calls).toEqual([{ tool: 'pay', arguments: args }]);
  });

  it('is recorded from the credential, beside what they call themselves', async () => {
    const id = await held();
    const approver = await keyOf(['approvals:read', 'approvals:write']);
    await approve(id, approver);
    const who = { decided_by: 'dana', decided_key: prefixOf(approver), requested_key: prefixOf(tenant) };
    expect(await request(id)).toMatchObject(who);
    const { requests } = (await tenant.get<{ requests: Request[] }>('/v1/approvals?status=approved')).body;
    expect(requests).toMatchObject([{ request_id: id, ...who }]);
    expect(await audited('approval_approved')).toMatchObject([{ decided_by: 'dana', key: prefixOf(approver) }]);
  });
});

describe('a tenant that forbids it', () => {
  const forbid = (value: unknown, by = tenant): Promise<Reply> =>
    by.post('/v1/approvals/settings', { forbid_self_approval: value });

  it('has no key decide that asked or opened the session; another may, and the log has the attempt', async () => {
    expect((await tenant.get('/v1/approvals/settings')).body).toEqual({ forbid_self_approval: false });
    const asker = await keyOf(['proxy:write', 'approvals:read', 'approvals:write']);
    const other = await keyOf(['approvals:read', 'approvals:write']);
    const first = await held({ n: 1 }, asker);
    // By default whoever asks may decide.
    expect((await approve(first, asker)).status).toBe(200);

    expect((await forbid(true)).body).toEqual({ forbid_self_approval: true });
    const id = await held({ n: 2 }, asker);
    for (const key of [asker, tenant]) {
      for (const decision of ['approve', 'deny']) {
        for (const api of world.apis) {
          const { status, body } = await key.at(api).post(`/v1/approvals/${id}/${decision}`);
          expect([status, body['code']]).toEqual([403, 'self_approval']);
        }
      }
    }
    expect((await request(id)).status).toBe('pending');
    const attempts = await audited('approval_self_decision');
    expect(attempts).toHaveLength(12);
    expect(new Set(attempts.map(({ key }) => key))).toEqual(new Set([prefixOf(asker), prefixOf(tenant)]));
    expect((await approve(id, other)).status).toBe(200);
    // What is decided or unknown is told as ever.
    expect((await approve(id, asker)).body['code']).toBe('already_decided');
    expect((await approve('apr_nothing', asker)).status).toBe(404);
    expect((await call({ n: 2 }, asker)).body.content[0]?.text).toBe('pay');
  });

  it('has it lifted only by a key that administers', async () => {
    await forbid(true);
    const approver = await keyOf(['approvals:*']);
    const { status, body } = await forbid(false, approver);
    expect([status, body['required']]).toEqual([403, 'admin:write']);
    expect((await forbid('no')).body['error']).toMatch(/^forbid_self_approval: expected/);
    expect((await approver.get('/v1/approvals/settings')).body).toEqual({ forbid_self_approval: true });
    expect((await (await world.newTenant()).get('/v1/approvals/settings')).body).toEqual({
      forbid_self_approval: false,
    });
    expect((await forbid(false)).status).toBe(200);
    expect(await audited('approval_settings_changed')).toMatchObject([
      { forbid_self_approval: false, by: prefixOf(tenant) },
      { forbid_self_approval: true },
    ]);
  });
});
