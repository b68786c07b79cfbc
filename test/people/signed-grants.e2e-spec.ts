// Approvals of several calls alike that a person signs with a passkey: what is signed is what is allowed.
import {
  type Client,
  enrolPasskey,
  type FakeUpstream,
  type PasskeyOptionsJson,
  type Person,
  personOf,
  type Reply,
  saying,
  Scenario,
  sharedWorld,
  type SoftwareAuthenticator,
  verifiedExport,
} from '@haldir/test-support';

type Json = Record<string, unknown>;

let scenario: Scenario<FakeUpstream>;
let tenant: Client;
let alice: Person;
let device: SoftwareAuthenticator;
beforeEach(async () => {
  scenario = await Scenario.of(await sharedWorld(), ['pay']);
  ({ tenant } = scenario);
  alice = await personOf(tenant, 'approver', 'alice@example.com');
  device = await enrolPasskey(alice);
  await tenant.post('/v1/approvals/rules', { type: 'all' });
  await tenant.post('/v1/approvals/settings', { forbid_self_approval: false, require_signature_from: 100 });
});
afterEach(() => scenario.end());

const TERMS = { uses: 3, ttl: 600, free_arguments: ['text', 'amount'], total_amount: 250 };
const held = async (args: Json = { amount: 50, text: 'a', to: 'ann' }): Promise<string> =>
  String(saying(await scenario.call('up.pay', args))['request_id']);
const approve = (id: string, body: Json, by: Client = alice): Promise<Reply> =>
  by.post(`/v1/approvals/${id}/approve`, body);
async function signed(id: string, grant?: Json): Promise<object> {
  const { status, body } = await alice.post<PasskeyOptionsJson>(`/v1/approvals/${id}/approve/options`, grant && { grant });
  expect([status, body]).toEqual([200, expect.anything()]);
  return device.get(body);
} // prettier-ignore

it('a grant that may spend so much is signed, though its call may not, and is checked with an export', async () => {
  const id = await held();
  expect((await approve(id, { grant: TERMS })).body).toMatchObject({ code: 'signature_required' });
  expect((await approve(id, { grant: TERMS }, tenant)).body).toMatchObject({ code: 'signature_required' });
  // In another order: what is signed is the same.
  const assertion = await signed(id, { ...TERMS, free_arguments: ['amount', 'text', 'text'] });
  const { status, body } = await approve(id, { grant: TERMS, assertion });
  expect([status, body]).toMatchObject([200, { approved: true, grant_id: expect.stringMatching(/^grt_/) as string }]);
  const [entry] = await scenario.entries('approval_approved');
  expect(entry?.details).toMatchObject({
    request_id: id,
    grant: {
      ...{ id: body['grant_id'], free_arguments: ['amount', 'text'], uses: 3 },
      ...{ total_micros: '250000000', ttl_seconds: 600 },
    },
    signature: { rp_id: 'localhost' },
  });
  expect(await verifiedExport(tenant)).toMatchObject({ outcome: 'intact', signed_decisions: 1 });
});

it('is of these terms, and of an approval with terms: no others pass with it', async () => {
  const id = await held();
  const others: Json[] = [
    ...[{ uses: 4 }, { ttl: 601 }, { total_amount: 250.000001 }, { total_amount: 249 }],
    ...[{ free_arguments: ['amount'] }, { free_arguments: ['amount', 'text', 'to'] }],
  ];
  for (const change of others) {
    const { status, body } = await approve(id, { grant: { ...TERMS, ...change }, assertion: await signed(id, TERMS) });
    expect([change, status, body]).toMatchObject([change, 400, { code: 'signature_not_good' }]);
  }
  expect((await approve(id, { assertion: await signed(id, TERMS) })).body).toMatchObject({ code: 'signature_not_good' });
  expect((await approve(id, { grant: TERMS, assertion: await signed(id) })).body).toMatchObject({
    code: 'signature_not_good',
  });
  expect((await tenant.get(`/v1/approvals/${id}`)).body).toMatchObject({ status: 'pending', signed: false });
  expect((await tenant.get('/v1/approval-grants')).body).toMatchObject({ count: 0 });
  // The call by itself needs no signature, and may have one.
  expect((await approve(id, { assertion: await signed(id) })).status).toBe(200);
  expect(await verifiedExport(tenant)).toMatchObject({ outcome: 'intact', signed_decisions: 1 });
}); // prettier-ignore
