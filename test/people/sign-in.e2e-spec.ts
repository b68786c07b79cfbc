import {
  asSignedIn,
  Client,
  cookieOf,
  pageOf,
  peopleEntries,
  type Person,
  personOf,
  sharedWorld,
  signInByLink,
  tokenOf,
  type World,
} from '@haldir/test-support';

let world: World;
let tenant: Client;
beforeAll(async () => {
  world = await sharedWorld();
});
beforeEach(async () => {
  tenant = await world.newTenant();
});

const invite = async (email: string, role = 'auditor'): Promise<string> => {
  const { status, body } = await tenant.post<{ link: string }>('/v1/people', { email, role });
  expect(status).toBe(201);
  return tokenOf(body.link);
};

describe('a link', () => {
  it('signs in once, over two processes at once, and sets a cookie that only browsers see', async () => {
    const token = await invite('Alice@Example.com', 'approver');
    const racing = await Promise.all(
      Array.from({ length: 8 }, (_, i) => signInByLink((world.apis[i % 2] as { url: string }).url, token)),
    );
    const [won, ...others] = racing.sort((one, other) => one.status - other.status);
    expect(others.map(({ status }) => status)).toEqual(Array(7).fill(401));
    expect(won?.status).toBe(200);
    expect(won?.headers.get('set-cookie')).toMatch(
      /^__Host-haldir=[A-Za-z0-9_-]{43}; Path=\/; Max-Age=604800; Secure; HttpOnly; SameSite=Lax$/,
    );
    const alice = asSignedIn(tenant.url, won as NonNullable<typeof won>);
    expect((await alice.get('/v1/me')).body).toMatchObject({
      person: { person_id: alice.id, email: 'alice@example.com', role: 'approver', status: 'active' },
      scopes: ['*:read', 'approvals:*'],
      sign_in: { method: 'link', current: true },
    });
    // Neither token is in what was answered of the other, nor kept as it is.
    expect(JSON.stringify(won?.body)).not.toContain(cookieOf(won as NonNullable<typeof won>).split('=')[1]);
    const rows = await world.sql<{ hash: string; page_hash: string }>(
      `SELECT encode(hash, 'hex') AS hash, encode(page_hash, 'hex') AS page_hash FROM sign_in WHERE person_id = $1`,
      [alice.id],
    );
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(alice.tokens.pageToken);
    const actions = (await peopleEntries(tenant)).map(({ action, details }) => [
      action,
      details['email'] ?? details['method'],
    ]);
    expect(actions).toEqual([
      ['person_invited', 'alice@example.com'],
      ['person_signed_in', 'link'],
    ]);
  });

  it('is good no more once it is replaced, over, or of somebody who was removed', async () => {
    const [first, second] = [await invite('a@example.com'), await invite('a@example.com')];
    expect((await signInByLink(tenant.url, first)).status).toBe(401);
    expect((await signInByLink(tenant.url, second)).status).toBe(200);

    const late = await invite('b@example.com');
    await world.sql(`UPDATE invitation SET expires_at = now() - interval '1 second' WHERE hash = sha256($1::bytea)`, [
      late,
    ]);
    expect((await signInByLink(tenant.url, late)).status).toBe(401);

    const removed = await invite('c@example.com');
    const { body } = await tenant.get<{ people: { person_id: string; email: string }[] }>('/v1/people');
    const person = body.people.find(({ email }) => email === 'c@example.com');
    expect((await tenant.delete(`/v1/people/${person?.person_id}`)).status).toBe(200);
    expect((await signInByLink(tenant.url, removed)).status).toBe(401);
    for (const token of ['x', 'A'.repeat(43)]) expect((await signInByLink(tenant.url, token)).status).toBe(401);
    expect((await signInByLink(tenant.url, '')).body).toMatchObject({ field: 'token' });
  });

  it('ends the sign-in that the browser had before', async () => {
    const alice = await personOf(tenant, 'auditor', 'alice@example.com');
    const { cookie, pageToken } = alice.tokens;
    const had = { cookie, 'x-haldir-page': pageToken };
    const bob = asSignedIn(tenant.url, await signInByLink(tenant.url, await invite('bob@example.com'), {}, had));
    expect((await alice.get('/v1/me')).status).toBe(401);
    expect((await bob.get('/v1/me')).body).toMatchObject({ person: { email: 'bob@example.com' } });
  });

  it('is taken from pages of this Haldir alone', async () => {
    const token = await invite('a@example.com');
    for (const origin of [
      'https://evil.example',
      'null',
      'http://localhost:1',
      `https://localhost:${new URL(tenant.url).port}`,
    ]) {
      const { status, headers, body } = await signInByLink(tenant.url, token, {}, { origin });
      expect([origin, status, headers.get('set-cookie')]).toEqual([origin, 403, null]);
      expect(body).toMatchObject({ code: 'foreign_origin' });
    }
    expect((await new Client(tenant.url, null).post('/v1/sign-in/link', { token })).status).toBe(403);
    expect((await signInByLink(tenant.url, token)).status).toBe(200);
  });
});

describe('who is signed in', () => {
  it('is nobody without both tokens, and by a request of a page elsewhere', async () => {
    const alice = await personOf(tenant, 'owner');
    const bob = await personOf(tenant, 'auditor');
    const { cookie, pageToken } = alice.tokens;
    const anyone = new Client(tenant.url, null);
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await anyone.get('/v1/me', headers)).status;
    expect(await status({ cookie, 'x-haldir-page': pageToken })).toBe(200);
    for (const headers of [
      { cookie },
      { 'x-haldir-page': pageToken },
      { cookie: bob.tokens.cookie, 'x-haldir-page': pageToken },
      { cookie: cookie.replace('__Host-', ''), 'x-haldir-page': pageToken },
      { cookie, 'x-haldir-page': '' },
    ])
      expect(await status(headers as Record<string, string>)).toBe(401);

    // Whatever changes something comes from a page of Haldir's own.
    for (const origin of ['https://evil.example', 'null', 'http://localhost:1'])
      expect((await alice.post('/v1/keys', {}, { origin })).body).toMatchObject({ code: 'foreign_origin' });
    const simple = { cookie, 'content-type': 'text/plain', origin: pageOf(tenant.url) };
    expect((await anyone.post('/v1/me/sign-out', '{}', simple)).status).toBe(401);
    expect((await alice.post('/v1/keys', {})).status).toBe(201);
  });

  it('is told to no page of another origin, which cannot send what it takes', async () => {
    const alice = await personOf(tenant, 'owner');
    for (const method of ['GET', 'POST']) {
      const asked = { origin: 'https://evil.example', 'access-control-request-method': method };
      const preflight = await new Client(tenant.url, null).send('OPTIONS', '/v1/keys', undefined, {
        ...asked,
        'access-control-request-headers': 'x-haldir-page',
      });
      expect(preflight.headers.get('access-control-allow-credentials')).toBeNull();
      expect(preflight.headers.get('access-control-allow-headers')?.toLowerCase()).not.toContain('x-haldir-page');
    }
    const { headers } = await alice.get('/v1/me', { origin: 'https://evil.example' });
    expect([headers.get('access-control-allow-credentials'), headers.get('access-control-allow-origin')]).toEqual([
      null,
      '*',
    ]);
  });

  it('acts with a key that is sent beside the cookie as that key alone', async () => {
    const alice = await personOf(tenant, 'owner');
    const { body } = await tenant.post<{ key: string }>('/v1/keys', { scopes: ['webhooks:read'] });
    const both = (key: string) => alice.get('/v1/people', { authorization: `Bearer ${key}` });
    expect((await both(body.key)).body).toMatchObject({ code: 'insufficient_scope' });
    expect((await both('hld_nonsense')).status).toBe(401);
    expect((await alice.get('/v1/people')).status).toBe(200);
  });

  it('is signed out at once, here and on another browser, on every process', async () => {
    const alice = await personOf(tenant, 'owner');
    const elsewhere = await personOf(tenant, 'owner');
    expect(elsewhere.id).toBe(alice.id);
    const there = (person: Person): Person => person.at(world.apis[1] as never);
    const { body } = await alice.get<{ sign_ins: { sign_in_id: string; current: boolean }[] }>('/v1/me/sign-ins');
    expect(body.sign_ins.map(({ current }) => current)).toEqual([false, true]);
    const other = body.sign_ins[0]?.sign_in_id;
    expect((await there(elsewhere).get('/v1/me')).status).toBe(200);
    expect((await alice.delete(`/v1/me/sign-ins/${other}`)).status).toBe(200);
    expect((await there(elsewhere).get('/v1/me')).status).toBe(401);
    expect((await alice.delete(`/v1/me/sign-ins/${other}`)).status).toBe(404);

    const out = await alice.post('/v1/me/sign-out');
    expect([out.status, out.headers.get('set-cookie')]).toEqual([
      200,
      expect.stringMatching(/^__Host-haldir=; .*Max-Age=0/),
    ]);
    expect((await there(alice).get('/v1/me')).status).toBe(401);
    // Nobody ends those of another person.
    const [bob, carol] = [await personOf(tenant, 'owner', 'bob@example.com'), await personOf(tenant, 'auditor')];
    const own = (await carol.get<{ sign_in: { sign_in_id: string } }>('/v1/me')).body.sign_in.sign_in_id;
    expect((await bob.delete(`/v1/me/sign-ins/${own}`)).status).toBe(404);
    expect((await carol.get('/v1/me')).status).toBe(200);
  });

  it('is so for twelve idle hours and seven days, and no longer', async () => {
    const alice = await personOf(tenant, 'owner');
    const set = (column: string, ago: string) =>
      world.sql(`UPDATE sign_in SET ${column} = now() - $2::interval WHERE person_id = $1`, [alice.id, ago]);
    await set('used_at', '11 hours 59 minutes');
    expect((await alice.get('/v1/me')).status).toBe(200);
    // Which was a use.
    const [row] = await world.sql<{ recent: boolean }>(
      `SELECT used_at > now() - interval '1 hour' AS recent FROM sign_in WHERE person_id = $1`,
      [alice.id],
    );
    expect(row?.recent).toBe(true);
    await set('used_at', '12 hours 1 second');
    expect((await alice.get('/v1/me')).status).toBe(401);
    const [begun] = await world.sql<{ days: string }>(
      `SELECT extract(epoch FROM expires_at - created_at)::text AS days FROM sign_in WHERE person_id = $1`,
      [alice.id],
    );
    expect(Number(begun?.days)).toBeCloseTo(7 * 86_400, 0);
  });

  it.each([
    [`UPDATE membership SET role = 'owner' WHERE person_id = $1`],
    [`UPDATE person SET email = 'ceo@example.com' WHERE id = $1`],
    [`UPDATE sign_in SET expires_at = expires_at + interval '1 year' WHERE person_id = $1`],
    [`UPDATE sign_in SET page_hash = sha256('x') WHERE person_id = $1`],
    [`UPDATE sign_in SET page_hash = '\\x00' WHERE person_id = $1`],
    [`UPDATE sign_in SET method = 'passkey' WHERE person_id = $1`],
    [`UPDATE sign_in SET created_at = created_at + interval '1 hour' WHERE person_id = $1`],
    [`UPDATE sign_in SET mac = sha256('x') WHERE person_id = $1`],
  ])('is nobody once a row is another: %s', async (change) => {
    const carol = await personOf(tenant, 'auditor');
    expect((await carol.get('/v1/me')).status).toBe(200);
    await world.sql(change, [carol.id]);
    expect((await carol.get('/v1/me')).status).toBe(401);
  });

  it('is nobody by a sign-in that was moved to another person in the database', async () => {
    const [alice, carol] = [await personOf(tenant, 'owner'), await personOf(tenant, 'auditor')];
    await world.sql('UPDATE sign_in SET person_id = $1 WHERE person_id = $2', [alice.id, carol.id]);
    expect((await carol.get('/v1/me')).status).toBe(401);
  });
});
