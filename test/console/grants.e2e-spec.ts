// A person approves several calls alike in a real browser, and signs that.
import { type Browser } from 'playwright-core';
import { type FakeUpstream, saying, Scenario, sharedWorld } from '@haldir/test-support';
import { canBrowse, launch, Visitor } from './browser.js';
import { statusOf } from './guests.js';

describe.runIf(canBrowse)('in Chromium', () => {
  let browser: Browser;
  let scenario: Scenario<FakeUpstream>;
  let visitor: Visitor;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    scenario = await Scenario.of(await sharedWorld(), ['pay', 'delete_all']);
    await scenario.tenant.post('/v1/approvals/rules', { type: 'all' });
    visitor = await Visitor.of(browser, scenario.tenant.url, { width: 390 });
  });
  afterEach(async () => {
    await visitor.close();
    await scenario.end();
    expect(visitor.faults).toEqual([]);
  });

  const held = async (args: object, tool = 'up.pay'): Promise<string> =>
    String(saying(await scenario.call(tool, args))['request_id']);
  const isThrough = async (args: object): Promise<boolean> =>
    (await scenario.call('up.pay', args)).body.content[0]?.text === 'pay';

  it('an approver says which arguments may be anything, sees what that would have done, and signs it', async () => {
    await scenario.tenant.post('/v1/approvals/settings', { forbid_self_approval: false, require_signature_from: 0 });
    for (const text of ['a', 'b']) await held({ text, to: 'ann' });
    await held({ text: 'c', to: 'bob' });
    const id = await held({ text: 'd', to: 'ann' });
    const { page } = visitor;
    await visitor.signIn(scenario.tenant, 'approver', 'alice@example.com');
    await page.getByRole('button', { name: 'Make a passkey' }).click();
    await page.getByText('The passkey is made.').waitFor();
    await visitor.open(`/approvals?request=${id}`);
    await page.getByLabel('Approve more of them than this one').check();
    await page.getByText('4 calls of this tool').waitFor();
    await page.getByLabel('text').check();
    await page.getByText('3 were like this, and this would have let 3 through').waitFor();
    await page.getByLabel('Calls in all').fill('2');
    await page.getByText('this would have let 2 through').waitFor();
    await visitor.picture('approvals-grant-390');
    await page.getByRole('button', { name: 'Approve 2 calls' }).click();
    await page.getByText('Approved by you').waitFor();
    const { body } = await scenario.tenant.get<{ grants: object[] }>('/v1/approval-grants');
    expect(body.grants).toMatchObject([{ request_id: id, uses: 2, free_arguments: ['text'], state: 'live' }]);
    expect((await scenario.tenant.get(`/v1/approvals/${id}`)).body).toMatchObject({ signed: true });
    const calls = [{ text: 'x', to: 'bob' }, { text: 'x', to: 'ann' }, { text: 'y', to: 'ann' }, { text: 'z', to: 'ann' }];
    const through: boolean[] = [];
    for (const args of calls) through.push(await isThrough(args));
    expect(through).toEqual([false, true, true, false]);
  }); // prettier-ignore

  it('who allowed what is listed, with how much is left of it and until when, and it is revoked once that was confirmed', async () => {
    const { tenant } = scenario;
    const id = await held({ text: 'a', to: 'ann' });
    const grant = { uses: 3, ttl: 3600, free_arguments: ['text'], total_amount: 5 };
    expect(await tenant.post(`/v1/approvals/${id}/approve`, { decided_by: 'Dana', grant })).toMatchObject({ status: 200 });
    const granted = async (): Promise<Record<string, unknown>> =>
      (await tenant.get<{ grants: Record<string, unknown>[] }>('/v1/approval-grants')).body.grants[0] ?? {};
    const { page } = visitor;
    await visitor.signIn(tenant, 'approver', 'alice@example.com');
    await visitor.open('/approvals');
    await page.locator('#main').getByRole('link', { name: 'Grants' }).click();
    const row = page.getByRole('row').filter({ hasText: 'up.pay' });
    for (const text of ['Calls with any text, and the same to', '3 left', '0 of 3 used', '$5.00 left', 'Dana', /\d+ min/])
      await row.filter({ hasText: text }).waitFor();
    // What is left is counted while it is shown.
    expect(await isThrough({ text: 'b', to: 'ann' })).toBe(true);
    await row.filter({ hasText: '2 left' }).waitFor();

    const auditor = await Visitor.of(browser, tenant.url);
    await auditor.signIn(tenant, 'auditor', 'bob@example.com');
    await auditor.open('/grants');
    await auditor.page.getByText('1 of 3 used').waitFor();
    expect(await auditor.page.getByRole('button', { name: /^Revoke/ }).count()).toBe(0);
    const path = `/v1/approval-grants/${String((await granted())['grant_id'])}`;
    expect(await statusOf(auditor, 'DELETE', path)).toBe(403);
    expect(auditor.faults).toEqual([]);
    await auditor.close();

    const dialog = page.getByRole('dialog', { name: 'Revoke the grant' });
    await row.getByRole('button', { name: 'Revoke the grant for up.pay' }).click();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(await granted()).toMatchObject({ state: 'live', used: 1 });
    await row.getByRole('button', { name: 'Revoke the grant for up.pay' }).click();
    await dialog.getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('No grant is live.').waitFor();
    expect(await granted()).toMatchObject({ state: 'revoked', used: 1 });
    expect(await isThrough({ text: 'c', to: 'ann' })).toBe(false);
    await page.locator('#main').getByRole('link', { name: 'Ended' }).click();
    await row.filter({ hasText: 'Revoked' }).waitFor();
  }); // prettier-ignore

  it('is told why there is none of destructive tools, and is not offered one who may only read', async () => {
    const id = await held({}, 'up.delete_all');
    const { page } = visitor;
    await visitor.signIn(scenario.tenant, 'approver', 'alice@example.com');
    await visitor.open(`/approvals?request=${id}`);
    await page.getByLabel('Approve more of them than this one').check();
    await page.getByRole('alert').filter({ hasText: 'destructive tools are each approved' }).waitFor();
    const auditor = await Visitor.of(browser, scenario.tenant.url);
    await auditor.signIn(scenario.tenant, 'auditor', 'bob@example.com');
    await auditor.open(`/approvals?request=${id}`);
    await auditor.page.getByText('You may read this.').waitFor();
    expect(await auditor.page.getByLabel('Approve more of them than this one').count()).toBe(0);
    await auditor.close();
  });
});
