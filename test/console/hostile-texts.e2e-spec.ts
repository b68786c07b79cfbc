// What an agent can write is text, in every view, and every view can be read by everybody.
import { type Browser } from 'playwright-core';
import { type Client, type FakeUpstream, saying, Scenario, sharedWorld, startFakeUpstream } from '@haldir/test-support';
import { canBrowse, launch, Visitor } from './browser.js';
import { LOOKS, looksGood, PAYLOADS } from './looks.js';

/** What nobody sees, or what turns the text around it, is written as what it is. */
const HIDDEN = 'to \u202edana\u200b';
const HIDDEN_SHOWN = 'to \\u{202e}dana\\u{200b}';

describe.runIf(canBrowse)('in Chromium', () => {
  let browser: Browser;
  let scenario: Scenario<FakeUpstream>;
  let tenant: Client;
  let requestId: string;
  let callId: string;
  beforeAll(async () => {
    browser = await launch();
    scenario = await Scenario.of(await sharedWorld(), ['pay']);
    ({ tenant } = scenario);
    const session = await tenant.session({ agent_id: 'my-agent', scopes: ['read'] });
    await tenant.post('/v1/approvals/rules', { type: 'spend_over', threshold: 1 });
    await tenant.post('/v1/budgets', { scope: 'agent', agent_id: 'my-agent', limit: 20 });
    for (const text of [HIDDEN, ...PAYLOADS]) {
      await tenant.post('/v1/audit', { session_id: session, action: text, tool: text, details: text });
      const asked = await tenant.post<{ request_id: string }>('/v1/approvals/request', {
        ...{ session_id: session, tool: text, action: text, reason: text, amount: 3 },
        details: { arguments: { [text]: text, list: [text] } },
      });
      requestId = asked.body.request_id;
    }
    // Of hidden characters Haldir takes none in a description.
    const description = PAYLOADS.join(' ');
    const hostile = scenario.keep(await startFakeUpstream('pay'));
    hostile.tools = [{ name: 'pay', description, inputSchema: { type: 'object' } }];
    expect(await scenario.register('hostile', hostile.url)).toMatchObject({ status: 201 });
    await tenant.post('/v1/approvals/rules', { type: 'tool_blocked', tools: ['hostile.pay'] });
    const held = await scenario.call('hostile.pay', { [HIDDEN]: HIDDEN });
    ({ request_id: callId } = saying(held) as { request_id: string });
    const names = Object.fromEntries([HIDDEN, ...PAYLOADS].map((name) => [name, 'x']));
    const alike = saying(await scenario.call('hostile.pay', names)) as { request_id: string };
    const grant = { uses: 5, ttl: 3600, free_arguments: [HIDDEN], total_amount: 1 };
    const given = await tenant.post(`/v1/approvals/${alike.request_id}/approve`, { decided_by: PAYLOADS[0], grant });
    expect(given.status).toBe(200);
  });
  afterAll(() => Promise.all([browser.close(), scenario.end()]));

  it.each(LOOKS)('at $width px, $colorScheme: no text becomes markup, and axe finds nothing', async (given) => {
    const { width, colorScheme } = given;
    const visitor = await Visitor.of(browser, tenant.url, given);
    const { page } = visitor;
    const look = (name: string): Promise<void> => looksGood(visitor, name, given);
    await visitor.open('/');
    await page.getByText('This Haldir is ready.').waitFor();
    await look('sign-in');
    await visitor.signIn(tenant, 'owner', `owner-${width}-${colorScheme}@example.com`);
    await visitor.open('/approvals');
    await page.getByText(String(PAYLOADS[0])).first().waitFor();
    await look('inbox');
    await visitor.open('/approvals?status=denied');
    await page.getByText('Nothing is denied yet.').waitFor();
    await look('nothing-denied');
    await visitor.open(`/approvals?request=${requestId}`);
    await page.getByRole('button', { name: 'Approve' }).waitFor();
    await page.getByText('Left after').waitFor();
    await look('decision');
    await visitor.open(`/approvals?request=${callId}`);
    const words = page.locator('section', { hasText: 'What the tool says of itself' });
    await words.getByText(String(PAYLOADS[0])).waitFor();
    await look('call');
    await visitor.open('/grants');
    await page.getByText(HIDDEN_SHOWN).filter({ visible: true }).first().waitFor();
    await look('grants');
    await page.getByRole('button', { name: 'Revoke the grant for hostile.pay' }).click();
    await page.getByRole('dialog', { name: 'Revoke the grant' }).waitFor();
    await look('grant-revoke');
    await visitor.open('/grants?state=ended');
    await page.getByText('No grant has ended.').waitFor();
    await look('grants-ended');
    await visitor.open(`/audit?action=${encodeURIComponent(HIDDEN)}`);
    await page.getByRole('link', { name: `Remove the filter Action: ${HIDDEN_SHOWN}` }).waitFor();
    await look('filtered');
    await visitor.open('/audit?action=none');
    await page.getByText('No entries match.').waitFor();
    await look('nothing-matches');
    await visitor.open('/audit');
    await page.getByText(String(PAYLOADS[0])).first().waitFor();
    await look('audit');
    await page.locator('.entries a').first().click();
    await page.getByText('Hash of this entry').waitFor();
    await look('entry');
    await visitor.open('/overview');
    await page.getByText('waiting for approval').waitFor();
    await look('overview');
    await page.goto(`${visitor.origin}/aproval`);
    await page.getByText('There is nothing at this address.').waitFor();
    await look('not-found');
    expect(visitor.faults).toEqual([]);
    await visitor.close();
  });
});
