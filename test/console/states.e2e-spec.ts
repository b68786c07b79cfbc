// What each view is when it cannot be read, or must not be.
import { type Browser, type Route } from 'playwright-core';
import { type Client, eventually, sharedWorld } from '@haldir/test-support';
import { VIEWS } from '../../apps/console/src/views.js';
import { canBrowse, launch, Visitor } from './browser.js';

describe.runIf(canBrowse)('in Chromium', () => {
  let browser: Browser;
  let tenant: Client;
  let visitor: Visitor;
  beforeAll(async () => {
    browser = await launch();
    tenant = await (await sharedWorld()).newTenant();
    visitor = await Visitor.of(browser, tenant.url);
    await visitor.signIn(tenant, 'owner', 'owner@example.com');
  });
  afterEach(() => visitor.page.unrouteAll());
  afterAll(() => browser.close());

  /** Answers in the place of the API whatever a view reads; what is read for every view goes on. */
  const answering = (status: number, body: object) => (route: Route) =>
    /\/v1\/(?:me|events|approvals\/pending)(?:\?|$)/.test(route.request().url())
      ? route.continue()
      : route.fulfill({ status, json: body });
  const paths = VIEWS.map(({ path }) => path).filter((path) => path !== '/approvals');

  it.each(paths)('%s says what went wrong, what the log has of it, and takes another try', async (path) => {
    const { page } = visitor;
    await page.route('**/v1/**', answering(400, { error: 'It is out of order', code: 'x', request_id: 'req-17' }));
    await visitor.open(path);
    await page.getByText('It is out of order').first().waitFor();
    await page.getByText('The log has it as req-17').first().waitFor();
    await page.unrouteAll();
    await eventually(async () => {
      const again = page.getByRole('button', { name: 'Try again' });
      if ((await again.count()) > 0) await again.first().click({ timeout: 1000 });
      expect(await page.getByText('It is out of order').count()).toBe(0);
    }, 20_000);
    expect(visitor.faults).toEqual([]);
  }); // prettier-ignore

  it.each(paths)('%s says which scope the role lacks, when the API refuses', async (path) => {
    const { page } = visitor;
    await page.route('**/v1/**', answering(403, { error: 'No', code: 'missing_scope', required: 'some:read' }));
    await visitor.open(path);
    await page.getByText('It lacks the scope some:read.').first().waitFor();
  });

  it('whoever may not read a view is not offered it, and is told so at its address', async () => {
    const { page } = visitor;
    const body = await page.evaluate<object>(`fetch('/v1/me', {
      headers: { 'x-haldir-page': localStorage.getItem('haldir.page') } }).then((answer) => answer.json())`);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await page.route('**/v1/me', (route) => route.fulfill({ json: { ...body, scopes: ['approvals:read'] } }));
    for (const { path, reads } of VIEWS.filter(({ reads: scope }) => scope !== 'approvals:read')) {
      await page.goto(visitor.origin + path);
      await page.getByText(`It lacks the scope ${reads}.`).waitFor();
    }
    const nav = page.getByRole('navigation', { name: 'Views' });
    expect(await nav.getByRole('link').allInnerTexts()).toEqual(['Approvals', 'Grants', 'API reference']);
    // Nothing of it was asked for.
    expect(asked.filter((path) => /^\/v1\/(?!me$|events$|approvals)/.test(path))).toEqual([]);
  });
});
