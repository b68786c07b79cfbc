// Secrets: names and never values, also of whoever stores them.
import { type Browser } from 'playwright-core';
import { type Client, sharedWorld, type World } from '@haldir/test-support';
import { canBrowse, launch, Visitor } from './browser.js';

const VALUE = '-----BEGIN KEY-----\nsk_live_do_not_show_9f8e\n-----END KEY-----';

describe.runIf(canBrowse)('in Chromium', () => {
  let world: World;
  let browser: Browser;
  let tenant: Client;
  beforeAll(async () => {
    [world, browser] = await Promise.all([sharedWorld(), launch()]);
    tenant = await world.newTenant();
  });
  afterAll(() => browser.close());

  const visitor = async (role: string): Promise<Visitor> => {
    const made = await Visitor.of(browser, tenant.url);
    await made.signIn(tenant, role, `${role}@example.com`);
    return made;
  };
  const read = async (): Promise<unknown> => (await tenant.get('/v1/secrets/stripe')).body;

  it('an operator pastes one, replaces it, rolls it back, deletes it by its name and restores it; no page ever has the value', async () => {
    const operator = await visitor('operator');
    const { page } = operator;
    const answers: Promise<string>[] = [];
    page.on('response', (answer) => {
      // Events end with the page.
      if (/\/v1\/(?!events)/.test(answer.url())) answers.push(answer.text().catch(() => ''));
    });
    await operator.open('/secrets');
    await page.getByText('No secret is stored.').waitFor();
    await page.getByRole('button', { name: 'Add a secret…' }).click();
    await page.getByLabel('Name', { exact: true }).fill('stripe');
    const value = page.getByLabel('Value', { exact: true });
    await value.fill(VALUE);
    const hides = `getComputedStyle(document.querySelector('textarea')).getPropertyValue('-webkit-text-security')`;
    expect(await page.evaluate(hides)).toBe('disc');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('link', { name: 'stripe' }).waitFor();
    expect(await read()).toEqual({ name: 'stripe', value: VALUE });
    await page.getByRole('link', { name: 'stripe' }).click();
    await page.getByRole('button', { name: 'Replace…' }).click();
    await page.getByLabel('Value', { exact: true }).fill('sk_second_0a1b');
    await page.getByLabel('Scope that a session needs').fill('pay');
    await page.getByRole('button', { name: 'Replace', exact: true }).click();
    await page.getByRole('row', { name: /^2/ }).getByText('newest').waitFor();
    expect(await read()).toEqual({ name: 'stripe', value: 'sk_second_0a1b' });
    await page.getByRole('button', { name: 'Roll back to version 1' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click();
    await page.getByRole('row', { name: /^3/ }).getByText('newest').waitFor();
    expect(await read()).toEqual({ name: 'stripe', value: VALUE });
    await page.getByRole('button', { name: 'Delete…' }).click();
    const remove = page.getByRole('dialog').getByRole('button', { name: 'Delete' });
    expect(await remove.isDisabled()).toBe(true);
    await page.getByLabel('Type stripe to go on').fill('stripe');
    await remove.click();
    await page.getByText('No secret is stored.').waitFor();
    expect((await tenant.get('/v1/secrets/stripe')).status).toBe(404);
    await page.getByRole('button', { name: 'Restore stripe' }).click();
    await page.getByRole('link', { name: 'stripe' }).waitFor();
    expect(await read()).toEqual({ name: 'stripe', value: VALUE });
    const [html, heard] = [await page.content(), (await Promise.all(answers)).join('\n')];
    expect(heard).toContain('stripe');
    for (const part of ['do_not_show', 'sk_second']) expect([html.includes(part), heard.includes(part)]).toEqual([false, false]); // prettier-ignore
    expect(operator.faults).toEqual([]);
    await operator.close();
  });

  it('says who read it last, and an auditor has nothing to press', async () => {
    await tenant.post('/v1/secrets', { name: 'read', value: 'v' });
    const session = await tenant.session({ agent_id: 'reader', scopes: ['read'] });
    expect((await tenant.get(`/v1/secrets/read?session_id=${session}`)).status).toBe(200);
    const auditor = await visitor('auditor');
    const { page } = auditor;
    await auditor.open('/secrets?secret=read');
    await page
      .getByRole('row', { name: /reader/ })
      .getByText('Read the value')
      .waitFor();
    expect(await page.locator('#main button').count()).toBe(0);
    await auditor.open('/secrets');
    await page.getByRole('link', { name: 'read', exact: true }).waitFor();
    expect(await page.locator('#main button').count()).toBe(0);
    await auditor.close();
  });
});
