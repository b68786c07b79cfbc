import { setTimeout as pause } from 'node:timers/promises';
import { Client as Postgres } from 'pg';
import {
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
  startWorld,
  type World,
} from '@haldir/test-support';

interface Enrolled {
  person: Person;
  device: SoftwareAuthenticator;
  passkeyId: string;
}

async function enrol(person: Person, device: SoftwareAuthenticator): Promise<Reply<{ passkey_id: string }>> {
  const options = await person.post<PasskeyOptionsJson>('/v1/me/passkeys/options');
  return person.post<{ passkey_id: string }>('/v1/me/passkeys', { credential: device.create(options.body) });
}

async function enrolled(tenant: Client, email: string): Promise<Enrolled> {
  const person = await personOf(tenant, 'auditor', email);
  const device = new SoftwareAuthenticator(pageOf(tenant.url));
  const made = await enrol(person, device);
  expect(made.status).toBe(201);
  return { person, device, passkeyId: made.body.passkey_id };
}

async function signIn(url: string, device: SoftwareAuthenticator, otherwise: Otherwise = {}): Promise<Reply> {
  const [nobody, page] = [new Client(url, null), { origin: pageOf(url) }];
  const { body } = await nobody.post<PasskeyOptionsJson>('/v1/sign-in/passkey/options', {}, page);
  return nobody.post('/v1/sign-in/passkey', { credential: device.get(body, otherwise) }, page);
}

const forgedOf = (tenant: Client, { credentialId }: SoftwareAuthenticator): SoftwareAuthenticator =>
  new SoftwareAuthenticator(pageOf(tenant.url), { credentialId });

/** Does the work while another process changes the people of the tenant, and ends that with it. */
async function whileHeld(world: World, tenant: Client, work: (held: Postgres) => Promise<void>): Promise<void> {
  const held = new Postgres({ connectionString: world.environment['DATABASE_OWNER_URL'] });
  await held.connect();
  try {
    await held.query('SELECT pg_advisory_lock(7247412, hashtext($1))', [await world.tenantOf(tenant)]);
    await work(held);
  } finally {
    await held.end();
  }
}

describe('signing in by a passkey', () => {
  it(
    'counts as a request of the person, and what was not signed by it counts for nothing',
    { timeout: 300_000 },
    async () => {
      const world = await startWorld({ environment: { HALDIR_TIER_LIMITS: 'free=20' } });
      try {
        const tenant = await world.newTenant({ tier: 'free' });
        const { person, device } = await enrolled(tenant, 'alice@example.com');
        const userHandle = Buffer.from(person.id).toString('base64url');
        for (let i = 0; i < 25; i++)
          expect((await signIn(tenant.url, forgedOf(tenant, device), { userHandle })).status).toBe(401);
        const replies: Reply[] = [];
        for (let i = 0; i < 25; i++) replies.push(await signIn(tenant.url, device));
        const refused = replies.filter(({ status }) => status === 429);
        const admitted = replies.filter(({ status }) => status === 200);
        expect(admitted.length).toBeGreaterThan(0);
        expect(admitted.length).toBeLessThan(20);
        expect(admitted.length + refused.length).toBe(25);
        expect(refused[0]?.body).toMatchObject({ code: 'rate_limited', limit: 20 });
        expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
        // Who is refused leaves nothing.
        const taken = await world.sql('SELECT 1 FROM taken_challenge WHERE tenant_id = $1', [
          await world.tenantOf(tenant),
        ]);
        expect(taken).toHaveLength(admitted.length + 1);
      } finally {
        await world.stop();
      }
    },
  );

  it('waits for nobody where it was not signed by the passkey', async () => {
    const world = await sharedWorld();
    const tenant = await world.newTenant();
    const { person, device } = await enrolled(tenant, 'alice@example.com');
    const userHandle = Buffer.from(person.id).toString('base64url');
    await whileHeld(world, tenant, async () => {
      for (const otherwise of [{ challenge: 'x' }, { origin: 'https://evil.example' }, { rpId: 'evil.example' }])
        expect((await signIn(tenant.url, device, otherwise)).status).toBe(401);
      expect((await signIn(tenant.url, forgedOf(tenant, device), { userHandle })).status).toBe(401);
    });
    expect((await signIn(tenant.url, device)).status).toBe(200);
  });
});

describe('a passkey', () => {
  it('is removed by one change of the people at a time', async () => {
    const world = await sharedWorld();
    const tenant = await world.newTenant();
    const { person, passkeyId } = await enrolled(tenant, 'alice@example.com');
    let removal: Promise<Reply> | undefined;
    await whileHeld(world, tenant, async (held) => {
      removal = person.delete(`/v1/me/passkeys/${passkeyId}`);
      const waits = async (): Promise<string> => {
        const waiting = `SELECT 1 FROM pg_locks l JOIN pg_locks w USING (locktype, database, classid, objid)
                          WHERE l.pid = pg_backend_pid() AND l.locktype = 'advisory' AND l.granted AND NOT w.granted`;
        while ((await held.query(waiting)).rows.length === 0) await pause(20);
        return 'waits';
      };
      expect(await Promise.race([removal, waits()])).toBe('waits');
    });
    expect((await removal)?.status).toBe(200);
  });

  it('is not made while anybody has one for another site', async () => {
    const world = await sharedWorld();
    const tenant = await world.newTenant();
    const { person, passkeyId } = await enrolled(tenant, 'alice@example.com');
    const other = await personOf(await world.newTenant(), 'owner');
    const device = new SoftwareAuthenticator(pageOf(tenant.url));
    await world.sql(`UPDATE passkey SET rp_id = 'example.com' WHERE id = $1`, [passkeyId]);
    const refused = await enrol(other, device);
    expect([refused.status, refused.body]).toMatchObject([409, { code: 'passkeys_of_another_site' }]);
    expect((await person.delete(`/v1/me/passkeys/${passkeyId}`)).status).toBe(200);
    expect((await enrol(other, device)).status).toBe(201);
  });

  it('is nobody’s who comes again, also where a process of an earlier version removed them', async () => {
    const world = await sharedWorld();
    const tenant = await world.newTenant();
    const { person, device } = await enrolled(tenant, 'bob@example.com');
    await world.sql('UPDATE membership SET removed_at = now() WHERE person_id = $1', [person.id]);
    await world.sql('DELETE FROM sign_in WHERE person_id = $1', [person.id]);
    const again = await personOf(tenant, 'auditor', 'bob@example.com');
    expect(again.id).toBe(person.id);
    expect((await again.get('/v1/me/passkeys')).body).toMatchObject({ passkeys: [] });
    expect((await signIn(tenant.url, device)).status).toBe(401);
    expect((await peopleEntries(tenant)).filter(({ action }) => action === 'person_signed_in')).toHaveLength(2);
  });
});
