// The page of a request, in the browser of a person who is signed in.
import {
  type ApprovalPage,
  enrolPasskey,
  type FakeUpstream,
  pageOf,
  pagesOfTests,
  type Person,
  personOf,
  Scenario,
  sharedWorld,
  SoftwareAuthenticator,
  type World,
} from '@haldir/test-support';

let world: World;
let scenario: Scenario<FakeUpstream>;
let request: string;
beforeAll(async () => {
  world = await sharedWorld();
});
beforeEach(async () => {
  scenario = await Scenario.of(world, ['pay']);
  await scenario.tenant.post('/v1/approvals/rules', { type: 'tool_blocked', tools: ['up.pay'] });
  request = await held();
});
afterEach(() => scenario.end());

const openPage = pagesOfTests();
const opened = async ({ url, tokens }: Person, device?: SoftwareAuthenticator): Promise<ApprovalPage> => {
  const page = await openPage(`${url}/approvals/${request}`, tokens, device);
  await page.settled();
  return page;
};
const called = async (): Promise<string> => (await scenario.call('up.pay', { to: 'dana' })).body.content[0]?.text ?? '';
const held = async (): Promise<string> => (JSON.parse(await called()) as { request_id: string }).request_id;

describe('a person who is signed in', () => {
  it('sees the request at once, and approves it without a key or a name: the call is let through, and the log has the person', async () => {
    const alice = await personOf(scenario.tenant, 'approver', 'alice@example.com');
    const page = await opened(alice);
    expect(page.shown()).toMatch(/up\.pay[^]*dana/);
    expect(page.shown()).not.toMatch(/API key|Your name/);
    expect(page.focused()).toBe('request-title');
    page.type('note', 'fine');
    await page.press('Approve');
    expect(page.outcome()).toBe('Approved. You can go back to your agent.');
    expect(await called()).toBe('pay');
    const { body } = await scenario.tenant.get(`/v1/approvals/${request}`);
    expect(body).toMatchObject({ status: 'approved', decided_key: alice.id, decision_note: 'fine' });
    expect((await opened(alice)).outcome()).toBe(`This request was already approved, by the person ${alice.id}.`);
    const log = await scenario.tenant.get<{ entries: { actor?: string }[] }>('/v1/audit?action=approval_approved');
    expect(JSON.stringify(log.body.entries)).toContain('person:alice@example.com');
  });

  it('whose role cannot decide is told so, and may use a key', async () => {
    const page = await opened(await personOf(scenario.tenant, 'auditor'));
    await page.press('Deny');
    expect(page.outcome()).toBe(
      'Whoever is signed in here may see the request, but cannot decide: their role lacks the scope approvals:decide. Another person can.',
    );
    await page.enter(scenario.tenant.key ?? '');
    await page.deny({ by: 'somebody' });
    expect(page.outcome()).toMatch(/^Denied\./);
  });

  it('and is no longer is asked for a key', async () => {
    const person = await personOf(scenario.tenant, 'owner');
    const page = await opened(person);
    await person.post('/v1/me/sign-out', {});
    await page.press('Approve');
    expect(page.outcome()).toMatch(/^You are not signed in any more\./);
    expect(page.focused()).toBe('key');
    expect((await opened(person)).focused()).toBe('key');
    expect((await scenario.tenant.get(`/v1/approvals/${request}`)).body).toMatchObject({ status: 'pending' });
  });

  it('of another tenant is told what is told of a request that never was', async () => {
    const page = await opened(await personOf(await world.newTenant(), 'owner'));
    expect(page.outcome()).toMatch(/^There is no such request for the tenant you are signed in to\./);
  });

  it('signs where it is needed, and is told what to do where they have no passkey', async () => {
    await scenario.tenant.post('/v1/approvals/settings', { forbid_self_approval: false, require_signature_from: 0 });
    const alice = await personOf(scenario.tenant, 'approver', 'alice@example.com');
    const without = await opened(alice, new SoftwareAuthenticator(pageOf(alice.url)));
    await without.press('Approve');
    expect(without.outcome()).toMatch(/^This request is approved with a passkey, and you have none yet\. Make one at \/welcome/);
    const device = await enrolPasskey(alice);
    const another = await opened(alice, new SoftwareAuthenticator(pageOf(alice.url)));
    await another.press('Approve');
    expect(another.outcome()).toMatch(/^Nothing was done: it was cancelled/);
    const old = await opened(alice);
    await old.press('Approve');
    expect(old.outcome()).toMatch(/^This request is approved by a person who signs with a passkey\. This browser cannot/);
    const page = await opened(alice, device);
    page.type('note', 'signed');
    await page.press('Approve');
    expect(page.outcome()).toBe('Approved. You can go back to your agent.');
    expect(page.asked.slice(-3)).toEqual(['/approve', '/approve/options', '/approve'].map((step) => `POST /v1/approvals/${request}${step}`));
    const { body } = await scenario.tenant.get(`/v1/approvals/${request}`);
    expect(body).toMatchObject({ status: 'approved', signed: true, decision_note: 'signed' });
    expect(await called()).toBe('pay');
  }); // prettier-ignore
});

describe('a key', () => {
  it('is told that a person signs, and denies', async () => {
    await scenario.tenant.post('/v1/approvals/settings', { forbid_self_approval: false, require_signature_from: 0 });
    const page = await openPage(`${scenario.tenant.url}/approvals/${request}`);
    await page.enter(scenario.tenant.key ?? '');
    await page.approve({ by: 'somebody' });
    expect(page.outcome()).toMatch(
      /^This request is approved by a person who signs with a passkey\. An API key cannot/,
    );
    await page.enter(scenario.tenant.key ?? '');
    await page.deny({ by: 'somebody' });
    expect(page.outcome()).toMatch(/^Denied\./);
  });
});
