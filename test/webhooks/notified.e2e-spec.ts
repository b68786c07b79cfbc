import { eventually, type FakeUpstream, saidBy, saying, Scenario } from '@haldir/test-support';
import { deliveryWorld, Endpoint } from './endpoint.js';

const here = deliveryWorld();
let scenario: Scenario<FakeUpstream>;
beforeEach(async () => {
  scenario = await Scenario.of(here.world, ['echo']);
  await scenario.tenant.post('/v1/approvals/rules', { type: 'all' });
});
afterEach(() => scenario.end());

type Said = Record<string, unknown>;
const overRest = async (): Promise<Said> => saying(await scenario.call('echo', { n: 1 }));
const checked = async (id: unknown): Promise<Said> =>
  (await scenario.tenant.get<Said>(`/v1/approvals/${String(id)}`)).body;

describe('what a held call is answered', () => {
  it('does not claim to know whom nobody knows yet, and says then that nobody was told, on every way to ask', async () => {
    const first = await overRest();
    expect(first).toMatchObject({ status: 'approval_required', notified: 'pending' });
    const { request_id: id } = first;
    await eventually(async () => expect(await checked(id)).toMatchObject({ told: 0, notified: 'nobody' }));
    expect(await overRest()).toMatchObject({
      ...{ request_id: id, notified: 'nobody', message: expect.stringContaining('tell a human yourself') },
    });
    const agent = scenario.agent();
    const said = { notified: 'nobody', message: expect.stringContaining('tell a human yourself') };
    expect(saidBy(await agent.call('up.echo', { n: 1 }))).toMatchObject({ request_id: id, ...said });
    expect(saidBy(await agent.call('checkApproval', { request_id: id }))).toMatchObject({
      told: 0,
      notified: 'nobody',
    });
  });

  it('says that somebody was told once one has taken it, and never who', async () => {
    const endpoint = await Endpoint.of(here.receiver, scenario.tenant, { events: ['approval_requested'] });
    // Until it is let go on nobody has taken it.
    let take: () => void = () => undefined;
    const taken = new Promise<void>((resolve) => (take = resolve));
    here.receiver.answer(endpoint.path, () => taken.then(() => 204));
    const { request_id: id } = await overRest();
    await endpoint.received(1);
    expect(await overRest()).toMatchObject({ notified: 'pending' });
    take();
    await eventually(async () => expect(await checked(id)).toMatchObject({ told: 1, notified: 'somebody' }), 60_000);
    const [rest, mcp] = [await overRest(), saidBy(await scenario.agent().call('up.echo', { n: 1 }))];
    for (const said of [rest, mcp]) {
      expect(said).toMatchObject({ request_id: id, notified: 'somebody' });
      expect(JSON.stringify(said)).not.toMatch(/yourself|endpoint-|whk_/);
    }
  });

  it('is of its own tenant: what others are told of changes nothing', async () => {
    const other = await here.world.newTenant();
    await Endpoint.of(here.receiver, other, { events: ['approval_requested'] });
    const { request_id: id } = await overRest();
    await eventually(async () => expect(await checked(id)).toMatchObject({ notified: 'nobody' }));
  });
});

it('a payment that waits is answered it, too', async () => {
  const payer = await scenario.tenant.session({ agent_id: 'payer', spend_limit: 100 });
  const pay = async (): Promise<Said> =>
    (await scenario.tenant.post<Said>('/v1/payments/authorize', { session_id: payer, amount: 3 })).body;
  const first = await pay();
  expect(first).toMatchObject({ authorized: false, notified: 'pending' });
  await eventually(async () =>
    expect(await pay()).toMatchObject({ request_id: first['request_id'], notified: 'nobody' }),
  );
});

it('of a request whose deliveries are not kept any more nothing is claimed', async () => {
  await Endpoint.of(here.receiver, scenario.tenant, { events: ['approval_requested'] });
  const { request_id: id } = await overRest();
  await eventually(async () => expect(await checked(id)).toMatchObject({ notified: 'somebody' }), 60_000);
  const tenant = await here.world.tenantOf(scenario.tenant);
  await here.world.sql('DELETE FROM webhook_delivery WHERE tenant_id = $1', [tenant]);
  await here.world.sql(`UPDATE approval_request SET created_at = now() - interval '31 days' WHERE id = $1`, [id]);
  const { told, notified } = await checked(id);
  expect([told, notified]).toEqual([0, undefined]);
});
