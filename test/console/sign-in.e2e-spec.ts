// The way in by an issuer, from the console.
import { type Browser } from 'playwright-core';
import { ISSUER_CLIENT, type RealIssuer, startRealIssuer, startWorld, type World } from '@haldir/test-support';
import { freePort } from '../../scripts/embedded/ports.mjs';
import { canBrowse, launch, Visitor } from './browser.js';

describe.runIf(canBrowse)('in Chromium', () => {
  let issuer: RealIssuer;
  let world: World;
  let browser: Browser;
  beforeAll(async () => {
    const port = String(await freePort());
    const origin = `http://localhost:${port}`;
    issuer = await startRealIssuer(() => [`${origin}/v1/sign-in/oidc/callback`]);
    const environment = {
      ...{
        PORT: port,
        HALDIR_PUBLIC_URL: origin,
        HALDIR_OIDC_ISSUER: issuer.url,
        HALDIR_OIDC_NAME: 'Example & "Sons"',
      },
      ...{ HALDIR_OIDC_CLIENT_ID: ISSUER_CLIENT.id, HALDIR_OIDC_CLIENT_SECRET: ISSUER_CLIENT.secret },
    };
    [world, browser] = await Promise.all([startWorld({ environment }), launch()]);
  });
  afterAll(async () => {
    await browser.close();
    await Promise.all([world.stop(), issuer.stop()]);
  });

  it('the console leads to the issuer that is set, also after somebody was signed in and has left', async () => {
    const visitor = await Visitor.of(browser, world.operator.url);
    const { page } = visitor;
    const button = page.getByRole('button', { name: 'Sign in with Example & "Sons"' });
    await visitor.open('/approvals');
    await button.waitFor();
    await visitor.signIn(world.operator, 'owner', 'owner@example.com');
    await visitor.open('/approvals');
    await page.locator('.me summary').click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await visitor.open('/approvals?request=apr_1');
    await button.click();
    await page.waitForURL((url) => url.origin === new URL(issuer.url).origin);
    // From there the browser comes back to what was open.
    const [begun] = visitor.asked.filter((url) => url.includes('/v1/sign-in/oidc?'));
    expect(new URL(String(begun)).searchParams.get('return_to')).toBe('/approvals?request=apr_1');
    expect(visitor.faults).toEqual([]);
    await visitor.close();
  });
});
