import {
  type CallResult,
  type ChangingUpstream,
  type Client,
  eventually,
  type Reply,
  Scenario,
  startChangingUpstream,
} from '@haldir/test-support';
import { Stage } from './stage.js';

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

let stage: Stage;
let scenario: Scenario<ChangingUpstream>;
beforeAll(async () => {
  stage = await Stage.start({ processes: 3 });
});
afterAll(() => stage.stop());
beforeEach(async () => {
  scenario = await Scenario.around(stage.world, await startChangingUpstream('pay', 'look'), {
    balancer: stage.balancer,
  });
  await scenario.register('up', scenario.up.url, { tools_max_age: 0 });
  await scenario.tenant.post('/v1/approvals/rules', { type: 'tool_blocked', tools: ['up.pay'] });
});
afterEach(() => scenario.end());

const ARGS = { to: 'dana', amount: 5, note: 'for lunch' };
const call = (args: object = ARGS, by = scenario.tenant): Promise<Reply<CallResult>> =>
  scenario.call('up.pay', args, { by });
const said = ({ body }: Reply<CallResult>): Record<string, unknown> =>
  JSON.parse(body.content[0]?.text ?? '') as Record<string, unknown>;
/** The id of the request that a call waits for. */
const held = async (args: object = ARGS, by = scenario.tenant): Promise<string> => {
  const reply = await call(args, by);
  expect([reply.status, said(reply)]).toMatchObject([200, { status: 'approval_required' }]);
  return String(said(reply)['request_id']);
};
const approve = (id: string, by = scenario.tenant): Promise<Reply> =>
  by.post(`/v1/approvals/${id}/approve`, { decided_by: 'dana', note: 'fine' });
const request = async (id: string): Promise<Request> =>
  (await scenario.tenant.get<Request>(`/v1/approvals/${id}`)).body;
const audited = async (action: string): Promise<Record<string, unknown>[]> =>
  (await scenario.entries(action)).map(({ details }) => details);
const prefixOf = ({ key }: Client): string => (key ?? '').slice(0, 14);

describe('an approval is for the call as it was shown', () => {
  const changes: [string, () => Promise<object>][] = [
    ['one byte of its arguments', async () => ({ ...ARGS, note: 'for lunCh' })],
    [
      'the text of its tool, though that was accepted',
      async () => {
        scenario.up.change('pay', { description: 'Does pay, at once' });
        expect((await call()).status).toBe(403);
        const { tools } = (
          await scenario.tenant.get<{ tools: { drift: { fingerprint: string } }[] }>('/v1/proxy/tools?drifted=true')
        ).body;
        const fingerprint = tools[0]?.drift.fingerprint;
        expect((await scenario.tenant.post('/v1/proxy/upstreams/up/tools/pay/accept', { fingerprint })).status).toBe(
          200,
        );
        return ARGS;
      },
    ],
    [
      'a policy of the tenant',
      async () => {
        await scenario.tenant.post('/v1/proxy/policies', { type: 'block_tool', tool: 'other' });
        return ARGS;
      },
    ],
    [
      'a rule of the tenant',
      async () => {
        await scenario.tenant.post('/v1/approvals/rules', { type: 'spend_over', threshold: 1_000 });
        return ARGS;
      },
    ],
  ];

  it.each(changes)('and for no other: after a change of %s it is asked about anew', async (_, change) => {
    const id = await held();
    expect((await approve(id)).status).toBe(200);
    const args = await change();
    for (const api of stage.world.apis) expect(await held(args, scenario.tenant.at(api))).not.toBe(id);
    expect(scenario.up.calls).toEqual([]);
    expect((await request(id)).consumed).toBe(false);
  });

  it('and is used once, by 50 calls at once over three processes, REST and MCP: one reaches the upstream', async () => {
    const id = await held();
    const { digest } = await request(id);
    await approve(id);
    const agent = scenario.agent();
    const calls = Array.from({ length: 50 }, (__, i) =>
      i % 2 === 0 ? call(ARGS, scenario.at(i)) : agent.call('up.pay', ARGS),
    );
    await Promise.all(calls);
    expect(scenario.up.calls).toEqual([{ tool: 'pay', arguments: ARGS }]);
    expect(await request(id)).toMatchObject({ consumed: true, digest });
    // What was shown is what was used.
    expect(await audited('approval_consumed')).toMatchObject([{ request_id: id, digest }]);
  });
});

describe('whoever decides', () => {
  it('sees what is hidden in a call, in the API and in the event, and decides on the call as it is', async () => {
    const hook = await stage.webhook(scenario.tenant, 'approval_requested');
    const args = { to: 'dana\u202e\u200b', ['no\u2066te']: 'plain' };
    const id = await held(args);
    const shown = await request(id);
    expect(JSON.parse(shown.details)).toEqual({
      upstream: 'up',
      tool: 'pay',
      arguments: { to: String.raw`dana\u{202e}\u{200b}`, [String.raw`no\u{2066}te`]: 'plain' },
    });
    await scenario.tenant.post('/v1/approvals/request', {
      ...{
        session_id: scenario.session,
        tool: 'cr\u200bm',
        action: 'send\u202e',
        reason: 'because \u{e0041}',
        details: 'a\u2069',
      },
    });
    const { requests } = (await scenario.tenant.get<{ requests: Request[] }>('/v1/approvals/pending')).body;
    expect(requests.find(({ tool }) => tool !== 'up.pay')).toMatchObject({
      tool: String.raw`cr\u{200b}m`,
      action: String.raw`send\u{202e}`,
      reason: String.raw`because \u{e0041}`,
      details: String.raw`a\u{2069}`,
    });
    await eventually(async () => expect(stage.receiver.at(hook)).toHaveLength(2));
    expect(stage.receiver.at(hook).map(({ raw }) => /[\p{Cf}\p{DI}]/u.test(raw))).toEqual([false, false]);

    await approve(id);
    // The text that was shown is another call.
    expect(await held({ to: String.raw`dana\u{202e}\u{200b}`, [String.raw`no\u{2066}te`]: 'plain' })).not.toBe(id);
    expect((await call(args)).body.content[0]?.text).toBe('pay');
    expect(scenario.up.calls).toEqual([{ tool: 'pay', arguments: args }]);
  });

  it('is recorded from the credential, beside what they call themselves', async () => {
    const id = await held();
    const approver = await scenario.keyOf(['approvals:read', 'approvals:write']);
    await approve(id, approver);
    const who = { decided_by: 'dana', decided_key: prefixOf(approver), requested_key: prefixOf(scenario.tenant) };
    expect(await request(id)).toMatchObject(who);
    const { requests } = (await scenario.tenant.get<{ requests: Request[] }>('/v1/approvals?status=approved')).body;
    expect(requests).toMatchObject([{ request_id: id, ...who }]);
    expect(await audited('approval_approved')).toMatchObject([{ decided_by: 'dana', key: prefixOf(approver) }]);
  });
});

describe('a tenant that forbids it', () => {
  const forbid = (value: unknown, by = scenario.tenant): Promise<Reply> =>
    by.post('/v1/approvals/settings', { forbid_self_approval: value });

  it('has no key decide that asked or opened the session; another may, and the log has the attempt', async () => {
    expect((await scenario.tenant.get('/v1/approvals/settings')).body).toMatchObject({ forbid_self_approval: false });
    const asker = await scenario.keyOf(['proxy:write', 'approvals:read', 'approvals:write']);
    const other = await scenario.keyOf(['approvals:read', 'approvals:write']);
    const first = await held({ n: 1 }, asker);
    // By default whoever asks may decide.
    expect((await approve(first, asker)).status).toBe(200);

    expect((await forbid(true)).body).toMatchObject({ forbid_self_approval: true });
    const id = await held({ n: 2 }, asker);
    for (const key of [asker, scenario.tenant]) {
      for (const decision of ['approve', 'deny']) {
        for (const api of stage.world.apis) {
          const { status, body } = await key.at(api).post(`/v1/approvals/${id}/${decision}`);
          expect([status, body['code']]).toEqual([403, 'self_approval']);
        }
      }
    }
    expect((await request(id)).status).toBe('pending');
    const attempts = await audited('approval_self_decision');
    expect(attempts).toHaveLength(12);
    expect(new Set(attempts.map(({ key }) => key))).toEqual(new Set([prefixOf(asker), prefixOf(scenario.tenant)]));
    expect((await approve(id, other)).status).toBe(200);
    // What is decided or unknown is told as ever.
    expect((await approve(id, asker)).body['code']).toBe('already_decided');
    expect((await approve('apr_nothing', asker)).status).toBe(404);
    expect((await call({ n: 2 }, asker)).body.content[0]?.text).toBe('pay');
  });

  it('has it lifted only by a key that administers', async () => {
    await forbid(true);
    const approver = await scenario.keyOf(['approvals:*']);
    const { status, body } = await forbid(false, approver);
    expect([status, body['required']]).toEqual([403, 'admin:write']);
    expect((await forbid('no')).body['error']).toMatch(/^forbid_self_approval: expected/);
    expect((await approver.get('/v1/approvals/settings')).body).toMatchObject({ forbid_self_approval: true });
    expect((await (await stage.world.newTenant()).get('/v1/approvals/settings')).body).toEqual({
      ...{ forbid_self_approval: false, require_signature_from: null, require_signature_rules: [] },
      destructive_grants: false,
    });
    expect((await forbid(false)).status).toBe(200);
    expect(await audited('approval_settings_changed')).toMatchObject([
      { forbid_self_approval: false, by: prefixOf(scenario.tenant) },
      { forbid_self_approval: true },
    ]);
  });
});
