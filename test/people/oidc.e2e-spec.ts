import {
  asSignedIn,
  type Client,
  eventually,
  ISSUER_CLIENT,
  OidcBrowser,
  pagesOfTests,
  peopleEntries,
  type RealIssuer,
  startRealIssuer,
  startWorld,
  type World,
} from '@haldir/test-support';
import { freePort } from '../../scripts/embedded/ports.mjs';

let issuer: RealIssuer;
let world: World;
let tenant: Client;
let origin: string;
beforeAll(async () => {
  // Nobody listens there: the browser of the tests goes to the processes in turn.
  origin = `http://localhost:${await freePort()}`;
  issuer = await startRealIssuer(() => [`${origin}/v1/sign-in/oidc/callback`]);
  world = await startWorld({ processes: 2, environment: { HALDIR_PUBLIC_URL: origin, ...settings() } });
  tenant = world.operator;
});
afterAll(async () => {
  await Promise.all([world.stop(), issuer.stop()]);
});
const open = pagesOfTests();

function settings(): Record<string, string> {
  return {
    ...{ HALDIR_OIDC_ISSUER: issuer.url, HALDIR_OIDC_NAME: 'Example & "Sons"' },
    ...{ HALDIR_OIDC_CLIENT_ID: ISSUER_CLIENT.id, HALDIR_OIDC_CLIENT_SECRET: ISSUER_CLIENT.secret },
    ...{ HALDIR_OIDC_ROLE_CLAIM: 'groups', HALDIR_OIDC_ROLES: 'admins=owner,ops=operator,staff=auditor' },
  };
}

const browser = (): OidcBrowser => new OidcBrowser(origin, world.apis);
const invite = async (email: string, role = 'auditor'): Promise<string> => {
  const { status, body } = await tenant.post<{ link: string; person_id: string }>('/v1/people', { email, role });
  expect(status).toBe(201);
  return body.person_id;
};
const account = (sub: string, claims: object = {}): void => {
  issuer.accounts.set(sub, { email: `${sub}@example.com`, email_verified: true, ...claims });
};
const entriesOf = async (personId: string) =>
  (await peopleEntries(tenant)).filter((entry) => JSON.stringify(entry).includes(personId));

describe('signing in by an issuer', () => {
  it('signs in whom the tenant invited, by a verified address, over two processes', async () => {
    const id = await invite('Alice@example.com', 'approver');
    account('alice', { name: 'Alice', email: 'alice@EXAMPLE.com' });
    const alice = browser();
    const answer = await alice.signIn('alice');
    expect(answer).toMatchObject({ status: 200, body: { person: { person_id: id }, return_to: '/welcome' } });
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^__Host-haldir=[\w-]{43}; Path=\/; Max-Age=604800; Secure; HttpOnly; SameSite=Lax$/),
      expect.stringMatching(/^__Host-haldir-oidc=; .*Max-Age=0/),
    ]);
    for (const { url } of world.apis) {
      const { status, body } = await asSignedIn(url, answer).get('/v1/me');
      expect([status, body]).toMatchObject([200, { person: { role: 'approver' }, sign_in: { method: 'oidc' } }]);
    }
    const bound = { issuer: issuer.url, subject: 'alice', email: 'alice@example.com' };
    expect(await entriesOf(id)).toContainEqual(
      expect.objectContaining({ action: 'person_identity_bound', details: expect.objectContaining(bound) }),
    );
    expect(await peopleEntries(tenant)).toContainEqual(
      expect.objectContaining({
        action: 'person_signed_in',
        details: expect.objectContaining({ method: 'oidc', role: 'approver', issuer: issuer.url }),
      }),
    );
  });

  it('takes what comes back once, in the browser and from the page that began it', async () => {
    await invite('bob@example.com');
    account('bob');
    const [bob, other] = [browser(), browser()];
    await other.begin();
    const returned = await bob.comeBack(await bob.atIssuer(await bob.begin('/approvals/apr_1?x=1'), 'bob'));
    const had = bob.cookies(origin);
    expect(returned).toMatchObject({ iss: issuer.url, code: expect.any(String), state: expect.any(String) });

    // Of another browser, whether or not one was begun there; of another page; of another origin.
    expect((await other.finish(returned)).status).toBe(401);
    expect((await browser().finish(returned)).status).toBe(401);
    expect((await bob.finish(returned, { page_secret: 'A'.repeat(43) })).status).toBe(401);
    for (const from of ['https://evil.example', 'null', 'http://localhost:1'])
      expect((await bob.finish(returned, {}, { origin: from })).body).toMatchObject({ code: 'foreign_origin' });
    expect((await bob.finish({ ...returned, state: 'A'.repeat(43) })).status).toBe(401);
    expect((await bob.finish({ ...returned, iss: 'https://evil.example' })).status).toBe(401);
    const { iss: _, ...withoutIssuer } = returned;
    expect((await bob.finish(withoutIssuer)).status).toBe(401);

    expect(await bob.finish(returned)).toMatchObject({ status: 200, body: { return_to: '/approvals/apr_1?x=1' } });
    expect((await bob.finish(returned)).status).toBe(401);
    expect((await bob.finish(returned, {}, { cookie: had })).status).toBe(401);
  });

  it('leads to pages of this Haldir alone', async () => {
    for (const path of [
      ...['https://evil.example', '//evil.example', '/\\evil.example', '/welcome/../..//evil.example', '/a//evil'],
      ...['/%2F%2Fevil.example', 'welcome', '/welcome#x', '/@evil', '/welcome\t', `/${'a'.repeat(512)}`, ''],
      ...['/v1', '/v1/me', '/v1?a=b'],
    ]) {
      const query = new URLSearchParams({ page: 'A'.repeat(43), return_to: path });
      const { status, body, headers } = await tenant.get(`/v1/sign-in/oidc?${query.toString()}`);
      expect([path, status, body['field'], headers.get('location')]).toEqual([path, 400, 'return_to', null]);
    }
    expect((await tenant.get('/v1/sign-in/oidc')).body).toMatchObject({ field: 'page' });
    const asked = await browser().begin('/');
    expect([asked.origin, asked.searchParams.get('redirect_uri')]).toEqual([
      issuer.url,
      `${origin}/v1/sign-in/oidc/callback`,
    ]);
    expect(asked.searchParams.get('code_challenge_method')).toBe('S256');
  });

  it('tells nobody who declined, or may not, more than that', async () => {
    const carol = browser();
    const state = (await carol.begin()).searchParams.get('state') ?? '';
    const callback = new URL(`${origin}/v1/sign-in/oidc/callback`);
    const said = { state, iss: issuer.url, error: 'access_denied', error_description: '<b>Evil</b>', extra: 'x' };
    callback.search = new URLSearchParams(said).toString();
    const returned = await carol.comeBack(callback);
    expect(returned).toEqual({ state, iss: issuer.url, error: 'access_denied' });
    const { status, body } = await carol.finish(returned);
    expect([status, body.error]).toEqual([
      401,
      expect.stringMatching(/^You were not signed in where you were sent to/),
    ]);
    expect(JSON.stringify(body)).not.toMatch(/Evil|access_denied/);
  });
});

describe('who comes by an issuer', () => {
  it('is who they were found to be first, whatever their address is later', async () => {
    const id = await invite('dora@example.com');
    await invite('erin@example.com', 'owner');
    account('dora');
    expect((await browser().signIn('dora')).body.person.person_id).toBe(id);

    account('dora', { email: 'erin@example.com' });
    expect((await browser().signIn('dora')).body.person).toMatchObject({ person_id: id, email: 'dora@example.com' });
    account('dora', { email: undefined, email_verified: undefined });
    expect((await browser().signIn('dora')).body.person).toMatchObject({ person_id: id });
    // Whoever has the address now is somebody else.
    account('new-dora', { email: 'dora@example.com' });
    expect(await browser().signIn('new-dora')).toMatchObject({ status: 403, body: { code: 'email_of_another' } });
  });

  it('has no access without an invitation or a claim, by an address that is not verified, or once removed', async () => {
    const refused = async (sub: string, code: string): Promise<void> => {
      const { status, body, headers } = await browser().signIn(sub);
      expect([sub, status, body.code]).toEqual([sub, 403, code]);
      expect(headers.get('set-cookie')).toBeNull();
    };
    account('stranger');
    await refused('stranger', 'not_invited');
    account('root', { groups: ['owner', 'operator', 'root'] });
    await refused('root', 'not_invited');
    await invite('frank@example.com', 'owner');
    for (const email_verified of [false, undefined, 'true', 1]) {
      account('frank', { email_verified, groups: ['ops'] });
      await refused('frank', 'email_not_verified');
    }
    account('frank', { email: 'frank', groups: ['ops'] });
    await refused('frank', 'email_not_verified');

    const id = await invite('gina@example.com');
    account('gina', { groups: ['ops'] });
    const gina = await browser().signIn('gina');
    expect(gina.status).toBe(200);
    expect((await tenant.delete(`/v1/people/${id}`)).status).toBe(200);
    await refused('gina', 'not_invited');
    // Nor with another address, which many can give themselves.
    account('gina', { email: 'georgina@example.com', groups: ['ops'] });
    await refused('gina', 'not_invited');
    account('gina');
    expect(await invite('gina@example.com')).toBe(id);
    expect((await browser().signIn('gina')).body.person.person_id).toBe(id);
  });

  it('has the role of the claim at each sign-in, which the log has, and none once it is gone', async () => {
    account('hugo', { groups: ['ops', 'staff'] });
    const first = await browser().signIn('hugo');
    const id = first.body.person.person_id;
    expect(first.body.person.role).toBe('operator');
    account('hugo', { groups: 'staff' });
    const hugo = await browser().signIn('hugo');
    expect(hugo.body.person.role).toBe('auditor');
    const changes = (await entriesOf(id)).map(({ action, details }) => [action, details['role'], details['by']]);
    expect(changes).toContainEqual(['person_admitted', 'operator', 'claim']);
    expect(changes).toContainEqual(['person_role_changed', 'auditor', 'claim']);
    account('hugo', { groups: ['others'] });
    const before = asSignedIn(world.apis[0]?.url ?? '', hugo);
    expect((await before.get('/v1/me')).status).toBe(200);
    expect(await browser().signIn('hugo')).toMatchObject({ status: 403, body: { code: 'not_invited' } });
    // What they were signed in with is gone, too.
    expect((await before.get('/v1/me')).status).toBe(401);
    expect((await entriesOf(id)).map(({ action }) => action)).toContain('person_claim_lost');
    // By hand they have one again, which no claim takes.
    expect((await tenant.patch(`/v1/people/${id}`, { role: 'approver' })).status).toBe(200);
    expect((await browser().signIn('hugo')).body.person.role).toBe('approver');

    await invite('ines@example.com', 'approver');
    account('ines', {});
    expect((await browser().signIn('ines')).body.person.role).toBe('approver');
  });

  it('stays the last owner, whatever the claim says', async () => {
    account('olga', { groups: ['admins'] });
    expect((await browser().signIn('olga')).body.person.role).toBe('owner');
    account('olga', { groups: ['staff'] });
    expect((await browser().signIn('olga')).body.person.role).toBe('owner');
    const last = (await peopleEntries(tenant)).at(-1);
    expect(last).toMatchObject({ details: { role: 'owner', claimed_role: 'auditor', kept: 'last_owner' } });
    for (const groups of [[], ['others'], undefined]) {
      account('olga', { groups });
      expect((await browser().signIn('olga')).body.person.role).toBe('owner');
    }
    account('otto', { groups: ['admins'] });
    expect((await browser().signIn('otto')).body.person.role).toBe('owner');
    account('olga', { groups: ['staff'] });
    expect((await browser().signIn('olga')).body.person.role).toBe('auditor');
  });

  it.each([
    [
      `UPDATE oidc_identity SET person_id = (SELECT id FROM person WHERE email = 'erin@example.com') WHERE subject = 'kate'`,
    ],
    [`UPDATE oidc_identity SET claimed_role = 'owner' WHERE subject = 'kate'`],
    [`UPDATE oidc_identity SET mac = sha256('x') WHERE subject = 'kate'`],
    [
      `UPDATE membership SET role = 'owner' WHERE person_id = (SELECT person_id FROM oidc_identity WHERE subject = 'kate')`,
    ],
  ])('is nobody once a row is another: %s', async (change) => {
    await world.sql(`DELETE FROM membership USING person WHERE person_id = id AND email = 'kate@example.com'`);
    await world.sql(`DELETE FROM person WHERE email = 'kate@example.com'`);
    await world.sql(`DELETE FROM oidc_identity WHERE subject = 'kate'`);
    await invite('kate@example.com');
    account('kate');
    expect((await browser().signIn('kate')).status).toBe(200);
    await world.sql(change);
    expect((await browser().signIn('kate')).status).toBe(401);
  });

  it('comes once, however many of their browsers race over two processes', async () => {
    account('lena', { groups: ['staff'] });
    const answers = await Promise.all(Array.from({ length: 4 }, () => browser().signIn('lena')));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(new Set(answers.map(({ body }) => body.person.person_id)).size).toBe(1);
  });
});

it('the first of a tenant that has neither key nor person comes as an owner, or not at all', async () => {
  await world.sql('DELETE FROM tenant_door');
  account('petra', { groups: ['staff'] });
  expect(await browser().signIn('petra')).toMatchObject({ status: 403, body: { code: 'not_invited' } });
  account('petra', { groups: ['admins'] });
  expect((await browser().signIn('petra')).body.person.role).toBe('owner');
  account('quinn', { groups: ['staff'] });
  expect((await browser().signIn('quinn')).body.person.role).toBe('auditor');
});

describe('pages', () => {
  it('lead to the issuer, and sign in whoever comes back', async () => {
    const port = await freePort();
    const own = `http://localhost:${port}`;
    const another = await startRealIssuer(() => [`${own}/v1/sign-in/oidc/callback`]);
    const environment = { ...settings(), HALDIR_OIDC_ISSUER: another.url, PORT: String(port) };
    const here = await startWorld({ environment });
    try {
      another.accounts.set('alice', { email: 'alice@example.com', email_verified: true, groups: ['staff'] });
      for (const path of ['/approvals/apr_1', '/welcome']) {
        const page = await open(own + path);
        await page.settled();
        await eventually(() => expect(page.hasButton('Sign in with Example & "Sons"')).toBe(true));
        const [button] = page.window.document.querySelectorAll('button[data-oidc]');
        const begun = new URL(button?.getAttribute('data-oidc') ?? '', own);
        expect([begun.pathname, begun.searchParams.get('return_to')]).toEqual(['/v1/sign-in/oidc', path]);
        if (path !== '/welcome') continue;

        const alice = new OidcBrowser(own, here.apis);
        const returned = await alice.comeBack(await alice.atIssuer(await alice.follow(begun), 'alice'));
        page.keep(alice.cookies(own));
        page.window.location.href = `${own}/welcome#oidc&${new URLSearchParams(returned).toString()}`;
        await eventually(() => expect(page.outcome()).toBe('You are signed in.'));
        await page.settled();
        expect(page.shown()).toContain('alice@example.com');
        expect(page.window.location.href).toBe(`${own}/welcome`);
        page.window.location.href = `${own}/welcome#oidc&${new URLSearchParams(returned).toString()}`;
        await eventually(() => expect(page.outcome()).toMatch(/^This sign-in was begun in another browser, is over/));
      }
    } finally {
      await Promise.all([here.stop(), another.stop()]);
    }
  });

  it('offer no issuer where none is set, and routes say so', async () => {
    const here = await startWorld();
    try {
      const page = await open(`${here.apis[0]?.url}/welcome`);
      await page.settled();
      expect(page.shown()).not.toContain('Sign in with');
      const { status } = await here.operator.get(`/v1/sign-in/oidc?page=${'A'.repeat(43)}`);
      expect(status).toBe(404);
    } finally {
      await here.stop();
    }
  });
});
