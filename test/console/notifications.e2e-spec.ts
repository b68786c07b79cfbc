// What a person is told of, by which way: chosen by them, on their own page.
import { type Browser } from 'playwright-core';
import { type Client, sharedWorld, type World } from '@haldir/test-support';
import { canBrowse, launch, type Visitor } from './browser.js';
import { Guests } from './guests.js';
import { LOOKS, looksGood } from './looks.js';

describe.runIf(canBrowse)('in Chromium', () => {
  let world: World;
  let browser: Browser;
  let tenant: Client;
  let guests: Guests;
  beforeAll(async () => {
    [world, browser] = await Promise.all([sharedWorld(), launch()]);
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    tenant = await world.newTenant();
    guests = new Guests(browser);
  });
  afterEach(() => guests.leave());

  const ROUTE = '**/v1/me/notifications';
  const tableOf = ({ page }: Visitor) => page.getByRole('table', { name: 'What you are told of' });
  const tickOf = (visitor: Visitor, name: string) => tableOf(visitor).getByRole('checkbox', { name });
  const chosen = ({ page }: Visitor): Promise<{ notify: string[]; chosen: boolean }> =>
    page.evaluate(
      `fetch('/v1/me/notifications', { headers: { 'x-haldir-page': localStorage.getItem('haldir.page') } }).then((answer) => answer.json())`,
    );

  it('a person chooses what they are told of, by which way, and takes it back', async () => {
    const approver = await guests.invite(tenant, 'approver');
    const { page } = approver;
    await approver.open('/people');
    const [waits, flagged] = ['Something waits for a human, by E-mail', 'An entry of the log was flagged, by E-mail'];
    await page.getByText('You have not chosen').waitFor();
    expect([await tickOf(approver, waits).isChecked(), await tickOf(approver, flagged).isChecked()]).toEqual([
      true,
      false,
    ]);
    const save = page.getByRole('button', { name: 'Save', exact: true });
    expect(await save.isDisabled()).toBe(true);
    await tickOf(approver, waits).uncheck();
    await tickOf(approver, flagged).check();
    // Not before it is saved.
    expect(await chosen(approver)).toMatchObject({ chosen: false });
    await save.click();
    await page.getByText('Saved.').waitFor();
    expect(await chosen(approver)).toMatchObject({ notify: ['own_approval_outcome', 'anomaly'], chosen: true });
    await page.reload();
    await page.getByRole('button', { name: 'As my role is told' }).click();
    await page.getByText('You have not chosen').waitFor();
    expect(await tickOf(approver, waits).isChecked()).toBe(true);
    expect(await chosen(approver)).toMatchObject({ chosen: false });
  });

  it('what could not be saved is said, and stays ticked; what could not be read is read again', async () => {
    const owner = await guests.invite(tenant, 'owner');
    const { page } = owner;
    await page.route(ROUTE, (route) =>
      route.fulfill({ status: 400, json: { error: 'It is out of order', code: 'x' } }),
    );
    await owner.open('/people');
    await page.getByText('It is out of order').waitFor();
    await page.unroute(ROUTE);
    await page.getByRole('button', { name: 'Try again' }).click();
    const drift = 'A tool is held back, because it changed, by E-mail';
    await tickOf(owner, drift).check();
    await page.route(ROUTE, (route) =>
      route.request().method() === 'PUT'
        ? route.fulfill({ status: 400, json: { error: 'notify: expected something else', code: 'x' } })
        : route.continue(),
    );
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('alert').filter({ hasText: 'notify: expected something else' }).waitFor();
    expect(await tickOf(owner, drift).isChecked()).toBe(true);
    expect(await chosen(owner)).toMatchObject({ chosen: false });
  });

  it('says so where no e-mail is sent, and where there is nothing to choose', async () => {
    const auditor = await guests.invite(tenant, 'auditor');
    const { page } = auditor;
    await auditor.open('/people');
    await page.getByText('This Haldir sends no e-mail yet').waitFor();
    await page.route(ROUTE, async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ json: { ...((await answer.json()) as object), available: [] } });
    });
    await page.reload();
    await page.getByText('There is nothing that your role may be told of.').waitFor();
  });

  it.each(LOOKS)('can be read by everybody, changed or not ($width, $colorScheme)', async (look) => {
    const owner = await guests.invite(tenant, 'owner', look);
    await owner.open('/people');
    await tickOf(owner, 'An entry of the log was flagged, by E-mail').check();
    await looksGood(owner, 'notifications', look);
  });
});
