import {
  asSignedIn,
  Client,
  type Otherwise,
  pageOf,
  type PasskeyOptionsJson,
  peopleEntries,
  type Person,
  personOf,
  type Reply,
  sharedWorld,
  SoftwareAuthenticator,
  startApi,
  testEnvironment,
  type World,
} from '@haldir/test-support';

type SignedIn = Parameters<typeof asSignedIn>[1];
interface Detail {
  passkey_id: string;
  name: string;
  rp_id: string;
  used_at: number | null;
}

let world: World;
let tenant: Client;
beforeAll(async () => {
  world = await sharedWorld();
});
beforeEach(async () => {
  tenant = await world.newTenant();
});

const authenticator = (): SoftwareAuthenticator => new SoftwareAuthenticator(pageOf(tenant.url));
const enrolmentOptions = async (person: Person): Promise<PasskeyOptionsJson> =>
  (await person.post<PasskeyOptionsJson>('/v1/me/passkeys/options')).body;
const enrol = (person: Person, credential: object, name = ''): Promise<Reply<Detail>> =>
  person.post<Detail>('/v1/me/passkeys', { credential, name });
const enrolled = async (person: Person, device = authenticator(), name = ''): Promise<SoftwareAuthenticator> => {
  expect((await enrol(person, device.create(await enrolmentOptions(person)), name)).status).toBe(201);
  return device;
};

const page = () => ({ origin: pageOf(tenant.url) });
const signInOptions = async (): Promise<PasskeyOptionsJson> => {
  const nobody = new Client(tenant.url, null);
  return (await nobody.post<PasskeyOptionsJson>('/v1/sign-in/passkey/options', {}, page())).body;
};
const signIn = (credential: object, headers: object = page(), url = tenant.url): Promise<SignedIn> =>
  new Client(url, null).post<SignedIn['body']>('/v1/sign-in/passkey', { credential }, { ...headers });
const signInBy = async (device: SoftwareAuthenticator, otherwise: Otherwise = {}): Promise<SignedIn> =>
  signIn(device.get(await signInOptions(), otherwise));
const passkeysOf = async (person: Person): Promise<Detail[]> =>
  (await person.get<{ passkeys: Detail[] }>('/v1/me/passkeys')).body.passkeys;

/** What everybody is told who is not let in, but for the id of their request. */
const refusal = ({ status, headers, body }: SignedIn) => {
  const { request_id: _, ...said } = body as unknown as Record<string, unknown>;
  return { status, cookie: headers.get('set-cookie'), said };
};

describe('a passkey', () => {
  it('is made by who is signed in, and signs them in: once for each challenge, over two processes', async () => {
    const alice = await personOf(tenant, 'approver', 'alice@example.com');
    const options = await enrolmentOptions(alice);
    expect(options).toMatchObject({
      rp: { id: 'localhost', name: 'Haldir' },
      user: { name: 'alice@example.com', id: Buffer.from(alice.id).toString('base64url') },
      ...{ attestation: 'none', excludeCredentials: [], timeout: 300_000 },
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    });
    const device = authenticator();
    const made = await enrol(alice, device.create(options), 'My laptop');
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ name: 'My laptop', rp_id: 'localhost', used_at: null });
    expect(Object.keys(made.body)).not.toContain('public_key');

    const asked = await signInOptions();
    expect(asked).toMatchObject({ rpId: 'localhost', userVerification: 'required' });
    expect(JSON.stringify(asked)).not.toContain('allowCredentials":[{');
    // A page of each process, which have ports of their own here, and one challenge.
    const racing = await Promise.all(
      Array.from({ length: 6 }, (_, i) => {
        const { url } = world.apis[i % 2] as { url: string };
        const credential = device.get(asked, { origin: pageOf(url), counter: 0 });
        return signIn(credential, { origin: pageOf(url) }, url);
      }),
    );
    expect(racing.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401, 401, 401]);
    const again = asSignedIn(tenant.url, racing.find(({ status }) => status === 200) as SignedIn);
    expect(again.id).toBe(alice.id);
    expect((await again.get('/v1/me')).body).toMatchObject({
      person: { person_id: alice.id, role: 'approver' },
      sign_in: { method: 'passkey' },
    });
    expect(await passkeysOf(again)).toMatchObject([{ ...made.body, used_at: expect.any(Number) as number }]);

    const entries = await peopleEntries(tenant);
    const id = device.credentialId.toString('base64url');
    expect(entries.slice(2).map(({ action, details }) => ({ action, ...details }))).toMatchObject([
      {
        ...{ action: 'passkey_enrolled', passkey_id: made.body.passkey_id, credential_id: id },
        ...{ public_key: device.coseKey().toString('base64url'), algorithm: -7, rp_id: 'localhost' },
      },
      { action: 'person_signed_in', method: 'passkey', passkey_id: made.body.passkey_id },
    ]);
  });

  it('signs nobody in by what was signed elsewhere, for something else, without the person, or long ago', async () => {
    const alice = await personOf(tenant, 'owner');
    const device = await enrolled(alice);
    const used = await signInOptions();
    expect((await signIn(device.get(used))).status).toBe(200);
    const forEnrolment = (await enrolmentOptions(alice)).challenge;
    const altered = Buffer.from(used.challenge, 'base64url').fill(1, 16, 17).toString('base64url');
    const wrong: Otherwise[] = [
      { challenge: used.challenge },
      ...[forEnrolment, altered, 'A'.repeat(72), 'x', ''].map((challenge) => ({ challenge })),
      { origin: 'https://evil.example' },
      { origin: 'http://localhost:1' },
      { origin: tenant.url },
      { rpId: 'evil.example' },
      { isVerified: false },
      { type: 'webauthn.create' },
      { crossOrigin: true },
      { counter: 1 },
    ];
    const unknown = authenticator();
    unknown.create(await enrolmentOptions(alice));
    const told = refusal(await signInBy(unknown));
    expect(told).toMatchObject({ status: 401, cookie: null, said: { code: 'unauthorized' } });
    for (const otherwise of wrong)
      expect([otherwise, refusal(await signInBy(device, otherwise))]).toEqual([otherwise, told]);
    // Whoever knows the id of a credential, and of whom it is, has not its key.
    const forged = new SoftwareAuthenticator(pageOf(tenant.url), { credentialId: device.credentialId });
    const userHandle = Buffer.from(alice.id).toString('base64url');
    expect(refusal(await signInBy(forged, { userHandle }))).toEqual(told);
    expect((await signInBy(device, { counter: 10 })).status).toBe(200);
  });

  it('signs in whom it was made for, and nobody else, of the tenant or of another', async () => {
    const [alice, bob] = [await personOf(tenant, 'owner', 'a@example.com'), await personOf(tenant, 'auditor')];
    const [ofAlice, ofBob] = [await enrolled(alice), await enrolled(bob)];
    const other = await personOf(await world.newTenant(), 'owner');
    const handles = [alice.id, other.id, 'prs_nobody', `${bob.id}\0`, '*'].map((id) =>
      Buffer.from(id).toString('base64url'),
    );
    for (const userHandle of handles) expect((await signInBy(ofBob, { userHandle })).status).toBe(401);
    expect(asSignedIn(tenant.url, await signInBy(ofAlice)).id).toBe(alice.id);

    // A challenge is for one person, and an authenticator may have the same id for one of another tenant.
    const device = new SoftwareAuthenticator(pageOf(tenant.url), { credentialId: ofBob.credentialId });
    const stolen = await enrol(other, device.create(await enrolmentOptions(bob)));
    expect([stolen.status, stolen.body]).toMatchObject([400, { field: 'credential' }]);
    await enrolled(other, device);
    expect(asSignedIn(tenant.url, await signInBy(device)).id).toBe(other.id);
    expect(asSignedIn(tenant.url, await signInBy(ofBob)).id).toBe(bob.id);
    const again = await enrol(alice, ofBob.create(await enrolmentOptions(alice)));
    expect([again.status, again.body]).toMatchObject([409, { code: 'passkey_exists' }]);
    // What is another's is not there.
    const [{ passkey_id: id } = { passkey_id: '' }] = await passkeysOf(bob);
    for (const person of [alice, other]) expect((await person.delete(`/v1/me/passkeys/${id}`)).status).toBe(404);
    expect(await passkeysOf(bob)).toHaveLength(1);
  });

  it.each([
    [`UPDATE passkey SET public_key = $2 WHERE person_id = $1`],
    [`UPDATE passkey SET credential_id = $2 WHERE person_id = $1`],
    [`UPDATE passkey SET algorithm = -8 + length($2::bytea) * 0 WHERE person_id = $1`],
    [`UPDATE passkey SET rp_id = 'example.com' || left($2::bytea::text, 0) WHERE person_id = $1`],
    [`UPDATE passkey SET created_at = now() + '1 day' + length($2::bytea) * interval '0' WHERE person_id = $1`],
    [`UPDATE passkey SET mac = $2 WHERE person_id = $1`],
    [`UPDATE membership SET role = 'owner' WHERE person_id = $1 AND $2::bytea IS NOT NULL`],
  ])('signs nobody in once a row is another: %s', async (change) => {
    const carol = await personOf(tenant, 'auditor');
    const device = await enrolled(carol);
    expect((await signInBy(device)).status).toBe(200);
    const forged = new SoftwareAuthenticator(
      pageOf(tenant.url),
      change.includes('credential_id') ? {} : { credentialId: device.credentialId },
    );
    forged.create(await enrolmentOptions(carol));
    await world.sql(change, [carol.id, change.includes('credential_id') ? forged.credentialId : forged.coseKey()]);
    for (const each of [device, forged]) expect((await signInBy(each)).status).toBe(401);
    // One of another site would be in the way of those that others make.
    await world.sql('DELETE FROM passkey WHERE person_id = $1', [carol.id]);
  });

  it('signs nobody in by a passkey that was moved to another person in the database', async () => {
    const [alice, carol] = [await personOf(tenant, 'owner'), await personOf(tenant, 'auditor')];
    const device = await enrolled(carol);
    await world.sql('UPDATE passkey SET person_id = $1 WHERE person_id = $2', [alice.id, carol.id]);
    const userHandle = Buffer.from(alice.id).toString('base64url');
    expect((await signInBy(device, { userHandle })).status).toBe(401);
  });

  it('is over once it is removed, or its person is, who has none when they come again', async () => {
    const bob = await personOf(tenant, 'auditor', 'bob@example.com');
    const [lost, kept] = [await enrolled(bob, authenticator(), 'lost'), await enrolled(bob, authenticator(), 'kept')];
    const listed = await bob.get<{ passkeys: Detail[]; next_cursor: string }>('/v1/me/passkeys?limit=1');
    expect(listed.body.passkeys.map(({ name }) => name)).toEqual(['kept']);
    const next = await bob.get<{ passkeys: Detail[] }>(
      `/v1/me/passkeys?limit=1&cursor=${encodeURIComponent(listed.body.next_cursor)}`,
    );
    const [{ name, passkey_id: id }] = next.body.passkeys as [Detail];
    expect(name).toBe('lost');
    expect((await bob.delete(`/v1/me/passkeys/${id}`)).body).toEqual({ removed: true, passkey_id: id });
    expect((await bob.delete(`/v1/me/passkeys/${id}`)).status).toBe(404);
    expect((await signInBy(lost)).status).toBe(401);
    expect((await signInBy(kept)).status).toBe(200);
    expect((await peopleEntries(tenant)).find(({ action }) => action === 'passkey_removed')?.details).toEqual({
      ...{ passkey_id: id, credential_id: lost.credentialId.toString('base64url') },
    });

    expect((await tenant.delete(`/v1/people/${bob.id}`)).status).toBe(200);
    expect((await signInBy(kept)).status).toBe(401);
    const again = await personOf(tenant, 'auditor', 'bob@example.com');
    expect(again.id).toBe(bob.id);
    expect(await passkeysOf(again)).toEqual([]);
    expect((await signInBy(kept)).status).toBe(401);
  });

  it('is one of at most twenty of a person, also when they are made at once', async () => {
    const alice = await personOf(tenant, 'owner');
    for (let i = 0; i < 19; i++) await enrolled(alice);
    const options = await Promise.all([1, 2, 3].map(() => enrolmentOptions(alice)));
    const made = await Promise.all(options.map((each) => enrol(alice, authenticator().create(each))));
    expect(made.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    expect(made.find(({ status }) => status === 409)?.body).toMatchObject({ code: 'too_many_passkeys' });
    expect(await passkeysOf(alice)).toHaveLength(20);
  });
});

describe('what makes a passkey', () => {
  it('is taken once, of a page of Haldir’s own, with the person there', async () => {
    const alice = await personOf(tenant, 'owner');
    const used = await enrolmentOptions(alice);
    expect((await enrol(alice, authenticator().create(used))).status).toBe(201);
    const wrong: Otherwise[] = [
      ...[used.challenge, (await signInOptions()).challenge, ''].map((challenge) => ({ challenge })),
      ...[{ origin: 'https://evil.example' }, { rpId: 'evil.example' }, { isVerified: false }],
      ...[{ type: 'webauthn.get' }, { crossOrigin: true }, { format: 'packed' }, { format: 'apple' }],
    ];
    for (const otherwise of wrong) {
      const { status, body } = await enrol(alice, authenticator().create(await enrolmentOptions(alice), otherwise));
      expect([otherwise, status, body]).toMatchObject([otherwise, 400, { field: 'credential' }]);
    }
    expect(await passkeysOf(alice)).toHaveLength(1);
  });

  it('is read with care: what is no credential is a 400 that names the member and repeats nothing', async () => {
    const alice = await personOf(tenant, 'owner');
    const good = authenticator().create(await enrolmentOptions(alice));
    const { response } = good;
    const said = 'correct horse!';
    const garbage = Buffer.from(said.repeat(9)).toString('base64url');
    for (const [field, credential] of [
      ['credential', undefined],
      ['credential', 'text'],
      ['credential', null],
      ['credential.id', { ...good, id: said }],
      ['credential.id', { ...good, id: 'A'.repeat(1365) }],
      ['credential.type', { ...good, type: said }],
      ['credential.response', { ...good, response: said }],
      ['credential.response.clientDataJSON', { ...good, response: { ...response, clientDataJSON: 7 } }],
      ['credential.response.attestationObject', { ...good, response: { ...response, attestationObject: said } }],
      ['credential', { ...good, response: { ...response, attestationObject: garbage } }],
      ['credential', { ...good, response: { ...response, attestationObject: 'gYGBgYGBgYGBgYGB'.repeat(4000) } }],
      ['credential', { ...good, response: { ...response, clientDataJSON: garbage } }],
      ['credential', { ...good, id: garbage }],
    ] as const) {
      const { status, body } = await alice.post('/v1/me/passkeys', { credential });
      expect([field, status, body['field']]).toEqual([field, 400, field]);
      for (const text of [said, garbage]) expect(JSON.stringify(body)).not.toContain(text);
    }
    const named = await alice.post('/v1/me/passkeys', { credential: good, name: 'x'.repeat(65) });
    expect([named.status, named.body]).toMatchObject([400, { field: 'name' }]);

    const device = await enrolled(alice);
    const signed = device.get(await signInOptions());
    for (const [field, more] of [
      ['credential.response.signature', { signature: said }],
      ['credential.response.authenticatorData', { authenticatorData: undefined }],
      ['credential.response.userHandle', { userHandle: '' }],
    ] as const) {
      const { status, body } = await signIn({ ...signed, response: { ...signed.response, ...more } });
      expect([status, (body as unknown as Record<string, unknown>)['field']]).toEqual([400, field]);
      expect(JSON.stringify(body)).not.toContain(said);
    }
    for (const more of [{ signature: garbage }, { authenticatorData: 'AA' }, { clientDataJSON: 'AA' }])
      expect((await signIn({ ...signed, response: { ...signed.response, ...more } })).status).toBe(401);
  });

  it('is asked of pages of Haldir’s own alone, and of people who are signed in', async () => {
    const alice = await personOf(tenant, 'owner');
    const device = await enrolled(alice);
    for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, {}] as Record<string, string>[]) {
      const nobody = new Client(tenant.url, null);
      expect((await nobody.post('/v1/sign-in/passkey/options', {}, headers)).body).toMatchObject({
        code: 'foreign_origin',
      });
      expect((await signIn(device.get(await signInOptions()), headers)).status).toBe(403);
    }
    const agent = { agent_id: 'a', scopes: ['read'], ttl: 600, spend_limit: 0 };
    const { body } = await tenant.post<{ key: string }>('/v1/keys', { agent });
    for (const key of [tenant.key, body.key, null]) {
      const client = new Client(tenant.url, key);
      for (const [method, path] of [
        ['GET', '/v1/me/passkeys'],
        ['POST', '/v1/me/passkeys'],
        ['POST', '/v1/me/passkeys/options'],
        ['DELETE', '/v1/me/passkeys/psk_1'],
      ] as const)
        expect((await client.send(method, path, method === 'POST' ? {} : undefined)).status).toBe(key ? 403 : 401);
    }
  });
});

it(
  'a start is refused while passkeys are for another site, unless the site is named',
  { timeout: 300_000 },
  async () => {
    const environment = await testEnvironment({});
    const api = await startApi(environment);
    tenant = new Client(api.url, null);
    const { body } = await tenant.post<{ key: string }>('/v1/keys', { tier: 'enterprise' });
    await enrolled(await personOf(new Client(api.url, body.key), 'owner'));
    await api.stop();
    const elsewhere = { ...environment, HALDIR_PUBLIC_URL: 'https://haldir.example.com' };
    await expect(startApi(elsewhere)).rejects.toThrow(/people have passkeys for localhost.*HALDIR_RP_ID/);
    const named = await startApi({ ...elsewhere, HALDIR_RP_ID: 'example.com' });
    try {
      const page = { origin: 'https://haldir.example.com' };
      const options = await new Client(named.url, null).post('/v1/sign-in/passkey/options', {}, page);
      expect(options.body).toMatchObject({ rpId: 'example.com' });
    } finally {
      await named.stop();
    }
  },
);
