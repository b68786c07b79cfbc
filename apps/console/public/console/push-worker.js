// What runs in a browser while no page of Haldir is open: shows what it is told, and opens the page that it is about. It decides nothing, and asks
// nobody anything.
/**
 * As much of a service worker as there is use for (https://www.w3.org/TR/service-workers/); the types of pages have none.
 *
 * @typedef {{ waitUntil(work: Promise<unknown>): void }} Extendable
 * @typedef {Extendable & { data: { json(): unknown } | null }} PushEvent
 * @typedef {Extendable & { notification: { close(): void, data: { path: string } } }} ClickEvent
 * @typedef {{ url: string, focus(): Promise<unknown> }} Page
 * @typedef {{ matchAll(which: object): Promise<Page[]>, openWindow(address: string): Promise<unknown> }} Pages
 * @typedef {(type: 'push', listener: (event: PushEvent) => void) => void} OnPush
 * @typedef {(type: 'notificationclick', listener: (event: ClickEvent) => void) => void} OnClick
 * @typedef {{ registration: ServiceWorkerRegistration, clients: Pages, addEventListener: OnPush & OnClick }} PushWorker
 */
{
  const worker = /** @type {PushWorker} */ (/** @type {unknown} */ (self));

  /** Of a page of Haldir: words that need no escape, and nothing that leads elsewhere. */
  const PATH = /^\/[\w-][\w/-]*$/;

  worker.addEventListener('push', (event) => {
    const { title, path, tag } = said(event);
    const shown = typeof title === 'string' ? title : 'Haldir has something to tell you';
    const page = typeof path === 'string' && PATH.test(path) ? path : '/';
    event.waitUntil(
      worker.registration.showNotification(shown, {
        data: { path: page },
        ...(typeof tag === 'string' ? { tag } : {}),
      }),
    );
  });

  worker.addEventListener('notificationclick', (event) => {
    event.notification.close();
    // Haldir may be below a path: this file is in a folder of its root.
    const page = new URL(`..${event.notification.data.path}`, worker.registration.scope);
    event.waitUntil(open(page.href));
  });

  /**
   * @param {PushEvent} event
   * @returns {Partial<Record<'title' | 'path' | 'tag', unknown>>}
   */
  function said({ data }) {
    try {
      const told = data?.json();
      return typeof told === 'object' && told !== null ? told : {};
    } catch {
      return {};
    }
  }

  /**
   * @param {string} address
   * @returns {Promise<unknown>}
   */
  async function open(address) {
    const pages = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
    const there = pages.find(({ url }) => url === address);
    return there ? there.focus() : worker.clients.openWindow(address);
  }
}
