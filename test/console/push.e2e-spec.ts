// What a browser is told: by its service worker, while nobody looks at a page of Haldir.
import { type Browser, type Worker } from 'playwright-core';
import {
  type Client,
  eventually,
  type PushService,
  sharedWorld,
  startPushService,
  type World,
} from '@haldir/test-support';
import { canBrowse, launch, type Visitor } from './browser.js';
import { Guests } from './guests.js';
import { LOOKS, looksGood } from './looks.js';

describe.runIf(canBrowse)('in Chromium', () => {
  let world: World;
  let browser: Browser;
  let service: PushService;
  let tenant: Client;
  let guests: Guests;
  beforeAll(async () => {
    [world, browser, service] = await Promise.all([sharedWorld(), launch(), startPushService()]);
  });
  afterAll(async () => {
    await browser.close();
    await service.stop();
  });
  beforeEach(async () => {
    tenant = await world.newTenant();
    guests = new Guests(browser);
  });
  afterEach(() => guests.leave());

  /** The maker's push service is not there: the page is given a browser of the test's, and all else is the browser's own. */
  const subscribable = async ({ context, page, origin }: Visitor): Promise<void> => {
    await context.grantPermissions(['notifications'], { origin });
    const { subscription } = service.browser();
    await page.addInitScript(`{
      const kept = () => JSON.parse(localStorage.getItem('test.subscription'));
      const made = () => kept() && { ...kept(), toJSON: kept,
        unsubscribe: async () => (localStorage.removeItem('test.subscription'), true) };
      PushManager.prototype.getSubscription = async () => made();
      PushManager.prototype.subscribe = async ({ applicationServerKey, userVisibleOnly }) => {
        if (!userVisibleOnly || atob(applicationServerKey.replace(/-/g, '+').replace(/_/g, '/')).length !== 65) throw new Error('no key');
        localStorage.setItem('test.subscription', ${JSON.stringify(JSON.stringify(subscription))});
        return made();
      };
    }`);
  };
  const table = ({ page }: Visitor) => page.getByRole('table', { name: 'Browsers that tell you' });

  it('a person is told in this browser, and no more once they say so', async () => {
    const owner = await guests.invite(tenant, 'owner');
    const { page } = owner;
    await subscribable(owner);
    await owner.open('/people');
    await page.getByText('None yet. A browser shows what happened').waitFor();
    await page.getByRole('button', { name: 'Tell me in this browser' }).click();
    await table(owner).getByText('● here').waitFor();
    expect(await page.getByRole('button', { name: 'Tell me in this browser' }).count()).toBe(0);
    await page.reload();
    await table(owner).getByText('Chrome on Linux').waitFor();
    await table(owner).getByRole('button', { name: 'Remove (Chrome on Linux)' }).click();
    await page.getByText('None yet. A browser shows what happened').waitFor();
    expect(await page.evaluate(`localStorage.getItem('test.subscription')`)).toBeNull();
  });

  it('says why it is not, and goes on', async () => {
    const owner = await guests.invite(tenant, 'owner');
    const { page } = owner;
    await page.addInitScript(`Notification.requestPermission = async () => 'denied'`);
    await page.route('**/v1/me/push', (route) =>
      route.fulfill({ status: 400, json: { error: 'It is out of order', code: 'x' } }),
    );
    await owner.open('/people');
    await page.getByText('It is out of order').waitFor();
    await page.unrouteAll();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('button', { name: 'Tell me in this browser' }).click();
    await page.getByRole('alert').filter({ hasText: 'does not let Haldir notify you' }).waitFor();
    expect(await page.getByRole('button', { name: 'Tell me in this browser' }).isEnabled()).toBe(true);
  });

  it.each(LOOKS)('its list can be read by everybody ($width, $colorScheme)', async (look) => {
    const owner = await guests.invite(tenant, 'owner', look);
    await subscribable(owner);
    await owner.open('/people');
    await owner.page.getByRole('button', { name: 'Tell me in this browser' }).click();
    await table(owner).getByText('● here').waitFor();
    await looksGood(owner, 'browsers', look);
  });

  it('shows what it is told, once, and opens the page that it is about, which decides nothing; it goes nowhere else', async () => {
    const session_id = await tenant.session({ agent_id: 'asker' });
    const { body } = await tenant.post<{ request_id: string }>('/v1/approvals/request', { session_id });
    const path = `/approvals/${body.request_id}`;
    const owner = await guests.invite(tenant, 'owner');
    const { page, context, origin } = owner;
    await subscribable(owner);
    await owner.open('/people');
    const cdp = await context.newCDPSession(page);
    let registrationId = '';
    cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      for (const { scopeURL, registrationId: id } of registrations)
        if (scopeURL === `${origin}/console/`) registrationId = id;
    });
    await cdp.send('ServiceWorker.enable');
    const started = context.waitForEvent('serviceworker');
    await page.getByRole('button', { name: 'Tell me in this browser' }).click();
    const worker: Worker = await started;
    // It is at work by then.
    await table(owner).getByText('● here').waitFor();
    await eventually(() => expect(registrationId).not.toBe(''));
    const shown = (): Promise<{ title: string; body: string; path: string; actions: number }[]> =>
      worker.evaluate(`self.registration.getNotifications().then((all) => all.map(({ title, body, data, actions }) =>
        ({ title, body, path: data.path, actions: actions.length })))`);
    const tell = (data: unknown): Promise<unknown> =>
      cdp.send('ServiceWorker.deliverPushMessage', {
        ...{ origin, registrationId, data: typeof data === 'string' ? data : JSON.stringify(data) },
      });
    const message = { title: 'Approval requested', path, tag: 'evt_1' };
    for (const _ of [1, 2]) await tell(message);
    await eventually(async () =>
      expect(await shown()).toEqual([{ title: 'Approval requested', body: '', path, actions: 0 }]),
    );
    // Pressed: what a browser does then, but for the window, which it opens for people alone.
    const opened = (): Promise<string[]> =>
      worker.evaluate(`(async () => {
        const opened = [];
        self.clients.openWindow = async (address) => { opened.push(address); return null; };
        const waits = [];
        for (const notification of await self.registration.getNotifications()) {
          const event = new NotificationEvent('notificationclick', { notification });
          event.waitUntil = (promise) => waits.push(promise);
          self.dispatchEvent(event);
        }
        await Promise.all(waits);
        return opened;
      })()`);
    expect(await opened()).toEqual([origin + path]);
    await eventually(async () => expect(await shown()).toEqual([]));
    await page.goto(origin + path);
    await page.getByRole('button', { name: 'Approve' }).first().waitFor();
    expect((await tenant.get(`/v1/approvals/${body.request_id}`)).body).toMatchObject({ status: 'pending' });
    const elsewhere = [
      'https://evil.example/',
      '//evil.example/x',
      '/../..//evil.example',
      '/x?y',
      'javascript:alert(1)',
      7,
    ];
    for (const [i, hostile] of elsewhere.entries()) await tell({ title: 'x', path: hostile, tag: `evt_x${i}` });
    for (const garbage of ['', 'no json', 'null', '[]']) await tell(garbage);
    await eventually(async () => expect((await shown()).length).toBeGreaterThanOrEqual(elsewhere.length));
    for (const address of await opened()) expect(address).toBe(`${origin}/`);
  });
});
