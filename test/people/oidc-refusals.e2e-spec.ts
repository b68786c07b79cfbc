import {
  type Client,
  eventually,
  OidcBrowser,
  type Returned,
  ScriptedIssuer,
  startApi,
  startWorld,
  testEnvironment,
  type World,
} from '@haldir/test-support';
import { freePort } from '../../scripts/embedded/ports.mjs';

/** Stands in whatever the issuer says, and in nothing that Haldir says. */
const MARK = 'said-by-the-issuer';
const SECRET = 'secret-of-the-client-at-the-issuer';
const PATHS = ['/.well-known/openid-configuration', '/keys', '/token', '/userinfo'];

let issuer: ScriptedIssuer;
let world: World;
let tenant: Client;
let origin: string;
beforeAll(async () => {
  origin = `http://localhost:${await freePort()}`;
  issuer = await new ScriptedIssuer().start();
  world = await startWorld({
    environment: { HALDIR_PUBLIC_URL: origin, HALDIR_OIDC_UNKNOWN_ROLE: 'auditor', ...settings(issuer.url) },
  });
  tenant = world.operator;
  await tenant.post('/v1/people', { email: 'alice@example.com', role: 'auditor' });
});
afterAll(async () => {
  await Promise.all([world.stop(), issuer.stop()]);
});
afterEach(() => {
  issuer.answers.clear();
  issuer.metadata = {};
});

function settings(url: string): Record<string, string> {
  return { HALDIR_OIDC_ISSUER: url, HALDIR_OIDC_CLIENT_ID: 'haldir', HALDIR_OIDC_CLIENT_SECRET: SECRET };
}

interface Begun {
  browser: OidcBrowser;
  nonce: string;
  returned: Returned;
}

/** A sign-in that is back from the issuer, with a code that stands for whatever that says next. */
async function begun(): Promise<Begun> {
  const browser = new OidcBrowser(origin, world.apis);
  const { searchParams } = await browser.begin();
  const returned = { state: searchParams.get('state') ?? '', code: `code-${MARK}` };
  return { browser, nonce: searchParams.get('nonce') ?? '', returned };
}

const alice = { sub: 'alice', email: 'alice@example.com', email_verified: true, name: MARK };
const SECONDS = (): number => Math.floor(Date.now() / 1000);

describe('an ID token', () => {
  it('that is good signs in once, though the issuer takes its code again', async () => {
    const { browser, nonce, returned } = await begun();
    const cookie = browser.cookies(origin);
    issuer.signsIn({ ...alice, nonce });
    expect((await browser.finish(returned)).status).toBe(200);
    const replies = await Promise.all([1, 2].map(() => browser.finish(returned, {}, { cookie })));
    expect(replies.map(({ status, headers }) => [status, headers.get('set-cookie')])).toEqual([
      [401, null],
      [401, null],
    ]);
    expect(issuer.asked.filter((path) => path === '/token').length).toBeGreaterThanOrEqual(3);
  });

  type Forge = (nonce: string) => void;
  it.each<[string, Forge]>([
    ['has another nonce', () => issuer.signsIn({ ...alice, nonce: MARK })],
    ['has no nonce', () => issuer.signsIn({ ...alice })],
    ['is for another client', (nonce) => issuer.signsIn({ ...alice, nonce, aud: MARK })],
    [
      'is for others too, and not by us',
      (nonce) => issuer.signsIn({ ...alice, nonce, aud: ['haldir', MARK], azp: MARK }),
    ],
    ['is of another issuer', (nonce) => issuer.signsIn({ ...alice, nonce, iss: `https://${MARK}.example` })],
    ['is over', (nonce) => issuer.signsIn({ ...alice, nonce, iat: SECONDS() - 7200, exp: SECONDS() - 3600 })],
    ['is not good yet', (nonce) => issuer.signsIn({ ...alice, nonce, nbf: SECONDS() + 3600 })],
    ['is signed by somebody else', (nonce) => issuer.signsIn({ ...alice, nonce }, {}, issuer.strangersKey())],
    ['is signed by nobody', (nonce) => issuer.signsIn({ ...alice, nonce }, {}, null)],
    ['is signed by a key that there is not', (nonce) => issuer.signsIn({ ...alice, nonce }, { kid: MARK })],
    ['is signed in another way', (nonce) => issuer.signsIn({ ...alice, nonce }, { alg: 'HS256' })],
    ['names nobody', (nonce) => issuer.signsIn({ ...alice, nonce, sub: undefined })],
    ['names what is no name', (nonce) => issuer.signsIn({ ...alice, nonce, sub: `a\u0000${MARK}` })],
    ['names somebody at too great a length', (nonce) => issuer.signsIn({ ...alice, nonce, sub: 'a'.repeat(256) })],
  ])('that %s signs nobody in', async (_, forge) => {
    const { browser, nonce, returned } = await begun();
    forge(nonce);
    const { status, body, headers } = await browser.finish(returned);
    expect([status, headers.get('set-cookie')]).toEqual([401, null]);
    expect(JSON.stringify(body)).not.toContain(MARK);
  });

  it('whose claims are of another kind than they should be is refused, or taken without them', async () => {
    for (const claims of [
      { email: [MARK] },
      { email: { a: MARK } },
      { email: `${MARK}\u0000@example.com` },
      { email: null, email_verified: MARK },
      { name: `\u0000${MARK}` },
      { name: { first: MARK } },
    ]) {
      const { browser, nonce, returned } = await begun();
      const sub = 'email' in claims ? 'somebody' : 'alice';
      issuer.signsIn({ ...alice, sub, nonce, ...claims });
      const { status, body } = await browser.finish(returned);
      expect([claims, status]).toEqual([claims, 'email' in claims ? 403 : 200]);
      expect(JSON.stringify(body)).not.toContain(MARK);
    }
  });
});

describe('an issuer', () => {
  it('that another one is mixed up with signs nobody in (RFC 9207)', async () => {
    const { browser, nonce, returned } = await begun();
    issuer.signsIn({ ...alice, nonce });
    const before = issuer.asked.length;
    expect((await browser.finish({ ...returned, iss: 'https://evil.example' })).status).toBe(401);
    // Its code was sent nowhere.
    expect(issuer.asked.slice(before)).toEqual([]);
    expect((await browser.finish({ ...returned, iss: issuer.url })).status).toBe(200);
  });

  it.each([
    ['/token', { status: 500, body: MARK }],
    ['/token', { status: 200, body: MARK }],
    ['/token', { status: 302, headers: { location: 'http://127.0.0.1:1/' }, body: '' }],
    ['/token', { status: 200, headers: { 'content-type': 'application/json' }, body: `{"${MARK}":` }],
    ['/token', { status: 200, headers: { 'content-type': 'application/json' }, body: '"'.padEnd(300_000, 'x') }],
    ['/token', { status: 204, body: '' }],
    ['/token', { status: 799, body: MARK }],
    ['/token', { status: 401, headers: { 'content-type': 'application/json' }, body: `{"error":"${MARK}"}` }],
    ['/token', { status: 401, headers: { 'www-authenticate': `Basic realm="${MARK}"` }, body: '' }],
  ])('that answers %s with %j is away, and nothing of it is repeated', async (path, answer) => {
    const { browser, returned } = await begun();
    issuer.answers.set(path, answer);
    const { status, body, headers } = await browser.finish(returned);
    expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'issuer_away', '5']);
    expect(JSON.stringify(body)).not.toContain(MARK);
  });

  it('that refuses a code signs nobody in, and says so', async () => {
    const { browser, returned } = await begun();
    const body = JSON.stringify({ error: 'invalid_grant', error_description: MARK });
    issuer.answers.set('/token', { status: 400, headers: { 'content-type': 'application/json' }, body });
    const refused = await browser.finish(returned);
    expect(refused.status).toBe(401);
    expect(JSON.stringify(refused.body)).not.toContain(MARK);
  });

  it('is asked for what its token does not say, about the same person alone', async () => {
    const finishAs = async (said: object): Promise<number> => {
      const { browser, nonce, returned } = await begun();
      issuer.signsIn({ sub: 'alice', nonce });
      const headers = { 'content-type': 'application/json' };
      issuer.answers.set('/userinfo', { headers, body: JSON.stringify(said) });
      return (await browser.finish(returned)).status;
    };
    expect(await finishAs({ ...alice, sub: 'mallory' })).toBe(401);
    expect(await finishAs(alice)).toBe(200);
  });

  it('that was away when Haldir started is asked again, and people are shown a page meanwhile', async () => {
    const port = await freePort();
    const environment = { ...world.environment, HALDIR_OIDC_ISSUER: `http://127.0.0.1:${port}` };
    const api = await startApi(environment);
    const late = new ScriptedIssuer();
    try {
      const begin = (): Promise<URL> => new OidcBrowser(origin, [api]).begin();
      expect((await begin()).href).toBe(`${origin}/welcome#oidc&away`);
      await late.start(port);
      expect(
        (
          await eventually(async () => {
            const at = await begin();
            if (at.origin !== late.url) throw new Error('it is away still');
            return at;
          })
        ).pathname,
      ).toBe('/authorize');
      // What it said before is good while it is away again.
      await late.stop();
      expect((await begin()).origin).toBe(late.url);
    } finally {
      await api.stop();
    }
  });

  it('that says it is another is none', async () => {
    const other = await new ScriptedIssuer().start();
    other.metadata = { issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0' };
    const api = await startApi({ ...world.environment, HALDIR_OIDC_ISSUER: other.url });
    try {
      expect((await new OidcBrowser(origin, [api]).begin()).hash).toBe('#oidc&away');
    } finally {
      await Promise.all([api.stop(), other.stop()]);
    }
  });
});

it('whoever nobody knows has the role of the setting, where there is one', async () => {
  const { browser, nonce, returned } = await begun();
  issuer.signsIn({ ...alice, sub: 'bob', email: 'bob@example.com', nonce });
  expect(await browser.finish(returned)).toMatchObject({ status: 200, body: { person: { role: 'auditor' } } });
});

describe('what a browser brings', () => {
  it.each<[string, object]>([
    ['state', { state: 1 }],
    ['state', { state: 'x' }],
    ['code', { code: 'a'.repeat(4097) }],
    ['code', { code: '\u0000' }],
    ['iss', { iss: ['a'] }],
    ['error', { error: 'é' }],
    ['page_secret', { page_secret: '' }],
  ])('is refused by the name of %s: %j', async (field, otherwise) => {
    const { browser, returned } = await begun();
    const { status, body } = await browser.finish(returned, otherwise);
    expect([status, body.field]).toEqual([400, field]);
  });

  it('is no sign-in without a code, with a cookie of its own making, or over', async () => {
    const { browser, returned } = await begun();
    expect((await browser.finish({ state: returned['state'] ?? '' })).status).toBe(401);
    for (const cookie of [
      '',
      '__Host-haldir-oidc=',
      '__Host-haldir-oidc=AAAA',
      `__Host-haldir-oidc=${'A'.repeat(400)}`,
    ])
      expect((await browser.finish(returned, {}, { cookie })).status).toBe(401);
  });

  it('is in no log, nor is what the issuer was told', async () => {
    const { browser, returned } = await begun();
    await browser.comeBack(new URL(`${origin}/v1/sign-in/oidc/callback?${new URLSearchParams(returned).toString()}`));
    await eventually(() => expect(world.apis[0]?.output()).toContain('/v1/sign-in/oidc/callback'));
    const output = world.apis[0]?.output() ?? '';
    for (const word of [MARK, SECRET, 'access-token', 'eyJ']) expect(output).not.toContain(word);
    expect(issuer.asked.every((path) => PATHS.includes(path))).toBe(true);
  });
});

it.each([
  ['HALDIR_OIDC_ROLES', { HALDIR_OIDC_ROLE_CLAIM: 'groups', HALDIR_OIDC_ROLES: 'ops=superuser' }],
  ['HALDIR_OIDC_TENANT', { HALDIR_OIDC_TENANT: `tnt_${'0'.repeat(26)}` }],
  ['HALDIR_PUBLIC_URL', { HALDIR_PUBLIC_URL: '', HOST: '0.0.0.0' }],
])('a start is refused by the name of %s', async (name, wrong) => {
  const environment = await testEnvironment({ ...settings('https://issuer.example'), ...wrong });
  await expect(startApi(environment)).rejects.toThrow(new RegExp(`${name} should`));
});
