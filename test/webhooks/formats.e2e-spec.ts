import { eventually } from '@haldir/test-support';
import { requestApproval, type Body, deliveryWorld } from './endpoint.js';

const PUBLIC_URL = 'https://haldir.example.com';

const here = deliveryWorld({ HALDIR_PUBLIC_URL: PUBLIC_URL });
const { register } = here;

describe.each(['slack', 'teams'] as const)('an endpoint of %s', (format) => {
  it('is sent a message that says what waits and where it is decided, signed as ever and the same when it is repeated', async () => {
    const tenant = await here.world.newTenant();
    const endpoint = await register(tenant, { format });
    let answered = 0;
    here.receiver.answer(endpoint.path, () => (answered++ === 0 ? 503 : 200));
    const id = await requestApproval(tenant, { tool: 'crm', action: 'drop', reason: 'spring <!channel>', amount: 2.5 });
    const [first, second] = await endpoint.received(2, 60_000);
    expect(first?.raw).toBe(second?.raw);
    expect(first?.headers).toMatchObject({ 'webhook-id': second?.id, 'x-haldir-event': 'approval_requested' });
    await eventually(async () =>
      expect((await tenant.get(`/v1/approvals/${id}`)).body).toMatchObject({ status: 'pending', told: 1 }),
    );
    const raw = first?.raw ?? '';
    for (const text of ['Approval requested', 'asker', 'crm', 'drop', '2.5 USD']) expect(raw).toContain(text);
    expect(raw).toContain(`${PUBLIC_URL}/approvals/${id}`);
    expect(raw).not.toContain('event_id');
    expect(Object.keys(first?.body ?? {})).toEqual(format === 'slack' ? ['text', 'blocks'] : ['type', 'attachments']);
  });

  it('is sent the test event', async () => {
    const endpoint = await register(await here.world.newTenant(), { format });
    await endpoint.test();
    const [arrival] = await endpoint.received(1);
    expect(arrival?.raw).toContain('This is a test event from Haldir');
    expect(await endpoint.attempts(1)).toMatchObject([{ status: 'delivered', event: 'webhook_test' }]);
  });
});

it('the format is shown, changed for what comes from then on, and stays when something else is changed', async () => {
  const tenant = await here.world.newTenant();
  const endpoint = await register(tenant);
  expect([endpoint.registered['format'], (await endpoint.shown())?.['format']]).toEqual(['haldir', 'haldir']);
  const change = (body: Body) => tenant.send('PATCH', `/v1/webhooks/${endpoint.id}`, body);

  here.receiver.expectMessages(endpoint.id);
  expect((await change({ format: 'slack' })).body).toMatchObject({ format: 'slack' });
  expect((await change({ name: 'other' })).body).toMatchObject({ format: 'slack', name: 'other' });
  await endpoint.test();
  expect((await endpoint.received(1))[0]?.body).toHaveProperty('blocks');

  const { body } = await tenant.get<{ entries: { action: string; details: string }[] }>(
    '/v1/audit?action=webhook_changed',
  );
  expect(body.entries.map(({ details }) => details).join()).toContain('"format":"slack"');
});

it.each(['discord', '', null, 5, ['slack']])('a format that is none (%j) is refused by its name', async (format) => {
  const tenant = await here.world.newTenant();
  const endpoint = await register(tenant);
  for (const answer of [
    await tenant.post('/v1/webhooks', { url: here.receiver.url('none'), format }),
    await tenant.send('PATCH', `/v1/webhooks/${endpoint.id}`, { format }),
  ]) {
    expect([answer.status, answer.body['error']]).toEqual([400, 'format: expected one of haldir, slack, teams']);
  }
  expect((await endpoint.shown())?.['format']).toBe('haldir');
});
