// Decisions that a person signs with a passkey, over two processes.
import {
  type AppProcess,
  byStatus,
  Client,
  enrolPasskey,
  type FakeUpstream,
  type Otherwise,
  pageOf,
  type PasskeyOptionsJson,
  type Person,
  personOf,
  type Reply,
  saying,
  Scenario,
  sharedWorld,
  SoftwareAuthenticator,
  verifiedExport,
  type World,
} from '@haldir/test-support';

type Json = Record<string, unknown>;
type Step = 'approve' | 'deny';
interface Decided {
  action: string;
  details: string;
  actor: string;
}

let world: World;
let scenario: Scenario<FakeUpstream>;
let tenant: Client;
let alice: Person;
let device: SoftwareAuthenticator;
beforeAll(async () => {
  world = await sharedWorld();
});
beforeEach(async () => {
  scenario = await Scenario.of(world, ['pay']);
  ({ tenant } = scenario);
  alice = await personOf(tenant, 'approver', 'alice@example.com');
  device = await enrolPasskey(alice);
  await set({ require_signature_from: 100 });
});
afterEach(() => scenario.end());

const set = async (more: Json): Promise<Json> => {
  const { status, body } = await tenant.post('/v1/approvals/settings', { forbid_self_approval: false, ...more });
  expect([status, body]).toEqual([200, expect.anything()]);
  return body;
};
const there = (): AppProcess => world.apis[1] as AppProcess;
/** A request that an agent makes of its own accord. */
const ask = async (amount = 500): Promise<string> =>
  (await tenant.post<{ request_id: string }>('/v1/approvals/request', { session_id: scenario.session, tool: 'pay', amount }))
    .body.request_id; // prettier-ignore
/** The request that a call waits for; null for one that is let through. */
const held = async (args: Json = { amount: 500 }): Promise<string | null> => {
  const answer = await scenario.call('up.pay', args);
  return answer.body.content[0]?.text === 'pay' ? null : String(saying(answer)['request_id']);
};
const optionsOf = (id: string, by: Client = alice, step: Step = 'approve'): Promise<Reply<PasskeyOptionsJson>> =>
  by.post<PasskeyOptionsJson>(`/v1/approvals/${id}/${step}/options`);
const send = (id: string, more: Json = {}, by: Client = alice, step: Step = 'approve'): Promise<Reply> =>
  by.post(`/v1/approvals/${id}/${step}`, { note: 'fine', ...more });
/** What the device makes of the options that it is given now. */
async function signed(id: string, otherwise: Otherwise = {}, step: Step = 'approve', by = device): Promise<object> {
  const { status, body } = await optionsOf(id, alice, step);
  expect([status, body]).toEqual([200, expect.anything()]);
  return by.get(body, otherwise);
}
const statusOf = async (id: string): Promise<Json> => (await tenant.get(`/v1/approvals/${id}`)).body;
const decisions = async (): Promise<Decided[]> =>
  (await tenant.get<{ entries: Decided[] }>('/v1/audit?limit=100&tool=haldir.approvals')).body.entries.filter(
    ({ action }) => action === 'approval_approved' || action === 'approval_denied',
  );
const NOT_GOOD = { code: 'signature_not_good', field: 'assertion' };
async function refused(id: string, assertion: object, by: Client = alice, step: Step = 'approve'): Promise<void> {
  const { status, body } = await send(id, { assertion }, by, step);
  expect([status, body]).toMatchObject([400, NOT_GOOD]);
  expect(await statusOf(id)).toMatchObject({ status: 'pending', signed: false });
}

describe('an approval that has to be signed', () => {
  it('is signed at one process and decided at another, and anybody checks it with an export and the key of the log', async () => {
    await tenant.post('/v1/approvals/rules', { type: 'spend_over', threshold: 50 });
    const id = String(await held());
    const { digest } = await statusOf(id);
    expect((await send(id)).body).toMatchObject({ code: 'signature_required' });
    const { body: options } = await optionsOf(id);
    expect(options).toMatchObject({
      ...{ rpId: 'localhost', userVerification: 'required', timeout: 300_000 },
      allowCredentials: [{ type: 'public-key', id: device.credentialId.toString('base64url') }],
    });
    const assertion = device.get(options, { origin: pageOf(there().url) });
    expect((await send(id, { assertion }, alice.at(there()))).body).toEqual({ approved: true, request_id: id });
    expect(await statusOf(id)).toMatchObject({ status: 'approved', signed: true, decided_key: alice.id });
    expect(await held()).toBeNull();

    const [entry] = await decisions();
    expect(entry?.actor).toBe('person:alice@example.com');
    const details = JSON.parse(entry?.details ?? '') as Json;
    const { response } = assertion;
    expect(details).toMatchObject({
      ...{ request_id: id, digest },
      signature: {
        ...{ nonce: expect.stringMatching(/^[0-9a-f]{32}$/) as string, rp_id: 'localhost' },
        ...{ passkey_id: expect.stringMatching(/^psk_/) as string, credential_id: assertion.id },
        ...{ authenticator_data: response.authenticatorData, client_data_json: response.clientDataJSON },
        signature: response.signature,
      },
    });
    const [row] = await world.sql<{ signature: Json }>('SELECT signature FROM approval_request WHERE id = $1', [id]);
    expect(row?.signature).toEqual(details['signature']);

    // One more, which is denied and signed, and one that nobody signed.
    const denied = await ask();
    expect((await send(denied, { assertion: await signed(denied, {}, 'deny') }, alice, 'deny')).status).toBe(200);
    expect((await send(await ask(1))).status).toBe(200);
    expect(await verifiedExport(tenant)).toMatchObject({ outcome: 'intact', signed_decisions: 2, erased_decisions: 0 });
  });

  it('is for one request: not for a second identical call, nor for the other decision', async () => {
    await tenant.post('/v1/approvals/rules', { type: 'all' });
    const first = String(await held());
    const assertion = await signed(first);
    await refused(first, assertion, alice, 'deny');
    expect((await send(first, { assertion })).status).toBe(200);
    expect(await held()).toBeNull();
    const second = String(await held());
    expect(second).not.toBe(first);
    expect((await statusOf(second))['digest']).toBe((await statusOf(first))['digest']);
    await refused(second, assertion);
    await optionsOf(second);
    await refused(second, assertion);
    // Of the denial, where approving needs one.
    const denial = await signed(second, {}, 'deny');
    await refused(second, denial);
    await world.sql(`UPDATE approval_request SET digest = decode(repeat('ab', 32), 'hex') WHERE id = $1`, [second]);
    await refused(second, denial, alice, 'deny');
  });

  it('is over after five minutes, or once another was asked for, or it was used', async () => {
    const id = await ask();
    const moved = (seconds: number): Promise<unknown> =>
      world.sql(`UPDATE decision_challenge SET expires_at = expires_at - $2 * interval '1 second' WHERE request_id = $1`, [id, seconds]); // prettier-ignore
    const late = await signed(id);
    const [row] = await world.sql<{ left: number }>(
      'SELECT extract(epoch FROM expires_at - clock_timestamp())::float AS left FROM decision_challenge WHERE request_id = $1',
      [id],
    );
    expect(row?.left).toBeLessThanOrEqual(300);
    await moved(300);
    await refused(id, late);
    const replaced = await signed(id);
    const good = await signed(id);
    await refused(id, replaced);
    expect((await send(id, { assertion: good })).status).toBe(200);
    expect((await send(id, { assertion: good })).body).toMatchObject({ code: 'already_decided' });
    expect((await optionsOf(id)).body).toMatchObject({ code: 'already_decided' });
    await world.sql(
      `UPDATE approval_request SET status = 'pending', decided_at = NULL, signature = NULL WHERE id = $1`,
      [id],
    );
    await refused(id, good);
  });

  it('is of the person who is signed in, by an enrolled passkey as it was enrolled, at a page of Haldir’s own', async () => {
    const id = await ask();
    const bob = await personOf(tenant, 'approver', 'bob@example.com');
    const ofBob = await enrolPasskey(bob);
    const wrong: Otherwise[] = [
      ...[{ isVerified: false }, { origin: 'https://evil.example' }, { origin: pageOf(there().url) }],
      ...[{ rpId: 'evil.example' }, { type: 'webauthn.create' }, { crossOrigin: true }, { challenge: 'AAAA' }],
    ];
    for (const otherwise of wrong) await refused(id, await signed(id, otherwise));
    // Another's passkey, for what they were asked and for what Alice was.
    await refused(id, await signed(id, {}, 'approve', ofBob));
    await refused(id, ofBob.get((await optionsOf(id, bob)).body));
    await refused(id, await signed(id), bob);
    const { credentialId } = device;
    await refused(id, await signed(id, {}, 'approve', new SoftwareAuthenticator(pageOf(tenant.url), { credentialId })));
    await refused(id, await signed(id, {}, 'approve', new SoftwareAuthenticator(pageOf(tenant.url))));
    // A row that was edited.
    const forged = new SoftwareAuthenticator(pageOf(tenant.url), { credentialId });
    await world.sql('UPDATE passkey SET public_key = $2 WHERE person_id = $1', [alice.id, forged.coseKey()]);
    await refused(id, await signed(id, {}, 'approve', forged));
    await world.sql('UPDATE passkey SET public_key = $2 WHERE person_id = $1', [alice.id, device.coseKey()]);
    const assertion = await signed(id);
    for (const bad of [null, 'x', {}, { ...assertion, id: '!' }, { ...assertion, response: {} }])
      expect((await send(id, { assertion: bad })).body).toMatchObject({ field: expect.stringMatching(/^assertion/) as string }); // prettier-ignore
    expect((await send(id, { assertion })).status).toBe(200);
  });

  it('decides once, however often it is sent to two processes at once', async () => {
    const id = await ask();
    const { body } = await optionsOf(id);
    const assertions = world.apis.map(({ url }) => device.get(body, { origin: pageOf(url), counter: 0 }));
    const replies = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        send(id, { assertion: assertions[i % 2] }, alice.at(world.apis[i % 2] as AppProcess)),
      ),
    );
    expect(byStatus(replies)).toEqual({ 200: 1, 400: 49 });
    expect(await decisions()).toHaveLength(1);
    expect(await verifiedExport(tenant)).toMatchObject({ outcome: 'intact', signed_decisions: 1 });
  });

  it('no key approves, whatever it sends; denying is for everybody who decides', async () => {
    const id = await ask();
    const assertion = await signed(id);
    const [owner, approver] = [tenant, await scenario.keyOf(['approvals:*'])];
    for (const key of [owner, approver]) {
      const { status, body } = await send(id, {}, key);
      expect([status, body]).toMatchObject([403, { code: 'signature_required' }]);
      expect((await send(id, { assertion }, key)).body).toMatchObject({ field: 'assertion' });
      expect((await optionsOf(id, key)).body).toMatchObject({ code: 'person_needed' });
    }
    const auditor = await personOf(tenant, 'auditor');
    expect((await optionsOf(id, auditor)).body).toMatchObject({ code: 'insufficient_scope' });
    const agent = { agent_id: 'a', scopes: ['execute'], ttl: 600, spend_limit: 1 };
    const { body } = await tenant.post<{ key: string }>('/v1/keys', { agent });
    expect((await optionsOf(id, new Client(tenant.url, body.key))).body).toMatchObject({ code: 'agent_key_not_allowed' });
    const stranger = await personOf(await world.newTenant(), 'owner');
    expect((await optionsOf(id, stranger)).status).toBe(404);
    expect(await statusOf(id)).toMatchObject({ status: 'pending' });
    expect((await send(id, {}, approver, 'deny')).status).toBe(200);
    // Somebody without a passkey is told so, and can deny.
    const [bob, other] = [await personOf(tenant, 'approver', 'bob@example.com'), await ask()];
    expect([(await optionsOf(other, bob)).status, (await optionsOf(other, bob)).body]).toMatchObject([409, { code: 'no_passkey' }]); // prettier-ignore
    expect((await send(other, {}, bob, 'deny')).status).toBe(200);
    expect((await decisions()).map(({ action }) => action)).toEqual(['approval_denied', 'approval_denied']);
    expect(await verifiedExport(tenant)).toMatchObject({ outcome: 'intact', signed_decisions: 0 });
  }); // prettier-ignore
});

describe('a signature', () => {
  it('is needed from an amount on, for an amount that is not clear, and for each rule or policy that holds a call back', async () => {
    const codeOf = async (id: string): Promise<unknown> => (await send(id)).body['code'] ?? 'approved';
    expect(await codeOf(await ask(99.999999))).toBe('approved');
    expect(await codeOf(await ask(100))).toBe('signature_required');
    const rule = async (body: Json): Promise<string> => String((await tenant.post('/v1/approvals/rules', body)).body['id']);
    await rule({ type: 'all' });
    expect(await codeOf(String(await held({ amount: '12 USD' })))).toBe('signature_required');
    expect(await codeOf(String(await held({ amount: 5 })))).toBe('approved');
    // What is named as the reason is the first rule, in each of these.
    const [over, policy] = [await rule({ type: 'spend_over', threshold: 50 }), await scenario.policy('require_approval', {})];
    expect(await set({ require_signature_from: null, require_signature_rules: [over] })).toMatchObject({ require_signature_from: null });
    expect(await codeOf(String(await held({ amount: 51 })))).toBe('signature_required');
    expect(await codeOf(String(await held({ amount: 49 })))).toBe('approved');
    await set({ require_signature_rules: [policy] });
    expect(await codeOf(String(await held({ amount: 48 })))).toBe('signature_required');
    // What is left out stays; the empty list takes it away.
    expect(await set({})).toMatchObject({ require_signature_rules: [policy], require_signature_from: null });
    await set({ require_signature_rules: [] });
    expect(await codeOf(String(await held({ amount: 48 })))).toBe('approved');
    await set({ require_signature_from: 0 });
    expect(await codeOf(await ask(0))).toBe('signature_required');
    // Of a currency without a rate nobody knows what it is worth.
    await set({ require_signature_from: 1_000_000 });
    const paying = { session_id: await tenant.session({ scopes: ['spend'] }), amount: 5, currency: 'GBP' };
    const { body: payment } = await tenant.post('/v1/payments/authorize', paying);
    expect(await codeOf(String(payment['request_id']))).toBe('signature_required');
  }); // prettier-ignore

  it('is asked for by settings that can be read, and bad ones are refused by name', async () => {
    const settings = async (): Promise<Json> => (await tenant.get('/v1/approvals/settings')).body;
    expect(await settings()).toEqual({
      ...{ forbid_self_approval: false, require_signature_from: 100, require_signature_rules: [] },
      destructive_grants: false,
    });
    const bad: [string, unknown[]][] = [
      ['require_signature_from', [-1, 'x', 1e10, 0.0000001, true]],
      ['destructive_grants', ['x', null, 1]],
      ['require_signature_rules', [null, 'apl_1', ['x'], ['apl_unknown'], [7], Array(501).fill('pol_1')]],
    ];
    for (const [field, values] of bad) {
      for (const value of values) {
        const { status, body } = await tenant.post('/v1/approvals/settings', { forbid_self_approval: true, [field]: value }); // prettier-ignore
        expect([value, status, body['field']]).toEqual([value, 400, expect.stringContaining(field)]);
      }
    }
    expect(await settings()).toMatchObject({ forbid_self_approval: false, require_signature_from: 100 });
    const { body } = await tenant.get<{ entries: Decided[] }>('/v1/audit?action=approval_settings_changed&limit=1');
    expect(JSON.parse(body.entries[0]?.details ?? '')).toMatchObject({ require_signature_from: 100 });
  });
});
