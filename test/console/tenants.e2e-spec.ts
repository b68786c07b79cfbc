// Two tenants in two browsers, at the same time: neither sees anything of the other, nor is told of it.
import { type Browser, type Page, type Request } from 'playwright-core';
import { type Client, eventually, sharedWorld, type World } from '@haldir/test-support';
import { VIEWS } from '../../apps/console/src/views.js';
import { canBrowse, launch, type Visitor } from './browser.js';
import { type FullTenant, fullTenant } from './full-tenant.js';
import { Guests, statusOf } from './guests.js';

/** A page that follows the log shows what waits within a second or so; the rest is for machines that are busy. */
const SHOWN_MS = 15_000;

interface Side {
  /** Is in all that the tenant has, and in nothing of the other. */
  name: string;
  full: FullTenant;
  session: string;
  owner: Visitor;
  /** What the browser was answered, but for the stream. */
  answers: Promise<string>[];
}

describe.runIf(canBrowse)('in Chromium', () => {
  let world: World;
  let browser: Browser;
  let guests: Guests;
  let north: Side;
  let south: Side;
  beforeAll(async () => {
    [world, browser] = await Promise.all([sharedWorld(), launch()]);
    guests = new Guests(browser);
    [north, south] = [await sideOf('northwind'), await sideOf('southgate')];
  });
  afterAll(async () => {
    await guests.leave();
    await Promise.all([north.full.end(), south.full.end(), browser.close()]);
  });

  async function sideOf(name: string): Promise<Side> {
    const full = await fullTenant(world, {
      agents: [`${name}-research`, `${name}-billing`],
      scopes: ['read', 'execute', 'spend'],
      tools: [`${name}.query`, `${name}.send`, `${name}.update`],
      ...{
        reason: `${name} paid twice`,
        secret: `${name}_key`,
        key: `${name} in Claude Code`,
        person: `${name} Scully`,
      },
    });
    const { tenant } = full;
    await tenant.post('/v1/proxy/policies', { type: 'block_tool', tool: `${name}.drop` });
    const session = await tenant.session({ agent_id: `${name}-research`, scopes: ['read'] });
    const owner = await guests.invite(tenant, 'owner');
    const answers: Promise<string>[] = [];
    // Of one that was broken off, as when the page goes elsewhere, the text would never come.
    owner.context.on('requestfinished', (request) => {
      if (/\/v1\/(?!events)/.test(request.url())) answers.push(textOf(request));
    });
    return { name, full, session, owner, answers };
  }
  const ask = async ({ name, full, session }: Side): Promise<string> =>
    (
      await full.tenant.post<{ request_id: string }>('/v1/approvals/request', {
        ...{ session_id: session, tool: `${name}.query`, action: `${name} asks`, reason: `${name} has to` },
      })
    ).body.request_id;
  const log = (tenant: Client, session: string, action: string): Promise<unknown> =>
    tenant.post('/v1/audit', { session_id: session, tool: 'x', action });
  /** Of all that a browser was answered: nothing of the other tenant, by its name or its id. */
  const expectNothingOf = async (other: Side, { answers }: Side): Promise<void> => {
    const said = (await Promise.all(answers)).join('\n');
    expect(said.length).toBeGreaterThan(10_000);
    const id = await world.tenantOf(other.full.tenant);
    expect(said.includes(id)).toBe(false);
    expect(new RegExp(`.{0,60}${other.name}.{0,60}`, 'i').exec(said)?.[0]).toBeUndefined();
  };

  it('every view has what is the tenant’s own, and nothing of the other', async () => {
    const sides = [[north, south], [south, north]] as const; // prettier-ignore
    for (const [mine, other] of sides) {
      const withOwn: string[] = [];
      for (const { path } of VIEWS) {
        await mine.owner.open(path);
        await mine.owner.page.getByText('Loading…').first().waitFor({ state: 'detached' });
        const text = await mine.owner.page.evaluate<string>('document.body.innerText');
        expect([path, new RegExp(other.name, 'i').test(text)]).toEqual([path, false]);
        if (new RegExp(mine.name, 'i').test(text)) withOwn.push(path);
      }
      expect(withOwn).toEqual(expect.arrayContaining(['/audit', '/agents', '/sessions', '/spend', '/secrets', '/keys', '/people', '/policies'])); // prettier-ignore
      await expectNothingOf(other, mine);
    }
  }); // prettier-ignore

  it('what comes to one is told to its browser alone, as it comes', async () => {
    for (const { owner } of [north, south]) {
      await owner.open('/approvals');
      await hear(owner.page);
    }
    const title = async (side: Side, expected: string): Promise<void> =>
      eventually(async () => expect(await side.owner.page.title()).toBe(expected), SHOWN_MS);
    await ask(north);
    await title(north, '(1) Approvals · Haldir');
    await log(north.full.tenant, north.session, 'northwind is last');
    await ask(south);
    // It has read what waits since, and counts its own alone.
    await title(south, '(1) Approvals · Haldir');
    await title(north, '(1) Approvals · Haldir');
    await log(south.full.tenant, south.session, 'southgate is last');
    for (const [mine, other] of [[north, south], [south, north]] as const) {
      const heard = await heardUpTo(mine.owner.page, `${mine.name} is last`);
      expect([heard.includes(`${mine.name} asks`) || heard.includes(`${mine.name}-research`), heard.includes(other.name)]).toEqual([true, false]); // prettier-ignore
      await mine.owner.page.getByRole('link', { name: new RegExp(mine.name) }).first().waitFor();
      expect(await mine.owner.page.getByText(other.name).count()).toBe(0);
      await expectNothingOf(other, mine);
    }
  }); // prettier-ignore

  it('at the address of a request of the other there is nothing to read or decide', async () => {
    const id = await ask(north);
    const { page } = south.owner;
    await page.goto(`${south.owner.origin}/approvals?request=${id}`);
    await page.getByRole('alert').waitFor();
    expect(await page.getByRole('button', { name: /^(?:Approve|Deny)/ }).count()).toBe(0);
    for (const decision of ['approve', 'deny'])
      expect(await statusOf(south.owner, 'POST', `/v1/approvals/${id}/${decision}`)).toBe(404);
    expect((await north.full.tenant.get(`/v1/approvals/${id}`)).body).toMatchObject({ status: 'pending' });
    await expectNothingOf(north, south);
  });
});

async function textOf(request: Request): Promise<string> {
  return (await (await request.response())?.text().catch(() => '')) ?? '';
}

/** Follows the log in the page; answers once the stream stands. */
async function hear(page: Page): Promise<void> {
  await page.evaluate(`fetch('/v1/events', { headers: { 'x-haldir-page': localStorage.getItem('haldir.page') } })
    .then((answer) => { window.heard = answer.body.pipeThrough(new TextDecoderStream()).getReader(); })`);
}

/** All that it heard, up to that text. */
function heardUpTo(page: Page, text: string): Promise<string> {
  return page.evaluate(`(async () => {
    let heard = '';
    while (!heard.includes(${JSON.stringify(text)})) {
      const { done, value } = await window.heard.read();
      if (done) break;
      heard += value;
    }
    await window.heard.cancel();
    return heard;
  })()`);
}
