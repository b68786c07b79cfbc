// Policies are proposed, tried on the calls of last week, and switched on in a real browser.
import { type Browser } from 'playwright-core';
import { type FakeUpstream, Scenario, sharedWorld, type World } from '@haldir/test-support';
import { canBrowse, launch, type Visitor } from './browser.js';
import { Guests, statusOf } from './guests.js';

describe.runIf(canBrowse)('in Chromium', () => {
  let world: World;
  let browser: Browser;
  let guests: Guests;
  let scenario: Scenario<FakeUpstream>;
  beforeAll(async () => {
    [world, browser] = await Promise.all([sharedWorld(), launch()]);
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    guests = new Guests(browser);
    scenario = await Scenario.of(world, ['read', 'delete_repo', 'pay']);
  });
  afterEach(async () => {
    await guests.leave();
    await scenario.end();
  });

  const policies = async (): Promise<Record<string, unknown>[]> =>
    (await scenario.tenant.get<{ policies: Record<string, unknown>[] }>('/v1/proxy/policies')).body.policies;
  const rowsOf = async ({ page }: Visitor): Promise<string[][]> =>
    Promise.all(
      (
        await page
          .getByRole('table', { name: 'Calls that would have been decided otherwise' })
          .locator('tbody tr')
          .all()
      ).map(async (row) =>
        (await row.locator('th, td').allInnerTexts()).slice(1).map((text) => text.replace(/\s+/g, ' ')),
      ),
    );

  it('a policy is proposed, tried on last week as a difference, and switched on in four steps', async () => {
    for (const tool of ['up.read', 'up.delete_repo', 'up.read', 'up.delete_repo'])
      expect(await scenario.statusOf(tool)).toBe(200);
    const operator = await guests.invite(scenario.tenant, 'operator');
    const { page } = operator;
    await page.goto(`${operator.origin}/approvals`);
    await page.getByText('No one is waiting.').waitFor();
    // 1
    await page.getByRole('navigation').getByRole('link', { name: 'Policies' }).click();
    await page.getByText('There are no policies yet.').waitFor();
    // 2
    await page.getByRole('link', { name: /What destroys waits/ }).click();
    await page.getByText('Have calls wait for a human, for tools *delete*, *remove* or *drop*').waitFor();
    // 3
    await page.getByRole('button', { name: 'See what last week would have become' }).click();
    await page.getByText('2 of 4 calls would have been decided otherwise.').waitFor();
    expect(await rowsOf(operator)).toEqual([
      ['agent', 'up.delete_repo', '● allowed', '◐ held'],
      ['agent', 'up.delete_repo', '● allowed', '◐ held'],
    ]);
    expect(await page.locator('.outcomes').innerText()).toMatch(/4 → 2\s*allowed\s*0 → 2\s*held\s*0 → 0\s*blocked/);
    expect(await policies()).toEqual([]);
    // 4
    await page.getByRole('button', { name: 'Switch it on' }).click();
    await page.locator('ol.rows').getByText('Have calls wait for a human').waitFor();
    expect(await policies()).toEqual([
      expect.objectContaining({ type: 'require_approval', mode: 'enforce', scope: expect.objectContaining({ tools: ['*delete*', '*remove*', '*drop*'] }) }), // prettier-ignore
    ]);
    await scenario.call('up.delete_repo');
    expect(scenario.up.calls.map(({ tool }) => tool)).toEqual(['read', 'delete_repo', 'read', 'delete_repo']);
  });

  it('what standing policies do is not told as what the proposal would do', async () => {
    await scenario.statusOf('up.read');
    await scenario.statusOf('up.pay');
    // It stands since then, and would have blocked a call of last week.
    await scenario.policy('block_tool', { tool: 'up.read' });
    const operator = await guests.invite(scenario.tenant, 'operator');
    const { page } = operator;
    await operator.open('/policies?propose=true');
    await page.getByLabel('Tool', { exact: true }).fill('up.pay');
    await page.getByText('Block tool up.pay everywhere').waitFor();
    await page.getByRole('button', { name: 'See what last week would have become' }).click();
    await page.getByText('1 of 2 calls would have been decided otherwise.').waitFor();
    expect(await rowsOf(operator)).toEqual([['agent', 'up.pay', '● allowed', '▲ blocked The tool is blocked']]);
    // What is typed since is another policy, of which nothing is known.
    await page.getByLabel('Tool', { exact: true }).fill('up.pa');
    await page.getByText('1 of 2 calls').waitFor({ state: 'hidden' });
    expect(await page.getByRole('button', { name: 'Switch it on' }).count()).toBe(0);
  });

  it('is written as JSON, too, and only logs what it would do where that is chosen', async () => {
    const operator = await guests.invite(scenario.tenant, 'operator');
    const { page } = operator;
    await operator.open('/policies?propose=true&template=pace');
    await page.getByRole('button', { name: 'Write it as JSON' }).click();
    const json = page.getByLabel('The policy as JSON');
    expect(JSON.parse(await json.inputValue())).toEqual({ type: 'rate_limit', max_per_minute: 60 });
    await json.fill('{"type": "rate_limit"');
    await page.getByText('This is not JSON yet.').waitFor();
    await json.fill('{"type": "rate_limit"}');
    await page.getByRole('button', { name: 'See what last week would have become' }).click();
    await page.getByRole('alert').getByText('max_per_minute: expected for a rate_limit policy').waitFor();
    await json.fill('{"type": "rate_limit", "max_per_minute": 30}');
    await page.getByRole('button', { name: 'See what last week would have become' }).click();
    await page.getByText('No call was made in the last seven days').waitFor();
    await page.getByRole('button', { name: 'Only log what it would do' }).click();
    await page.getByText('logs only, refuses nothing').waitFor();
    expect(await policies()).toEqual([expect.objectContaining({ mode: 'log_only', max_per_minute: 30 })]);
  });

  it('is changed, and deleted after asking', async () => {
    await scenario.policy('block_tool', { tool: 'delete_repo' });
    await scenario.policy('spend_limit', { max: 5, priority: 7 });
    const operator = await guests.invite(scenario.tenant, 'operator');
    const { page } = operator;
    await operator.open('/policies');
    await page.locator('.policy').first().waitFor();
    // In the order in which they are asked.
    expect(await page.locator('.policy p:first-child').allInnerTexts()).toEqual([
      'Block calls that spend more than $5.00 everywhere',
      'Block tool delete_repo everywhere',
    ]);
    const row = page.locator('.policy', { hasText: 'delete_repo' });
    await row.getByRole('button', { name: 'Change' }).click();
    await page.getByLabel('Mode').selectOption('Log only what it would do');
    await page.getByLabel('Agents').fill('bot-*');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Block tool delete_repo, by agent bot-*').waitFor();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    expect(await policies()).toContainEqual(
      expect.objectContaining({ tool: 'delete_repo', mode: 'log_only', scope: { tools: [], upstreams: [], agents: ['bot-*'] } }), // prettier-ignore
    );
    await row.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Delete');
    await row.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Delete it' }).click();
    await row.waitFor({ state: 'hidden' });
    expect(await policies()).toHaveLength(1);
  });

  it('an auditor reads them, has nothing to press, and is refused whatever is sent', async () => {
    const id = await scenario.policy('block_tool', { tool: 'pay' });
    const auditor = await guests.invite(scenario.tenant, 'auditor');
    await auditor.open('/policies');
    await auditor.page.getByText('Block tool pay everywhere').waitFor();
    expect(await auditor.page.getByRole('button', { name: /Change|Delete|Switch/ }).count()).toBe(0);
    expect(await auditor.page.getByRole('link', { name: 'Propose a policy' }).count()).toBe(0);
    expect(await statusOf(auditor, 'POST', '/v1/proxy/policies', { type: 'block_tool', tool: 'x' })).toBe(403);
    expect(await statusOf(auditor, 'PATCH', `/v1/proxy/policies/${id}`, { mode: 'log_only' })).toBe(403);
    expect(await statusOf(auditor, 'DELETE', `/v1/proxy/policies/${id}`)).toBe(403);
  });
});
