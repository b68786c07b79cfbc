// People decide in a real browser on calls of a real agent, with an upstream that counts what reaches it.
import { type Browser } from 'playwright-core';
import { eventually, type FakeUpstream, Scenario, sharedWorld, type World } from '@haldir/test-support';
import { tokenOf } from '../support/person.js';
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
  const called = async (tool = 'up.pay', args: object = { to: 'dana', usd: 5 }): Promise<string> =>
    (await scenario.call(tool, args)).body.content[0]?.text ?? '';
  const held = async (...call: Parameters<typeof called>): Promise<string> =>
    (JSON.parse(await called(...call)) as { request_id: string }).request_id;
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
    await page.locator('button.approve:enabled').waitFor();
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

  it('a payment is shown in its own currency, also where Haldir has no rate for it', async () => {
    await scenario.tenant.post('/v1/approvals/rules', { type: 'all' });
    const session_id = await scenario.tenant.session({ agent_id: 'agent', scopes: ['spend'] });
    const payment = { session_id, amount: 90_000, currency: 'SEK', description: 'rent' };
    const { body } = await scenario.tenant.post('/v1/payments/authorize', payment);
    expect(body).toMatchObject({ reason: 'approval required' });
    const approver = await visitor('approver');
    const { page } = approver;
    await approver.open('/approvals');
    await page.getByRole('link', { name: 'SEK 90,000.00' }).click();
    await page.getByRole('heading', { name: 'agent wants to pay SEK 90,000.00' }).waitFor();
    await page.getByText('What that is in US dollars is not known.').waitFor();
    expect(await page.getByText('$0.00').count()).toBe(0);
  });

  it('a click that comes when another request is shown decides nothing', async () => {
    const first = await held();
    const second = await held('up.pay', { to: 'eve' });
    const approver = await visitor('approver');
    const { page } = approver;
    await approver.open(`/approvals?request=${first}`);
    await page.getByRole('button', { name: 'Deny' }).click();
    const next = page.getByRole('link', { name: 'Next of 1 that waits' });
    await next.waitFor();
    // However fast the second click is, it is not before this.
    await page.evaluate(`new MutationObserver((_, observer) => {
      const buttons = document.querySelectorAll('button.approve, button.deny');
      for (const button of buttons) button.click();
      if (buttons.length > 0) observer.disconnect();
    }).observe(document, { childList: true, subtree: true })`);
    await next.dblclick();
    await page.getByRole('heading', { name: 'to = "eve"' }).waitFor();
    await page.locator('button.approve:enabled').waitFor();
    expect(await statusOf(second)).toMatchObject({ status: 'pending' });
  });

  it('a decision that could not be sent is not sent later', async () => {
    const id = await held();
    const approver = await visitor('approver');
    const { page, context } = approver;
    await approver.open(`/approvals?request=${id}`);
    await page.locator('button.approve:enabled').waitFor();
    await context.setOffline(true);
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('alert').filter({ hasText: 'could not be reached' }).waitFor();
    await context.setOffline(false);
    // It is read anew, and is what it was.
    await page.reload();
    await page.locator('button.approve:enabled').waitFor();
    expect(await statusOf(id)).toMatchObject({ status: 'pending' });
  });

  it('a tool counts as destructive by its name, whatever its arguments, and what cannot be read is said', async () => {
    const bank = await scenario.upstream('bank', 'send_money');
    await scenario.tenant.post('/v1/approvals/rules', { type: 'tool_blocked', tools: ['bank.send_money'] });
    const long = await held('bank.send_money', { text: 'x'.repeat(20_000) });
    const approver = await visitor('approver');
    const { page } = approver;
    for (const path of ['**/v1/proxy/tools*', '**/v1/approvals/rules*'])
      await page.route(path, (route) => route.abort());
    await approver.open(`/approvals?request=${long}`);
    await page.getByText('This tool is destructive').waitFor();
    await approver.open(`/approvals?request=${await held()}`);
    await page.getByText('It could not be read whether this tool is destructive.').waitFor();
    await page.getByText('It could not be read what the rule or policy says.').waitFor();
    expect(bank.calls).toEqual([]);
  });

  it('whoever signs in in another tab is who is signed in here, and sees nothing that was read as somebody else', async () => {
    const id = await held();
    const auditor = await visitor('auditor');
    const { page, context } = auditor;
    await auditor.open(`/approvals?request=${id}`);
    await page.getByText('You may read this.').waitFor();
    const other = await context.newPage();
    const invited = { email: 'later@example.com', role: 'approver' };
    const { body } = await scenario.tenant.post<{ link: string }>('/v1/people', invited);
    await other.goto(`${auditor.origin}/welcome#${tokenOf(body.link)}`);
    await other.getByRole('button', { name: 'Sign in', exact: true }).click();
    await other.getByText('You are signed in.').first().waitFor();
    await page.getByLabel('Signed in as later@example.com').waitFor();
    await page.locator('button.approve:enabled').waitFor();
    await other.goto(`${auditor.origin}/approvals`);
    await other.locator('.me summary').click();
    await other.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in with a passkey' }).waitFor();
    expect(await page.getByText('dana').count()).toBe(0);
  });

  it('says so while it cannot know what waits', async () => {
    const id = await held();
    const approver = await visitor('approver');
    const { page } = approver;
    for (const path of ['**/v1/events*', '**/v1/approvals/pending*']) await page.route(path, (route) => route.abort());
    await approver.open(`/approvals?request=${id}`);
    await page.getByText('Haldir could not be asked what waits.').waitFor();
    await page.getByRole('button', { name: 'Deny' }).click();
    await page.getByRole('link', { name: 'To what waits' }).waitFor();
    await page.unrouteAll();
    await page.getByText('Haldir could not be asked what waits.').waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'No one else is waiting' }).waitFor({ timeout: SHOWN_MS });
  });
});
