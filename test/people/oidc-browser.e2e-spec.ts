import { type Browser, type Page } from 'playwright-core';
import { ISSUER_CLIENT, type RealIssuer, startRealIssuer, startWorld, type World } from '@haldir/test-support';
import { freePort } from '../../scripts/embedded/ports.mjs';
import { canBrowse, launch } from '../console/browser.js';

// What jsdom has not: policies of pages, and ways between origins.
describe.skipIf(!canBrowse)('in a browser', { timeout: 120_000 }, () => {
  let issuer: RealIssuer;
  let world: World;
  let browser: Browser;
  let own: string;
  beforeAll(async () => {
    const port = await freePort();
    own = `http://localhost:${port}`;
    issuer = await startRealIssuer(() => [`${own}/v1/sign-in/oidc/callback`]);
    issuer.accounts.set('alice', { email: 'alice@example.com', email_verified: true, groups: ['staff'] });
    world = await startWorld({
      environment: {
        ...{ PORT: String(port), HALDIR_OIDC_ISSUER: issuer.url, HALDIR_OIDC_NAME: 'Example' },
        ...{ HALDIR_OIDC_CLIENT_ID: ISSUER_CLIENT.id, HALDIR_OIDC_CLIENT_SECRET: ISSUER_CLIENT.secret },
        ...{ HALDIR_OIDC_ROLE_CLAIM: 'groups', HALDIR_OIDC_ROLES: 'staff=auditor' },
      },
    });
    browser = await launch();
  });
  afterAll(async () => {
    await Promise.all([browser.close(), world.stop(), issuer.stop()]);
  });

  /** The issuer's own pages would have fonts from elsewhere. */
  const visit = async (): Promise<Page> => {
    const context = await browser.newContext();
    await context.route(/^https?:\/\/(?!localhost:|127\.0\.0\.1:)/, (route) => route.abort());
    return context.newPage();
  };
  const signInAs = async (page: Page, login: string): Promise<void> => {
    await page.getByRole('button', { name: 'Sign in with Example' }).click();
    await page.fill('input[name=login]', login);
    await page.fill('input[name=password]', 'any');
    await page.getByRole('button', { name: 'Sign-in' }).click();
    await page.getByRole('button', { name: 'Continue' }).click();
  };

  it('somebody goes to the issuer and comes back signed in, to the page they were on', async () => {
    const session = await world.operator.session({ scopes: ['read'] });
    const asked = await world.operator.post('/v1/approvals/request', {
      session_id: session,
      action: 'send the parcel',
    });
    const page = await visit();
    await page.goto(`${own}/approvals/${String(asked.body['request_id'])}`);
    await signInAs(page, 'alice');
    await page.getByText('send the parcel').waitFor();
    expect(page.url()).toBe(`${own}/approvals/${String(asked.body['request_id'])}`);

    await page.goto(`${own}/welcome`);
    await page.getByText('alice@example.com').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out.').waitFor();
    await page.getByRole('button', { name: 'Sign in with Example' }).click();
    // The issuer knows them still.
    await page.getByText('You are signed in.').waitFor();
    expect(page.url()).toBe(`${own}/welcome`);
    await page.context().close();
  });

  it('somebody who has no access is told so, and can try again', async () => {
    issuer.accounts.set('mallory', { email: 'mallory@example.com', email_verified: true });
    const page = await visit();
    await page.goto(`${own}/welcome`);
    await signInAs(page, 'mallory');
    await page.getByText(/^You have no access to this Haldir/).waitFor();
    expect(await page.getByRole('button', { name: 'Sign in with Example' }).isVisible()).toBe(true);
    await page.context().close();
  });
});
