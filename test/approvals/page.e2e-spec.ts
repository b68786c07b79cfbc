// The page on which a human decides, as a browser and a stranger meet it.
import { request as httpRequest } from 'node:http';
import {
  type ApprovalPage,
  type AppProcess,
  type Client,
  pagesOfTests,
  sharedWorld,
  type World,
} from '@haldir/test-support';

type Json = Record<string, unknown>;

let world: World;
let tenant: Client;
let session: string;
beforeAll(async () => {
  world = await sharedWorld();
});
beforeEach(async () => {
  tenant = await world.newTenant();
  session = await tenant.session({ agent_id: 'asker' });
});

const there = (): AppProcess => world.apis[1] as AppProcess;
const openPage = pagesOfTests();
const open = (id: string): Promise<ApprovalPage> => openPage(`${there().url}/approvals/${id}`);
/** A request that an agent makes of its own accord. */
const ask = async (more: Json = {}): Promise<string> => {
  const { status, body } = await tenant.post('/v1/approvals/request', { session_id: session, ...more });
  expect(status).toBe(201);
  return String(body['request_id']);
};
const ownKey = (): string => tenant.key ?? '';

describe('the page', () => {
  const paths = (id: string): string[] => [
    `/approvals/${id}`,
    '/approvals/assets/approval.js',
    '/approvals/assets/approval.css',
    // Of the page of sign-in.
    '/welcome/assets/passkey.js',
    '/welcome/assets/oidc.js',
  ];
  const POLICY = {
    'content-security-policy':
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'strict-transport-security': 'max-age=31536000',
    'set-cookie': null,
  };

  it('cannot be framed, kept or fed from elsewhere, under whatever address it is asked for', async () => {
    for (const path of [
      ...paths('apr_nothing'),
      '/%61pprovals/apr_nothing',
      '/approvals/x%2Fy',
      '/approvals/apr_a/?docs',
    ]) {
      for (const method of ['GET', 'HEAD']) {
        const { status, headers } = await fetch(there().url + path, { method });
        expect([path, status]).toEqual([path, 200]);
        expect(Object.fromEntries(Object.keys(POLICY).map((name) => [name, headers.get(name)]))).toEqual(POLICY);
      }
    }
    const types = await Promise.all(
      paths('apr_x').map(async (path) => (await fetch(there().url + path)).headers.get('content-type')),
    );
    expect(types.map((type) => type?.replace('; charset=utf-8', ''))).toEqual([
      ...['text/html', 'text/javascript', 'text/css', 'text/javascript', 'text/javascript'],
    ]);
  });

  it('alone has its policy: what is not of it keeps the ones that were', async () => {
    const policyOf = async (path: string): Promise<string | null> =>
      (await fetch(there().url + path)).headers.get('content-security-policy');
    for (const path of ['/healthz', '/v1/approvals/apr_x', '/approvals/a/b', '/approvalsx', '/docsx']) {
      expect([path, await policyOf(path)]).toEqual([path, "default-src 'none'; frame-ancestors 'none'"]);
    }
    for (const path of ['/docs', '/docs/', '/docs/swagger-ui.css', '/docs/swagger-ui-init.js']) {
      expect([path, await policyOf(path)]).toEqual([
        path,
        expect.stringContaining("script-src 'self' 'unsafe-inline'"),
      ]);
    }
    expect((await fetch(`${there().url}/approvals/apr_x`, { method: 'POST' })).status).toBe(405);
  });

  it('is the same for every id, with a key or without, so that it tells nobody whether there is a request', async () => {
    const id = await ask();
    const bytes = async (path: string, headers: Record<string, string> = {}): Promise<unknown> => {
      const answer = await fetch(there().url + path, { headers });
      const told = [...answer.headers].filter(([name]) => !['date', 'x-request-id'].includes(name));
      return [answer.status, told, Buffer.from(await answer.arrayBuffer()).toString('base64')];
    };
    const known = await bytes(`/approvals/${id}`);
    for (const other of [
      'apr_nothing',
      'apr_01jd0000000000000000000000',
      '..%2F..',
      '%3Cscript%3E',
      'x'.repeat(2000),
    ]) {
      expect(await bytes(`/approvals/${other}`)).toEqual(known);
    }
    expect(await bytes(`/approvals/${id}`, { authorization: 'Bearer hld_nonsense' })).toEqual(known);
    expect(await bytes(`/approvals/${id}`, { authorization: `Bearer ${ownKey()}` })).toEqual(known);
  });

  it('keeps to its policy, which a browser holds it to: nothing in line, nothing from elsewhere', async () => {
    const page = await open('apr_nothing');
    const all = [...page.window.document.querySelectorAll('*')];
    const attributes = all.flatMap((element) => [...element.attributes].map(({ name, value }) => ({ name, value })));
    expect(attributes.filter(({ name }) => name === 'style' || name.startsWith('on'))).toEqual([]);
    const loaded = attributes.filter(({ name }) => ['src', 'href', 'action', 'formaction', 'srcset'].includes(name));
    expect(loaded.map(({ value }) => value).sort()).toEqual(paths('').slice(1).sort());
    expect(all.filter(({ tagName }) => ['STYLE', 'IFRAME', 'BASE', 'OBJECT', 'IMG'].includes(tagName))).toEqual([]);
    const scripts = all.filter(({ tagName }) => tagName === 'SCRIPT');
    expect(scripts.map(({ textContent }) => textContent)).toEqual(['', '', '']);
    const [script, style, passkeys, oidc] = await Promise.all(
      paths('')
        .slice(1)
        .map(async (path) => (await fetch(there().url + path)).text()),
    );
    expect(`${script}${passkeys}${oidc}`).not.toMatch(
      /innerHTML|outerHTML|insertAdjacent|document\.write|eval|new Function|setAttribute\('(?!aria)/,
    );
    // What a person has in this browser is read, and put there when they sign in; nothing else is.
    const others = `${script}${passkeys}`.replaceAll(
      /localStorage\.(?:getItem\(KEPT\)|setItem\(KEPT, pageToken\))/g,
      '',
    );
    expect(others).not.toMatch(/Storage|cookie|indexedDB|\bhistory\b|document\.title|https?:(?!\/\/www\.w3\.org\/TR)/);
    expect(style).not.toMatch(/url\(|@import|https?:/);
    // Without its script nothing of it would be sent: no field has a name.
    expect(
      attributes.filter(
        ({ name, value }) => name === 'name' && !['viewport', 'color-scheme', 'robots'].includes(value),
      ),
    ).toEqual([]);
  });

  it('has a label for each field, and says aloud what became of it', async () => {
    const page = await open('apr_nothing');
    for (const field of page.window.document.querySelectorAll('input, textarea')) {
      expect([...page.window.document.querySelectorAll(`label[for="${field.id}"]`)]).toHaveLength(1);
    }
    expect(page.window.document.getElementById('message')?.getAttribute('role')).toBe('status');
    const key = page.window.document.getElementById('key');
    expect([key?.getAttribute('type'), key?.getAttribute('autocomplete')]).toEqual(['password', 'off']);
  });

  it('keeps the key nowhere that outlives it', async () => {
    const id = await ask();
    const page = await open(id);
    const address = page.window.location.href;
    const entries = page.window.history.length;
    const expectNoTrace = (): void => {
      const { window } = page;
      const secret = ownKey().slice(14);
      const fields = [...window.document.querySelectorAll('input, textarea')].map(({ value }) => value);
      expect([page.source, window.document.cookie, window.document.title, ...fields].join('\n')).not.toContain(secret);
      expect([window.localStorage.length, window.sessionStorage.length]).toEqual([0, 0]);
      expect([window.location.href, window.history.length, window.history.state]).toEqual([address, entries, null]);
      for (const name of Object.getOwnPropertyNames(window)) {
        const value = (window as unknown as Json)[name];
        if (typeof value === 'string') expect(value).not.toContain(secret);
      }
    };
    await page.enter(ownKey());
    expectNoTrace();
    await page.approve({ by: 'Dana' });
    expectNoTrace();
    expect(page.asked.every((target) => !target.includes('hld_'))).toBe(true);
  });

  it.each([
    'apr_1%2Fapprove',
    'apr_..%2F..%2Fv1%2Fkeys',
    'apr_1%3Fx=1',
    'apr_',
    'APR_1',
    '..%2F..%2Fv1',
    '%2e%2e%2f',
    '%3Cscript%3Ewindow.hacked=1%3C%2Fscript%3E',
    'assets',
    'apr_1;x',
    'apr_%C3%A9',
    `apr_${'0'.repeat(65)}`,
  ])('says of %s that it is the address of no request, and asks nothing of anybody', async (id) => {
    const page = await open(id);
    expect(page.outcome()).toMatch(/not the address of a request/);
    expect(page.shown()).not.toMatch(/Your API key/);
    expect(page.asked).toEqual([]);
    expect((page.window as unknown as Json)['hacked']).toBeUndefined();
  });

  it('takes of its address the id alone', async () => {
    const id = await ask({ tool: 'crm.delete' });
    const page = await open(`${id}/?id=apr_other#/v1/approvals/apr_other`);
    await page.enter(ownKey());
    expect(page.asked).toEqual([`GET /v1/approvals/${id}`]);
    expect(page.shown()).toMatch(/crm\.delete/);
  });

  it('is not served for an address that is none', async () => {
    const statusOf = (path: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const { hostname, port } = new URL(there().url);
        // As it is written: `fetch` would resolve the dots.
        httpRequest({ hostname, port, path }, (answer) => resolve(answer.resume().statusCode ?? 0))
          .on('error', reject)
          .end();
      });
    expect(await statusOf('/approvals/%E0%A4%A')).toBe(400);
    expect(await statusOf('/approvals/apr_%00')).toBe(400);
    expect(await statusOf('/approvals/assets/../../package.json')).toBe(404);
    expect(await statusOf('/approvals/assets/..%2f..%2fpackage.json')).toBe(404);
    expect(await statusOf(`/approvals/${'x'.repeat(3000)}`)).toBe(404);
  });
});
