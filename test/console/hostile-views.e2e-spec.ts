// What agents and operators wrote is text in the views of what agents do, spend and hold, too.
import { type Browser } from 'playwright-core';
import { sharedWorld } from '@haldir/test-support';
import { canBrowse, launch, Visitor } from './browser.js';
import { type FullTenant, fullTenant } from './full-tenant.js';
import { LOOKS, looksGood, PAYLOADS } from './looks.js';

/** What turns the text around it, and what nobody sees. */
const HIDDEN = 'my \u202etnega\u200b';
const HIDDEN_SHOWN = 'my \\u{202e}tnega\\u{200b}';
const [IMAGE = '', SCRIPT = '', LINK = '', SVG = '', TEMPLATE = ''] = PAYLOADS;

describe.runIf(canBrowse)('in Chromium', () => {
  let browser: Browser;
  let full: FullTenant;
  beforeAll(async () => {
    browser = await launch();
    full = await fullTenant(await sharedWorld(), {
      agents: [IMAGE, HIDDEN],
      scopes: ['read', 'execute', 'spend', SCRIPT, HIDDEN],
      tools: [SCRIPT, LINK, SVG, TEMPLATE, HIDDEN],
      reason: `${SVG} ${HIDDEN}`,
      secret: IMAGE,
      key: `${LINK} ${HIDDEN}`,
      person: '<b>Dana</b>',
    });
  });
  afterAll(() => Promise.all([browser.close(), full.end()]));

  it.each(LOOKS)('at $width px, $colorScheme: no text becomes markup, and axe finds nothing', async (by) => {
    const visitor = await Visitor.of(browser, full.tenant.url, by);
    const { page } = visitor;
    await visitor.signIn(full.tenant, 'owner', `owner-${by.width}-${by.colorScheme}@example.com`);
    const views: [name: string, path: string, text: string][] = [
      ['agents', '/agents', HIDDEN_SHOWN],
      ['agent', `/agents?agent=${encodeURIComponent(HIDDEN)}`, SVG],
      ['sessions', '/sessions', HIDDEN_SHOWN],
      ['sessions-of', `/sessions?agent_id=${encodeURIComponent(HIDDEN)}`, HIDDEN_SHOWN],
      ['flags', '/flags', IMAGE],
      ['spend', '/spend', HIDDEN_SHOWN],
      ['budgets', '/budgets', IMAGE],
      ['secrets', '/secrets', IMAGE],
      ['secret', `/secrets?secret=${encodeURIComponent(IMAGE)}`, 'Read the value'],
      ['keys', '/keys', HIDDEN_SHOWN],
      ['people', '/people', '<b>Dana</b>'],
    ];
    for (const [name, path, text] of views) {
      await visitor.open(path);
      await page.locator('#main').getByText(text).filter({ visible: true }).first().waitFor();
      await page.getByText('Loading…').first().waitFor({ state: 'detached' });
      await looksGood(visitor, `${name}-hostile`, by);
    }
    await visitor.open(`/sessions?agent_id=${encodeURIComponent(HIDDEN)}`);
    await page.getByRole('button', { name: `Revoke a session of ${HIDDEN_SHOWN}` }).click();
    await page.getByLabel(`Type ${HIDDEN_SHOWN} to go on`).fill(HIDDEN_SHOWN);
    await page.locator('dialog').getByRole('button', { name: 'Revoke', exact: true, disabled: false }).waitFor();
    await looksGood(visitor, 'revoke-hostile', by);
    expect(visitor.faults).toEqual([]);
    await visitor.close();
  });
});
