// Who is told is set up, and what went wrong is found and made good, in a real browser; receivers and the worker are real.
import { type Browser } from 'playwright-core';
import { eventually } from '@haldir/test-support';
import { deliveryWorld, requestApproval } from '../webhooks/endpoint.js';
import { canBrowse, launch } from './browser.js';
import { Guests, statusOf } from './guests.js';

/** What was sent is written down, and read anew, within seconds; the rest is for machines that are busy. */
const SHOWN = { timeout: 30_000 };

describe.runIf(canBrowse)('in Chromium', () => {
  const here = deliveryWorld();
  let browser: Browser;
  let guests: Guests;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());
  beforeEach(() => {
    guests = new Guests(browser);
  });
  afterEach(() => guests.leave());

  it('finds the webhook that fails, why, and resends what was missed, in two steps', async () => {
    const tenant = await here.world.newTenant();
    await here.register(tenant, { name: 'good' });
    const bad = await here.register(tenant, { name: 'bad' });
    let isGone = true;
    here.receiver.answer(bad.path, () => (isGone ? 410 : 204));
    await requestApproval(tenant);
    await eventually(async () => expect(await bad.shown()).toMatchObject({ active: false }), SHOWN.timeout);
    await requestApproval(tenant);
    isGone = false;
    const operator = await guests.invite(tenant, 'operator');
    const { page } = operator;
    await page.goto(`${operator.origin}/approvals`);
    await page.getByRole('link', { name: /asker/ }).first().waitFor();
    // 1
    await page.getByRole('link', { name: 'Endpoints' }).click();
    const row = page.locator('.policy', { hasText: 'bad' });
    await row.getByText('Switched off: it answered that it is gone (410)').waitFor();
    await row.getByText('HTTP 410').waitFor();
    await page.locator('.policy', { hasText: 'good' }).getByText('Works').waitFor();
    // 2
    await row.getByRole('button', { name: 'Switch on, resend what it missed' }).click();
    // What it missed is told to it, that it was switched off included.
    await eventually(
      () => expect(new Set(bad.arrivals.map(({ id }) => id)).size).toBeGreaterThanOrEqual(2),
      SHOWN.timeout,
    );
    await row.getByText('Works').waitFor(SHOWN);
    expect(await bad.shown()).toMatchObject({ active: true });
  });

  it('is added, its secret shown once; it is tested, paused, and goes on', async () => {
    const tenant = await here.world.newTenant();
    const operator = await guests.invite(tenant, 'operator');
    const { page } = operator;
    await operator.open('/webhooks');
    await page.getByText('Nobody is told of anything yet.').waitFor();
    await page.getByRole('link', { name: 'Add a webhook' }).click();
    await page.getByLabel('Address').fill(here.receiver.url('added'));
    await page.getByLabel('Name').fill('my program');
    await page.getByLabel('Something waits for a human').check();
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('It is shown here, and never again').waitFor();
    const secret = await page.locator('.copied .said').innerText();
    const [webhook] = (await tenant.get<{ webhooks: { webhook_id: number; events: string[] }[] }>('/v1/webhooks')).body
      .webhooks;
    expect(webhook?.events).toEqual(['approval_requested']);
    here.receiver.expectSecrets(webhook?.webhook_id ?? 0, [secret]);
    await page.getByRole('button', { name: 'I have it' }).click();
    await page.getByRole('heading', { name: 'my program' }).waitFor();
    await page.getByText('It was not sent anything yet.').waitFor();
    expect(await page.evaluate('document.body.innerText')).not.toContain(secret);

    await page.getByRole('button', { name: 'Send a test event' }).click();
    const attempts = page.getByRole('table', { name: 'Attempts' });
    await attempts.getByText('webhook_test').waitFor(SHOWN);
    await attempts.getByText('HTTP 204').waitFor();
    await attempts.getByRole('button', { name: 'Resend webhook_test, attempt 1' }).click();
    await eventually(() => expect(here.receiver.at('added')).toHaveLength(2), SHOWN.timeout);
    expect(new Set(here.receiver.at('added').map(({ id }) => id)).size).toBe(1);

    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused; its events are kept').waitFor();
    expect(await page.getByRole('button', { name: 'Send a test event' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByText('Works').waitFor();
  });

  it('its secret is rotated, the one of before signs for as long as was chosen; it is changed, and deleted by its name', async () => {
    const tenant = await here.world.newTenant();
    const endpoint = await here.register(tenant, { name: 'my program' });
    const operator = await guests.invite(tenant, 'operator');
    const { page } = operator;
    await operator.open(`/webhooks?webhook=${endpoint.id}`);
    await page.getByRole('button', { name: 'Rotate its secret' }).click();
    await page.getByLabel(/How long the one of before signs/).selectOption('An hour');
    await page.getByRole('button', { name: 'Make a new secret' }).click();
    const secret = await page.getByRole('dialog').locator('.copied .said').innerText();
    here.receiver.expectSecrets(endpoint.id, [secret, endpoint.registered.secret]);
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByText('Two secrets sign').waitFor();
    expect(await page.evaluate('document.body.innerText')).not.toContain(secret);
    await endpoint.test();
    await endpoint.received(1, SHOWN.timeout);

    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.getByLabel('Name').fill('your program');
    await page.getByLabel('A budget is spent').check();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'your program' }).waitFor();
    expect(await endpoint.shown()).toMatchObject({
      events: ['budget_exhausted'],
      url: here.receiver.url(endpoint.path),
    });
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByLabel('Type your program to go on').fill('your program');
    await page.getByRole('button', { name: 'Delete it' }).click();
    await page.getByText('Nobody is told of anything yet.').waitFor();
    expect(await endpoint.shown()).toBeUndefined();
  });

  it('deliveries are filtered by what is in the address, and an auditor has nothing to press', async () => {
    const tenant = await here.world.newTenant();
    const endpoint = await here.register(tenant);
    here.receiver.answer(endpoint.path, ({ body }) => (body['event'] === 'webhook_test' ? 204 : 400));
    await endpoint.test();
    await requestApproval(tenant);
    const attempts = await endpoint.attempts(2, SHOWN.timeout);
    const auditor = await guests.invite(tenant, 'auditor');
    const { page } = auditor;
    await auditor.open('/deliveries');
    const table = page.getByRole('table', { name: 'Attempts' });
    await table.getByText('webhook_test').waitFor();
    await table.getByText('approval_requested').waitFor();
    await page.getByRole('link', { name: 'Failed only' }).click();
    await table.getByText('HTTP 400').first().waitFor();
    expect(new URL(page.url()).search).toBe('?outcome=failed');
    await table.getByText('webhook_test').waitFor({ state: 'hidden' });
    expect(await page.getByRole('button', { name: /Resend/ }).count()).toBe(0);
    await auditor.open(`/webhooks?webhook=${endpoint.id}`);
    await table.getByText('webhook_test').waitFor();
    expect(await page.getByRole('button', { name: /test|Pause|Change|Rotate|Delete|Resend|Switch/ }).count()).toBe(0);
    const one = `/v1/webhooks/${endpoint.id}`;
    for (const [method, path] of [
      ...[['POST', '/v1/webhooks'] as const, ['PATCH', one] as const, ['DELETE', one] as const],
      ...['test', 'recover', 'rotate-secret'].map((what) => ['POST', `${one}/${what}`] as const),
      ['POST', `/v1/webhooks/deliveries/${attempts[0]?.id}/retry`] as const,
    ])
      expect([method, path, await statusOf(auditor, method, path)]).toEqual([method, path, 403]);
  });
});
