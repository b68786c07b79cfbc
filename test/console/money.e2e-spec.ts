// What was paid, and what may be.
import { readFileSync } from 'node:fs';
import { type Browser } from 'playwright-core';
import { sharedWorld, type World } from '@haldir/test-support';
import { canBrowse, launch, Visitor } from './browser.js';
import { type FullTenant, fullTenant } from './full-tenant.js';
import { rowsOf, Steps } from './jobs.js';

interface Spend {
  total_usd: number;
  count: number;
  names: { name: string; total_usd: number; count: number }[];
  days: { day: string; total_usd: number; names: { name: string; total_usd: number }[] }[];
}

const usd = (amount: number): string => amount.toLocaleString('en-US', { style: 'currency', currency: 'USD' });

describe.runIf(canBrowse)('in Chromium', () => {
  let world: World;
  let browser: Browser;
  let full: FullTenant;
  beforeAll(async () => {
    [world, browser] = await Promise.all([sharedWorld(), launch()]);
    full = await fullTenant(world);
  });
  afterAll(() => Promise.all([browser.close(), full.end()]));

  const visitor = async (role: string): Promise<Visitor> => {
    const made = await Visitor.of(browser, full.tenant.url);
    await made.signIn(full.tenant, role, `${role}@example.com`);
    return made;
  };
  const spendOf = async (query = ''): Promise<Spend> => (await full.tenant.get<Spend>(`/v1/spend${query}`)).body;

  it('who spent what this week, by agent, tool and day, is one step away, and every number is the server’s', async () => {
    const auditor = await visitor('auditor');
    const { page } = auditor;
    await auditor.open('/overview');
    const steps = new Steps();
    await steps.press(page.getByRole('link', { name: 'Spend', exact: true }));
    await page.getByRole('heading', { name: 'By day' }).waitFor();
    expect(steps.count).toBe(1);
    const [agents, tools] = [await spendOf(), await spendOf('?by=tool')];
    expect(agents.days.length).toBe(7);
    await page.getByText(usd(agents.total_usd), { exact: true }).first().waitFor();
    const table = (name: string) => page.getByRole('table', { name, exact: true });
    expect(await rowsOf(table('Paid by agent'))).toEqual(
      agents.names.map(({ name, count, total_usd: total }) => [name, String(count), usd(total)]),
    );
    expect((await rowsOf(table('Paid by tool'))).map(([, , paid]) => paid)).toEqual(
      tools.names.map(({ total_usd: total }) => usd(total)),
    );
    await page.getByText('Show as table').click();
    const days = await rowsOf(table('Paid by day and agent'));
    expect(days.map(([day, name, , paid]) => [day, name, paid])).toEqual(
      agents.days.flatMap(({ day, names }) => names.map(({ name, total_usd: total }) => [day, name, usd(total)])),
    );
    expect(await table('Paid by day and agent').locator('tfoot').innerText()).toContain(usd(agents.total_usd));
    // The bars are as long as the numbers say.
    const bars = await page.locator('.chart rect').all();
    const shown = await Promise.all(
      bars.map(async (bar) => [await bar.locator('title').textContent(), Number(await bar.getAttribute('height'))]),
    );
    const parts = agents.days.flatMap(({ day, names }) => names.map((part) => ({ day, ...part })));
    expect(shown.length).toBe(parts.length);
    const scale = Number(shown[0]?.[1]) / (parts[0]?.total_usd ?? NaN);
    for (const { day, name, total_usd: total } of parts) {
      const [, height] = shown.find(([title]) => title === `${day}: ${name} ${usd(total)}`) ?? [];
      expect(height).toBeCloseTo(total * scale, 6);
    }
    await page.getByRole('navigation', { name: 'Divided by' }).getByRole('link', { name: 'Tools' }).click();
    await table('Paid by day and tool').waitFor({ state: 'attached' });
    expect(auditor.faults).toEqual([]);
    await auditor.close();
  });

  it('the period is in the address, and the file that is saved has the same numbers', async () => {
    const { days } = await spendOf();
    const [first] = days;
    const auditor = await visitor('auditor');
    const { page } = auditor;
    await auditor.open('/spend');
    await page.getByLabel('From', { exact: true }).fill(String(first?.day));
    await page.getByLabel('to', { exact: true }).fill(String(first?.day));
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await page
      .getByText(usd(first?.total_usd ?? NaN), { exact: true })
      .first()
      .waitFor();
    const address = new URL(page.url());
    expect([address.searchParams.get('from'), address.searchParams.get('to')]).toEqual([first?.day, first?.day]);
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: 'CSV' }).click();
    const saved = await saving;
    expect(saved.suggestedFilename()).toBe(`haldir-spend-${first?.day}-${first?.day}.csv`);
    const [head, ...lines] = readFileSync(await saved.path(), 'utf8')
      .trim()
      .split('\r\n');
    expect(head).toBe('day,agent,total_usd,payments');
    expect(lines.map((line) => line.split(',').slice(0, 3))).toEqual(
      first?.names.map(({ name, total_usd: total }) => [first.day, name, total.toFixed(6)]),
    );
    await auditor.open('/spend?agent_id=nobody');
    await page.getByText('No spend recorded.').waitFor();
    await page.getByRole('link', { name: 'Remove the filter Agent: nobody' }).waitFor();
    await auditor.open('/spend?from=2026-03-02&to=2026-03-01');
    await page.getByText('from: expected 1 to 366 days up to the last').waitFor();
    await auditor.close();
  });

  it('an owner adds a budget, changes it and removes it; what is no limit is said so', async () => {
    const owner = await visitor('owner');
    const { page } = owner;
    await owner.open('/budgets');
    await page.getByRole('button', { name: 'Add a budget…' }).click();
    await page.getByLabel('Agent', { exact: true }).fill('new-agent');
    await page.getByLabel('Limit in US dollars').fill('a lot');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('alert').filter({ hasText: 'limit: expected a number from 0' }).waitFor();
    await page.getByLabel('Limit in US dollars').fill('12.5');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    const row = page.getByRole('row', { name: /new-agent/ });
    await row.getByText('$0.00 of $12.50').waitFor();
    await row.getByRole('button', { name: /^Change/ }).click();
    await page.getByLabel('Limit in US dollars').fill('20');
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await row.getByText('$0.00 of $20.00').waitFor();
    await row.getByRole('button', { name: /^Remove/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await row.waitFor({ state: 'detached' });
    expect((await full.tenant.get<{ budgets: object[] }>('/v1/budgets')).body.budgets).toHaveLength(3);
    expect(owner.faults).toEqual([]);
    await owner.close();
  });

  it('who may not change budgets sees them, without anything to press', async () => {
    const auditor = await visitor('operator');
    await auditor.open('/budgets');
    await auditor.page.getByText('of $500.00').waitFor();
    expect(await auditor.page.locator('#main button').count()).toBe(0);
    await auditor.close();
  });
});
