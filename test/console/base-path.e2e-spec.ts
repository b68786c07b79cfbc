// Haldir behind a proxy that serves it below a path, which it takes away: every view and page, in a real browser.
import { type Browser, type Page } from 'playwright-core';
import { eventually, saying, Scenario, startWorld, type World } from '@haldir/test-support';
import { freePort } from '../../scripts/embedded/ports.mjs';
import { VIEWS } from '../../apps/console/src/views.js';
import { startStrippingProxy, type StrippingProxy } from '../support/stripping-proxy.js';
import { canBrowse, launch } from './browser.js';
import { Guests } from './guests.js';

const BASE = '/haldir';
/** A page that follows the log shows what waits within a second or so; the rest is for machines that are busy. */
const SHOWN_MS = 15_000;

describe.runIf(canBrowse)('in Chromium', () => {
  let world: World;
  let proxy: StrippingProxy;
  let browser: Browser;
  let guests: Guests;
  let scenario: Awaited<ReturnType<typeof Scenario.of>>;
  let origin: string;
  beforeAll(async () => {
    const port = await freePort();
    origin = `http://localhost:${port}`;
    proxy = await startStrippingProxy(BASE, port, () => world.apis[0]?.url ?? '');
    const environment = { HALDIR_BASE_PATH: BASE, HALDIR_PUBLIC_URL: origin };
    [world, browser] = await Promise.all([startWorld({ environment }), launch()]);
    guests = new Guests(browser);
    scenario = await Scenario.of(world, ['pay']);
    await scenario.tenant.post('/v1/approvals/rules', { type: 'all' });
  });
  // Guests say whether anything was asked for beside the path; the proxy, whether anything of it came.
  afterEach(async () => {
    await guests.leave();
    expect(proxy.outside.splice(0)).toEqual([]);
  });
  afterAll(async () => {
    await Promise.all([browser.close(), scenario.end()]);
    await proxy.stop();
    await world.stop();
  });

  const at = (path: string): string => origin + BASE + path;
  const pathOf = (page: Page): string => new URL(page.url()).pathname;
  const held = async (): Promise<string> => String(saying(await scenario.call('up.pay'))['request_id']);
  const visitor = (role: string) => guests.invite(scenario.tenant, role, { at: origin, basePath: BASE });

  it('links lead there, whoever makes them', async () => {
    const { body } = await scenario.tenant.post('/v1/people', { email: 'dana@example.com', role: 'auditor' });
    expect(body['link']).toMatch(new RegExp(`^${at('/welcome#')}`));
    const [index, document] = await Promise.all(
      ['/v1', '/openapi.json'].map(async (path) => (await fetch(at(path))).json() as Promise<Record<string, unknown>>),
    );
    expect(index?.['docs']).toBe(at('/docs'));
    expect(document?.['servers']).toEqual([{ url: BASE }]);
    const answer = await fetch(at('/swagger'), { redirect: 'manual' });
    expect(answer.headers.get('location')).toBe(`${BASE}/docs`);
  });

  it('somebody comes in by a link, makes a passkey, signs in by it, and walks every view', async () => {
    const owner = await visitor('owner');
    const { page } = owner;
    await page.getByRole('button', { name: 'Make a passkey' }).click();
    await page.getByText('The passkey is made.').waitFor();
    await page.getByRole('link', { name: 'Open the console' }).click();
    await page.getByRole('navigation', { name: 'Views' }).waitFor();
    expect(pathOf(page)).toBe(`${BASE}/approvals`);
    await page.locator('.me summary').click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByRole('navigation', { name: 'Views' }).waitFor();
    for (const { path, label } of VIEWS) {
      // By its link, and by its address.
      await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: label, exact: path !== '/approvals' }).first().click();
      await eventually(() => expect(pathOf(page)).toBe(BASE + path));
      await owner.open(path);
      await page.getByText('Loading…').first().waitFor({ state: 'detached' });
      expect([path, await page.getByRole('alert').count(), await page.getByRole('button', { name: 'Try again' }).count()]).toEqual([path, 0, 0]);
    }
    await page.goto(at('/aproval'));
    await page.getByText('There is nothing at this address.').waitFor();
    await page.getByRole('link', { name: 'Go to the start' }).click();
    await eventually(() => expect(pathOf(page)).toBe(`${BASE}/approvals`));
    await page.goto(at('/docs'));
    await page.getByRole('heading', { name: 'Haldir' }).first().waitFor();
  }); // prettier-ignore

  it('what waits is shown as it comes, decided there, and at the page that agents give', async () => {
    const approver = await visitor('approver');
    const { page } = approver;
    await approver.open('/approvals');
    await page.getByText('No one is waiting.').waitFor();
    const id = await held();
    await page.getByRole('link', { name: /agent.*up\.pay/ }).click({ timeout: SHOWN_MS });
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByText('Approved by you.').waitFor();
    expect((await scenario.tenant.get(`/v1/approvals/${id}`)).body).toMatchObject({ status: 'approved' });
    // What was approved is let through once; the next one waits again.
    await scenario.call('up.pay');
    const next = await held();
    await page.goto(at(`/approvals/${next}`));
    await page.getByRole('button', { name: 'Deny' }).click();
    await eventually(async () =>
      expect((await scenario.tenant.get(`/v1/approvals/${next}`)).body).toMatchObject({ status: 'denied' }),
    );
  });

  it('the files that the console gives come from there', async () => {
    const auditor = await visitor('auditor');
    const { page } = auditor;
    await auditor.open('/audit');
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export CSV' }).click(),
    ]);
    expect(file.suggestedFilename()).toMatch(/\.csv$/);
  });
});
