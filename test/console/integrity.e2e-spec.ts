// The whole log is checked, taken away as evidence, and every agent is stopped, in a real browser.
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { type Browser } from 'playwright-core';
import { checkExport, parseVerifierKey, verifierKey } from '@haldir/verifier';
import { eventually, Scenario, sharedWorld, type World } from '@haldir/test-support';
import { canBrowse, launch, type Visitor } from './browser.js';
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
    const { tenant, session } = scenario;
    for (let i = 0; i < 12; i++)
      await tenant.post('/v1/audit', { session_id: session, action: `step ${i}`, tool: 'x' });
  });
  afterEach(async () => {
    await guests.leave();
    await scenario.end();
  });

  const size = async (): Promise<number> =>
    Number((await scenario.tenant.get('/v1/audit/tree-head')).body['tree_size']);
  const check = async ({ page }: Visitor): Promise<void> =>
    page.getByRole('button', { name: 'Check the whole log' }).click();

  it('checks the whole log and downloads the evidence in two steps', async () => {
    const auditor = await guests.invite(scenario.tenant, 'auditor');
    const { page } = auditor;
    await auditor.open('/integrity');
    const entries = await size();
    // 1
    await page.getByRole('button', { name: 'Check the whole log' }).click();
    await page.getByText(`Intact: ${entries} of ${entries} entries`).waitFor();
    // 2
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download the log (JSON Lines)' }).click(),
    ]);
    // It is checked without this Haldir, with the key that the page shows.
    const key = await page.locator('.copied', { hasText: 'Verifier key' }).locator('.said').innerText();
    const verdict = await checkExport(Readable.from([readFileSync(await file.path(), 'utf8')]), {
      log: parseVerifierKey(key),
    });
    expect(verdict).toMatchObject({ outcome: 'intact' });
    for (const [name, suffix] of [['As CSV', '.csv'], ['Manifest', '.json']] as const) {
      const [other] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()]);
      expect(other.suggestedFilename().endsWith(suffix)).toBe(true);
    }
  }); // prettier-ignore

  it('says at which entry it is broken, by what is found there', async () => {
    const tenantId = await world.tenantOf(scenario.tenant);
    const auditor = await guests.invite(scenario.tenant, 'auditor');
    await auditor.open('/integrity');
    await world.sql('SET session_replication_role = replica');
    await world.sql(`UPDATE audit_entry SET action = 'other' WHERE tenant_id = $1 AND seq = 5`, [tenantId]);
    await world.sql('SET session_replication_role = origin');
    await check(auditor);
    const verdict = auditor.page.getByRole('alert').filter({ hasText: 'Broken at entry 5' });
    await verdict.getByText('5 entries were in order; then the entry was changed.').waitFor();
  });

  it('says that it cannot check, which says nothing of the log, and that there is nothing to check', async () => {
    const auditor = await guests.invite(scenario.tenant, 'auditor');
    const { page } = auditor;
    await auditor.open('/integrity');
    await page.route('**/v1/audit/verify', (route) => route.abort());
    await check(auditor);
    await page.getByText('Cannot check').waitFor();
    await page.getByText('Nothing is known of the log by that, good or bad.').waitFor();
    await page.unroute('**/v1/audit/verify');
    // Whoever is signed in is in the log already, so an empty one is answered here and nowhere else.
    await page.route('**/v1/audit/verify', (route) =>
      route.fulfill({ json: { verified: true, entries_checked: 0, message: 'The log is empty' } }),
    );
    await check(auditor);
    await page.getByText('Nothing to check').waitFor();
    expect(await page.getByText('Intact').count()).toBe(0);
  });

  it('a key that is pinned in the browser is held against the one that is served', async () => {
    const auditor = await guests.invite(scenario.tenant, 'auditor');
    const { page } = auditor;
    await auditor.open('/integrity');
    await page.getByRole('button', { name: 'Pin the one above' }).click();
    await page.getByText('It is the one that is pinned in this browser.').waitFor();
    await page.route('**/v1/audit/log-key', async (route) => {
      const body = (await (await route.fetch()).json()) as Record<string, unknown>;
      await route.fulfill({ json: { ...body, verifier_key: 'other+00000000+AAAA' } });
    });
    await page.reload();
    await page.getByRole('alert').getByText('This is not the key that is pinned in this browser.').waitFor();
    await page.getByRole('button', { name: 'Forget the pinned key' }).click();
    await page.getByRole('button', { name: 'Pin the one above' }).waitFor();
  });

  it('the proof of an entry is checked in the browser against the pinned key, and what was changed on the way is found', async () => {
    const { tenant } = scenario;
    const auditor = await guests.invite(tenant, 'auditor');
    const { page } = auditor;
    const open = async (): Promise<void> => {
      await auditor.open('/audit?tool=x');
      await page.locator('.entries a').first().click();
      await page.getByText('Hash of this entry').waitFor();
    };
    const said = async (text: string | RegExp): Promise<void> => {
      await page.getByRole('button', { name: 'Check its proof in this browser' }).click();
      await page.getByText(text).waitFor();
    };
    await open();
    // Without a key that somebody gave it, it checks nothing.
    await page.getByText('This browser can check that the entry is in the log.').waitFor();
    await auditor.open('/integrity');
    await page.getByRole('button', { name: 'Pin the one above' }).click();
    await open();
    await said(/It is in the log: its proof leads to the root of \d+ entries/);

    type Proof = { leaf_index: number; audit_path: string[]; entry: Record<string, unknown>; sth: { checkpoint: string } };
    /** The same but for its last character, which is another. */
    const changed = (text: string): string => text.slice(0, -1) + (text.endsWith('0') ? '1' : '0');
    // The first byte of what is signed that says how: the rest of the line is the signature.
    const signature = /(?<=— \S+ \S{20})\S/;
    const changes: [change: (proof: Proof) => object, reason: RegExp][] = [
      [({ leaf_index: at }) => ({ leaf_index: at - 1 }), /The proof does not hold: .*not the one that the proof is for/],
      [({ audit_path: path }) => ({ audit_path: [changed(String(path[0])), ...path.slice(1)] }), /The proof does not hold: .*path/],
      [({ entry }) => ({ entry: { ...entry, action: 'step 1l' } }), /The proof does not hold: .*entry was changed/],
      [({ sth }) => ({ sth: { ...sth, checkpoint: sth.checkpoint.replace(signature, (byte) => (byte === 'A' ? 'B' : 'A')) } }), /The proof does not hold: .*not signed by the log/],
      [({ sth }) => ({ sth: { ...sth, checkpoint: sth.checkpoint.replace(/\n\d+\n/, (size) => `\n${Number(size) + 1}\n`) } }), /The proof does not hold: .*not signed by the log/],
    ]; // prettier-ignore
    for (const [change, reason] of changes) {
      await page.route('**/v1/audit/inclusion-proof/*', async (route) => {
        const proof = (await (await route.fetch()).json()) as Proof;
        await route.fulfill({ json: { ...proof, ...change(proof) } });
      });
      await said(reason);
      await page.unroute('**/v1/audit/inclusion-proof/*');
    }
    // Shown otherwise than it is in the log, with a proof that is right.
    await page.route('**/v1/audit?*', async (route) => {
      const answer = (await (await route.fetch()).json()) as { entries: object[] };
      await route.fulfill({ json: { ...answer, entries: answer.entries.map((entry) => ({ ...entry, agent_id: 'other' })) } }); // prettier-ignore
    });
    await open();
    await said('agent_id is shown otherwise than it is in the log');
    await page.unroute('**/v1/audit?*');
    // Shown with what is in no log.
    await page.route('**/v1/audit?*', async (route) => {
      const answer = (await (await route.fetch()).json()) as { entries: object[] };
      await route.fulfill({ json: { ...answer, entries: answer.entries.map((entry) => ({ ...entry, approved_by: 'dana' })) } }); // prettier-ignore
    });
    await open();
    await said('approved_by is shown otherwise than it is in the log');
    await page.unroute('**/v1/audit?*');
    // Shown as it is, and then, read again, otherwise: the verdict is not of that.
    await open();
    await said(/It is in the log/);
    await page.route('**/v1/audit?*', async (route) => {
      const answer = (await (await route.fetch()).json()) as { entries: object[] };
      await route.fulfill({ json: { ...answer, entries: answer.entries.map((entry) => ({ ...entry, tool: 'other' })) } }); // prettier-ignore
    });
    await eventually(async () => {
      await page.evaluate(`dispatchEvent(new Event('visibilitychange'))`);
      expect(await page.locator('.entries').getByText('other').count()).toBeGreaterThan(0);
    });
    expect(await page.getByText('It is in the log').count()).toBe(0);
    await page.unroute('**/v1/audit?*');
    // Of a log with another key nothing is known.
    const other = await world.newTenant();
    const { verifier_key: key } = (await other.get('/v1/audit/log-key')).body;
    await page.evaluate(`localStorage.setItem('haldir.log-key', ${JSON.stringify(key)})`);
    await open();
    await said(/It cannot be checked: .*another log/);
    // Of this log, with one byte of its key changed: it signed nothing.
    const { origin, publicKey } = parseVerifierKey(String((await tenant.get('/v1/audit/log-key')).body['verifier_key']));
    publicKey[31] = Number(publicKey[31]) ^ 1;
    await page.evaluate(`localStorage.setItem('haldir.log-key', ${JSON.stringify(verifierKey({ origin, publicKey }))})`);
    await open();
    await said(/The proof does not hold: .*not signed by the log/);
  }); // prettier-ignore

  it('an owner stops every agent once they typed it, and lets them go on; nobody else does', async () => {
    const { tenant } = scenario;
    const frozen = async (): Promise<unknown> => (await tenant.get('/v1/agents')).body['tenant_frozen'];
    const owner = await guests.invite(tenant, 'owner');
    const { page } = owner;
    await owner.open('/system');
    await page.getByText('This Haldir is ready.').waitFor();
    for (const part of ['Database', 'Migrations', 'Encryption key', 'Queue'])
      await page.getByRole('rowheader', { name: part, exact: true }).waitFor();
    await page.getByRole('button', { name: 'Freeze every agent' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Reason').fill('<b>drill</b>');
    await dialog.getByLabel('Type freeze to go on').fill('freeze');
    await dialog.getByRole('button', { name: 'Freeze every agent' }).click();
    await page.getByText('<b>drill</b>').waitFor();
    expect(await frozen()).toMatchObject({ reason: '<b>drill</b>' });
    await page.getByRole('button', { name: 'Let them go on' }).click();
    await dialog.getByRole('button', { name: 'Let them go on' }).click();
    await page.getByText('Agents may act.').waitFor();
    expect(await frozen()).toBeNull();

    const operator = await guests.invite(tenant, 'operator');
    await operator.open('/system');
    await operator.page.getByText('Agents may act.').waitFor();
    expect(await operator.page.getByRole('button', { name: /Freeze|go on/ }).count()).toBe(0);
    expect(await statusOf(operator, 'POST', '/v1/freeze', { reason: 'x' })).toBe(403);
    expect(await statusOf(operator, 'POST', '/v1/unfreeze')).toBe(403);
  });
});
