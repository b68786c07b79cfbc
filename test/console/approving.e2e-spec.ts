// People decide in a real browser on calls of a real agent, with an upstream that counts what reaches it.
import { type Browser } from 'playwright-core';
import { eventually, type FakeUpstream, Scenario, sharedWorld, type World } from '@haldir/test-support';
import { canBrowse, launch, Visitor } from './browser.js';

/** A page that follows the log shows what waits within a second or so; the rest is for machines that are busy. */
const SHOWN_MS = 15_000;

describe.runIf(canBrowse)('in Chromium', () => {
  let world: World;
  let browser: Browser;
  let scenario: Scenario<FakeUpstream>;
  const visitors: Visitor[] = [];
  beforeAll(async () => {
    [world, browser] = await Promise.all([sharedWorld(), launch()]);
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    scenario = await Scenario.of(world, ['pay']);
    await scenario.tenant.post('/v1/approvals/rules', { type: 'tool_blocked', tools: ['up.pay'] });
  });
  afterEach(async () => {
    const opened = visitors.splice(0);
    await Promise.all(opened.map((visitor) => visitor.close()));
    await scenario.end();
    expect(opened.flatMap(({ faults }) => faults)).toEqual([]);
    // Nothing is asked of anybody else.
    for (const { asked, origin } of opened)
      expect(asked.filter((url) => !url.startsWith(`${origin}/`) && !url.startsWith('blob:'))).toEqual([]);
  });

  const visitor = async (role: string, options: Parameters<typeof Visitor.of>[2] = {}): Promise<Visitor> => {
    const { url } = scenario.tenant;
    const made = await Visitor.of(browser, url, options);
    visitors.push(made);
    await made.signIn(scenario.tenant, role, `${role}${visitors.length}@example.com`);
    return made;
  };
  const called = async (): Promise<string> =>
    (await scenario.call('up.pay', { to: 'dana', usd: 5 })).body.content[0]?.text ?? '';
  const held = async (): Promise<string> => (JSON.parse(await called()) as { request_id: string }).request_id;
  const statusOf = async (id: string): Promise<unknown> => (await scenario.tenant.get(`/v1/approvals/${id}`)).body;

  it('an invited approver makes a passkey, signs in with it, sees a call that is held, and approves it: it is made once', async () => {
    const { page, ...alice } = await visitor('approver');
    await page.getByRole('button', { name: 'Make a passkey' }).click();
    await page.getByText('The passkey is made.').waitFor();
    await page.getByRole('link', { name: 'Open the console' }).click();
    await page.getByText('No one is waiting.').waitFor();
    expect(new URL(page.url()).pathname).toBe('/approvals');
    await page.locator('.me summary').click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByText('No one is waiting.').waitFor();

    const id = await held();
    const row = page.getByRole('link', { name: /agent.*up\.pay/ });
    await row.waitFor({ timeout: SHOWN_MS });
    await eventually(async () => expect(await page.title()).toBe('(1) Approvals · Haldir'), SHOWN_MS);
    await row.click();
    await page.getByRole('heading', { name: 'agent wants to run up.pay with to = "dana", usd = 5' }).waitFor();
    await page.getByText('Calls of this tool wait for a human.').waitFor();
    await page.getByLabel(/^Reason/).fill('fine');
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByText('Approved by you.').waitFor();
    expect(await statusOf(id)).toMatchObject({ status: 'approved', decision_note: 'fine' });
    expect(scenario.up.calls).toEqual([]);
    expect(await called()).toBe('pay');
    expect(scenario.up.calls).toEqual([{ tool: 'pay', arguments: { to: 'dana', usd: 5 } }]);
    await page.getByText('Its call was let through.').waitFor({ timeout: SHOWN_MS });
    expect(page.url()).not.toMatch(/hld_|ses_/);
    expect(alice.faults).toEqual([]);
  });

  it('an approver denies on a phone, where both buttons are in sight at once, and the call is not made', async () => {
    const { page, origin } = await visitor('approver', { width: 390 });
    const id = await held();
    await page.goto(`${origin}/approvals?request=${id}`);
    for (const name of ['Approve', 'Deny'])
      expect(await page.getByRole('button', { name }).boundingBox()).toMatchObject({ x: expect.any(Number) });
    const box = await page.getByRole('button', { name: 'Deny' }).boundingBox();
    expect((box?.y ?? Infinity) + (box?.height ?? 0)).toBeLessThanOrEqual(844);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    await page.getByRole('button', { name: 'Deny' }).click();
    await page.getByText('Denied by you.').waitFor();
    expect(await statusOf(id)).toMatchObject({ status: 'denied' });
    expect(scenario.up.calls).toEqual([]);
  });

  it('where it has to be signed, whoever has a passkey signs it with that, and whoever has none is told so', async () => {
    const settings = { forbid_self_approval: false, require_signature_from: 0 };
    expect(await scenario.tenant.post('/v1/approvals/settings', settings)).toMatchObject({ status: 200 });
    const id = await held();
    const bare = await visitor('approver');
    await bare.open(`/approvals?request=${id}`);
    await bare.page.getByRole('button', { name: 'Approve' }).click();
    await bare.page.getByRole('alert').filter({ hasText: 'you have none yet' }).waitFor();
    const signer = await visitor('approver');
    const { page } = signer;
    await page.getByRole('button', { name: 'Make a passkey' }).click();
    await page.getByText('The passkey is made.').waitFor();
    await signer.open(`/approvals?request=${id}`);
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByText('Approved by you.').waitFor();
    expect(await statusOf(id)).toMatchObject({ status: 'approved', signed: true });
  });

  it('whoever is too late is told who decided', async () => {
    const id = await held();
    const [first, second] = [await visitor('approver'), await visitor('approver')];
    // It hears of nothing, so that it still has the buttons.
    await second.page.route('**/v1/events*', (route) => route.abort());
    for (const each of [first, second]) await each.open(`/approvals?request=${id}`);
    await second.page.getByRole('button', { name: 'Deny' }).waitFor();
    await first.page.getByRole('button', { name: 'Approve' }).click();
    await first.page.getByText('Approved by you.').waitFor();
    await second.page.getByRole('button', { name: 'Deny' }).click();
    await second.page.getByText('Approved by approver1@example.com').waitFor();
    expect(await statusOf(id)).toMatchObject({ status: 'approved' });
  });

  it('an auditor sees all of it, has nothing to press, and is refused whatever is posted', async () => {
    const id = await held();
    const auditor = await visitor('auditor');
    await auditor.open(`/approvals?request=${id}`);
    await auditor.page.getByText('You may read this.').waitFor();
    expect(await auditor.page.getByRole('button', { name: /Approve|Deny/ }).count()).toBe(0);
    for (const path of [
      ...[`/v1/approvals/${id}/approve`, `/v1/approvals/${id}/deny`, '/v1/approvals/rules', '/v1/proxy/policies'],
      ...['/v1/keys', '/v1/people', '/v1/secrets', '/v1/sessions', '/v1/webhooks'],
    ]) {
      const status = await auditor.page.evaluate(`fetch(${JSON.stringify(path)}, { method: 'POST', body: '{}',
        headers: { 'content-type': 'application/json', 'x-haldir-page': localStorage.getItem('haldir.page') } })
        .then((answer) => answer.status)`);
      expect([path, status]).toEqual([path, 403]);
    }
    expect(await statusOf(id)).toMatchObject({ status: 'pending' });
  });

  it('the keyboard alone decides', async () => {
    const id = await held();
    const { page, ...approver } = await visitor('approver');
    await page.goto(`${approver.origin}/approvals`);
    await page.getByRole('link', { name: /up\.pay/ }).waitFor();
    const focused = (): Promise<unknown> => page.evaluate('document.activeElement.textContent');
    const tabTo = async (text: RegExp): Promise<void> => {
      for (let presses = 0; presses < 40; presses++) {
        if (text.test(String(await focused()))) return;
        await page.keyboard.press('Tab');
      }
      throw new Error(`nobody gets to ${text} by Tab`);
    };
    await tabTo(/^agent wants up\.pay/);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Approve' }).waitFor();
    await tabTo(/^Approve$/);
    await page.keyboard.press('Enter');
    await page.getByText('Approved by you.').waitFor();
    expect(String(await focused())).toMatch(/^Approved by you/);
    expect(await statusOf(id)).toMatchObject({ status: 'approved' });
  });

  it('what comes meanwhile moves nothing that is being read', async () => {
    await held();
    const { page, origin } = await visitor('approver');
    await page.goto(`${origin}/approvals`);
    await page.getByRole('link', { name: /up\.pay/ }).waitFor();
    await scenario.call('up.pay', { to: 'eve' });
    const pill = page.getByRole('button', { name: '1 new — show' });
    await pill.waitFor({ timeout: SHOWN_MS });
    expect(await page.getByRole('link', { name: /up\.pay/ }).count()).toBe(1);
    await pill.click();
    expect(await page.getByRole('link', { name: /up\.pay/ }).count()).toBe(2);
  });
});
