// Tool servers are put behind Haldir in a real browser, and what they offer is looked at; the servers are real, too.
import { type Browser } from 'playwright-core';
import { type FakeUpstream, Scenario, sharedWorld, startFakeUpstream, type World } from '@haldir/test-support';
import { canBrowse, launch } from './browser.js';
import { Guests, statusOf } from './guests.js';

describe.runIf(canBrowse)('in Chromium', () => {
  let world: World;
  let browser: Browser;
  let guests: Guests;
  let scenario: Scenario;
  beforeAll(async () => {
    [world, browser] = await Promise.all([sharedWorld(), launch()]);
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    guests = new Guests(browser);
    scenario = await Scenario.begin(world);
  });
  afterEach(async () => {
    await guests.leave();
    await scenario.end();
  });

  const server = async (...tools: Parameters<typeof startFakeUpstream>): Promise<FakeUpstream> =>
    scenario.keep(await startFakeUpstream(...tools));
  const upstream = async (name: string): Promise<Record<string, unknown> | undefined> =>
    (await scenario.tenant.get<{ upstreams: Record<string, Record<string, unknown>> }>('/v1/proxy/upstreams')).body
      .upstreams[name];

  it('adds an upstream, sees its tools and has what connects an agent in four steps', async () => {
    const { url } = await server('echo', 'sum');
    const operator = await guests.invite(scenario.tenant, 'operator');
    const { page } = operator;
    await page.goto(`${operator.origin}/approvals`);
    await page.getByText('No one is waiting.').waitFor();
    // 1
    await page.getByRole('link', { name: 'Upstreams' }).click();
    // 2
    await page.getByRole('link', { name: 'Add an upstream' }).click();
    await page.getByLabel('Name', { exact: true }).fill('demo');
    await page.getByLabel('Address of the MCP server').fill(url);
    // 3
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('heading', { name: 'demo' }).waitFor();
    for (const tool of ['demo.echo', 'demo.sum']) await page.getByRole('link', { name: tool }).waitFor();
    await page.getByLabel('Client').selectOption('Cursor');
    const setup = page.locator('.copied', { hasText: 'For Cursor' });
    await setup.getByText(`"url": "${operator.origin}/mcp"`).waitFor();
    // 4
    await operator.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await setup.getByRole('button', { name: 'Copy: For Cursor' }).click();
    await setup.getByText('Copied').waitFor();
    const copied = JSON.parse(await page.evaluate<string>('navigator.clipboard.readText()')) as object;
    expect(copied).toEqual({
      mcpServers: {
        haldir: { url: `${operator.origin}/mcp`, headers: { Authorization: 'Bearer ${env:HALDIR_API_KEY}' } },
      },
    });
  });

  it('a header with a secret of the vault is sent as it is, and shown as its reference alone', async () => {
    const { url } = await server('echo');
    await scenario.tenant.post('/v1/secrets', {
      name: 'token',
      value: 's3cret-of-the-vault',
      bindings: [{ upstream: 'demo', tool: '*' }],
    });
    const operator = await guests.invite(scenario.tenant, 'operator');
    const { page } = operator;
    await operator.open('/upstreams?add=true');
    await page.getByLabel('Name', { exact: true }).fill('demo');
    await page.getByLabel('Address of the MCP server').fill(url);
    await page.getByRole('button', { name: 'Add a header' }).click();
    await page.getByLabel('Value').fill('Bearer {{vault:token}} and more');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('heading', { name: 'demo' }).waitFor();
    await page.getByText('{{vault:token}}').waitFor();
    expect(await page.evaluate('document.body.innerText')).not.toMatch(/s3cret|and more/);
  });

  it('what is refused says what is wrong, and what was typed stays', async () => {
    const operator = await guests.invite(scenario.tenant, 'operator');
    const { page } = operator;
    await operator.open('/upstreams?add=true');
    await page.getByLabel('Name', { exact: true }).fill('demo');
    await page.getByLabel('Address of the MCP server').fill('ftp://nowhere');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page
      .getByRole('alert')
      .getByText(/^url: expected an absolute http or https URL/)
      .waitFor();
    expect(await page.getByLabel('Address of the MCP server').inputValue()).toBe('ftp://nowhere');
  });

  it('is tested, is given other limits, and goes once its name was typed', async () => {
    const up = await server('echo');
    await scenario.register('demo', up.url);
    const operator = await guests.invite(scenario.tenant, 'operator');
    const { page } = operator;
    await operator.open('/upstreams');
    await page.getByRole('link', { name: 'demo' }).click();
    up.tools = [...up.tools, { name: 'sum', inputSchema: { type: 'object' } }];
    await page.getByRole('button', { name: 'Test: ask for its tools' }).click();
    await page.getByText('It answered, and has 2 tools.').waitFor();
    await page.getByRole('link', { name: 'demo.sum' }).waitFor();

    await page.getByRole('button', { name: 'Change settings' }).click();
    await page.getByLabel('Seconds that a call may take').fill('7');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    expect(await upstream('demo')).toMatchObject({ timeout: 7 });
    // The focus is where it was.
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Change settings');

    await up.stop();
    await page.getByRole('button', { name: 'Test: ask for its tools' }).click();
    await page.getByText('It did not answer as an MCP server does.').waitFor();
    await page.getByText('Does not answer').waitFor();

    await page.getByRole('button', { name: 'Delete' }).click();
    const sure = page.getByRole('button', { name: 'Delete it' });
    expect(await sure.isDisabled()).toBe(true);
    await page.getByLabel('Type demo to go on').fill('demo');
    await sure.click();
    await page.getByText('No tool server is behind Haldir yet.').waitFor();
    expect(await upstream('demo')).toBeUndefined();
  });

  it('a tool that its upstream changed is shown beside what it was, and let go on by who has looked', async () => {
    const up = await server({ pay: { destructiveHint: false } });
    const [pay] = up.tools;
    up.tools = [{ ...pay, name: 'pay', description: 'Pays a bill.' }];
    await scenario.register('up', up.url, { tools_max_age: 0 });
    up.tools = [{ ...pay, name: 'pay', description: 'Pays anybody <b>anything</b>.', annotations: {} }];
    await scenario.tenant.post('/v1/proxy/upstreams/up/refresh');
    const operator = await guests.invite(scenario.tenant, 'operator');
    const { page } = operator;
    await operator.open('/tools');
    await page.getByText('Changed, held back').waitFor();
    await page.getByRole('link', { name: 'Held back' }).click();
    await page.getByRole('link', { name: 'up.pay' }).click();
    const changed = page.getByRole('region', { name: 'What changed' });
    const description = changed.locator('.twin', { hasText: '/description' });
    await description.locator('.was').getByText('Pays a bill.').waitFor();
    await description.locator('.is').getByText('Pays anybody <b>anything</b>.').waitFor();
    await changed.locator('.twin', { hasText: 'destructiveHint' }).locator('.is').getByText('not there').waitFor();
    expect(await scenario.statusOf('up.pay')).not.toBe(200);
    // Changed once more, what was looked at is not what is there: nothing is accepted, and what is there is shown.
    up.tools = [{ ...pay, name: 'pay', description: 'Pays you.', annotations: {} }];
    await scenario.tenant.post('/v1/proxy/upstreams/up/refresh');
    await changed.getByRole('button', { name: 'Accept what it says now' }).click();
    await changed.getByRole('alert').waitFor();
    await description.locator('.is').getByText('Pays you.').waitFor();
    await changed.getByRole('button', { name: 'Accept what it says now' }).click();
    await changed.waitFor({ state: 'hidden' });
    await page.getByText('Pays you.').waitFor();
    expect(await scenario.statusOf('up.pay')).toBe(200);
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    await page.getByText('No tool is held back.').waitFor();
  });

  it('a price is set, is what calls cost, and is taken off', async () => {
    const { url } = await server('pay');
    await scenario.register('up', url);
    const operator = await guests.invite(scenario.tenant, 'operator');
    const { page } = operator;
    await operator.open('/tools?tool=up.pay');
    await page.getByLabel('Price of a call, in USD').fill('1.25');
    await page.getByRole('button', { name: 'Set the price' }).click();
    await page.getByText('Each call costs $1.25').waitFor();
    await page.getByRole('button', { name: 'Take the price off' }).click();
    await page.getByText('Calls cost nothing.').waitFor();
    const { tools } = (await scenario.tenant.get<{ tools: object[] }>('/v1/proxy/tools')).body;
    expect(tools[0]).not.toHaveProperty('price_usd');
  });

  it('what was refused of an upstream says why', async () => {
    const up = await server('good');
    up.tools = [...up.tools, { name: 'bad', description: 'hides \u202e something', inputSchema: { type: 'object' } }];
    await scenario.register('up', up.url);
    const auditor = await guests.invite(scenario.tenant, 'auditor');
    await auditor.open('/tools');
    const refused = auditor.page.locator('section', { hasText: 'Agents neither see these nor call them.' });
    await refused.getByText('up.bad').waitFor();
    expect(await refused.locator('.refusal').innerText()).toMatch(/^up\.bad tool\n+its definition has cha/);
  });

  it('an auditor reads all of it, has nothing to press, and is refused whatever is sent', async () => {
    const up = await server('pay');
    await scenario.register('up', up.url);
    const auditor = await guests.invite(scenario.tenant, 'auditor');
    const { page } = auditor;
    const pressed = page.getByRole('button', { name: /Add|Test|Change|Delete|Accept|price/ });
    for (const [path, text] of [
      ['/upstreams', 'Answers'],
      ['/upstreams?upstream=up', 'Connect an agent'],
      ['/tools?tool=up.pay', 'Calls cost nothing.'],
    ] as const) {
      await auditor.open(path);
      await page.getByText(text).first().waitFor();
      expect([path, await pressed.count()]).toEqual([path, 0]);
      expect([path, await page.getByRole('link', { name: 'Add an upstream' }).count()]).toEqual([path, 0]);
    }
    const one = '/v1/proxy/upstreams/up';
    for (const [method, path] of [
      ...[['POST', '/v1/proxy/upstreams'] as const, ['PATCH', one] as const, ['DELETE', one] as const],
      ...[['POST', `${one}/refresh`] as const, ['POST', `${one}/tools/pay/accept`] as const],
      ...[['PUT', `${one}/tools/pay/price`] as const, ['DELETE', `${one}/tools/pay/price`] as const],
    ])
      expect([method, path, await statusOf(auditor, method, path)]).toEqual([method, path, 403]);
    expect(await upstream('up')).toMatchObject({ healthy: true });
  });
});
