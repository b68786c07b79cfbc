import { request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import {
  Client,
  pageOf,
  peopleEntries,
  type Person,
  personOf,
  Scenario,
  sharedWorld,
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

const ROLES = ['owner', 'operator', 'approver', 'auditor'] as const;

const EMPTY = {};
/** What each may begin with; what is wrong in a body is looked at after who may, but for keys, which are made. */
const MAY: readonly [method: string, path: string, body: object | undefined, roles: readonly string[]][] = [
  ['GET', '/v1/people', undefined, ROLES],
  ['GET', '/v1/audit', undefined, ROLES],
  ['GET', '/v1/audit/tree-head', undefined, ROLES],
  ['GET', '/v1/secrets', undefined, ROLES],
  ['GET', '/v1/approvals', undefined, ROLES],
  ['GET', '/v1/keys', undefined, ROLES],
  ['POST', '/v1/approvals/apr_x/approve', EMPTY, ['owner', 'operator', 'approver']],
  ['POST', '/v1/approvals/apr_x/approve/options', EMPTY, ['owner', 'operator', 'approver']],
  ['POST', '/v1/approvals/rules', EMPTY, ['owner', 'operator', 'approver']],
  ['POST', '/v1/sessions', EMPTY, ['owner', 'operator']],
  ['POST', '/v1/secrets', EMPTY, ['owner', 'operator']],
  ['POST', '/v1/proxy/upstreams', EMPTY, ['owner', 'operator']],
  ['POST', '/v1/proxy/policies', EMPTY, ['owner', 'operator']],
  ['POST', '/v1/webhooks', EMPTY, ['owner', 'operator']],
  ['POST', '/v1/audit/rules', EMPTY, ['owner', 'operator']],
  ['POST', '/v1/keys', EMPTY, ['owner']],
  ['POST', '/v1/people', EMPTY, ['owner']],
  ['PATCH', '/v1/people/prs_x', EMPTY, ['owner']],
  ['DELETE', '/v1/people/prs_x', undefined, ['owner']],
  ['POST', '/v1/approvals/settings', EMPTY, ['owner']],
  ['POST', '/v1/freeze', EMPTY, ['owner']],
];

it('a role does what its scopes say, on the routes that keys use, and is refused the rest', async () => {
  const people = await Promise.all(ROLES.map((role) => personOf(tenant, role)));
  for (const [method, path, body, roles] of MAY) {
    for (const [i, role] of ROLES.entries()) {
      const { status, body: said } = await (people[i] as Person).send(method, path, body);
      const isRefused = status === 403 && (said as { code: string }).code === 'insufficient_scope';
      expect([method, path, role, isRefused]).toEqual([method, path, role, !roles.includes(role)]);
      expect([400, 200, 201, 403, 404]).toContain(status);
    }
  }
});

it('nobody reads the value of a secret as a person, and MCP and connectors are for programs', async () => {
  const owner = await personOf(tenant, 'owner');
  await tenant.post('/v1/secrets', { name: 's', value: 'correct horse' });
  for (const path of ['/v1/secrets/s', '/v1/secrets/s/versions/1'])
    expect((await owner.get(path)).body).toMatchObject({ code: 'person_not_allowed' });
  const mcp = await owner.post('/mcp', { jsonrpc: '2.0', id: 1, method: 'tools/list' });
  expect(mcp.status).toBe(403);
  expect(JSON.stringify(mcp.body)).toContain('closed to people');
  expect((await owner.put('/v1/connectors/x/lease', { instance: 'x' })).status).toBe(403);
  // And what is a person's own is for no key.
  expect((await tenant.get('/v1/me')).body).toMatchObject({ code: 'person_needed' });
});

it('what a person does stands in the log as theirs, with their address', async () => {
  const owner = await personOf(tenant, 'owner', 'alice@example.com');
  await owner.post('/v1/approvals/rules', { type: 'spend_over', threshold: 5 });
  const { body } = await tenant.get<{ entries: Record<string, unknown>[] }>(
    '/v1/audit?action=approval_rule_added&limit=5',
  );
  expect(JSON.stringify(body.entries[0])).toContain('person:alice@example.com');
  expect(JSON.stringify(body.entries[0])).toContain(owner.id);
});

it('a session that a person opened spends as one that a key opened', async () => {
  const operator = await personOf(tenant, 'operator');
  const session_id = await operator.session({ agent_id: 'spender', scopes: ['spend:50'], spend_limit: 50 });
  const agent = { agent_id: 'spender', scopes: ['spend'], ttl: 600, spend_limit: 5 };
  const { body } = await tenant.post<{ key: string }>('/v1/keys', { agent });
  for (const by of [operator, new Client(tenant.url, body.key)])
    expect((await by.post('/v1/payments/authorize', { session_id, amount: 1 })).body).toMatchObject({
      authorized: true,
    });
  // The row of a key that opened one is still asked for.
  const opened = await tenant.session({ scopes: ['spend'], spend_limit: 5 });
  await world.sql('DELETE FROM api_key WHERE public_id = $1', [tenant.key?.slice(4, 14)]);
  expect((await operator.post('/v1/payments/authorize', { session_id: opened, amount: 1 })).body).not.toMatchObject({
    authorized: true,
  });
});

describe('approvals', () => {
  it('are decided by an approver, and never by the person who asked', async () => {
    const scenario = await Scenario.begin(world, { tenant });
    const [owner, approver] = [await personOf(tenant, 'owner'), await personOf(tenant, 'approver')];
    const ask = (by: Client) =>
      by.post<{ request_id: string }>('/v1/approvals/request', {
        session_id: scenario.session,
        tool: 't',
        action: 'a',
      });
    const { body } = await ask(owner);
    const approve = (by: Client) => by.post(`/v1/approvals/${body.request_id}/approve`, { decided_by: 'x' });
    expect((await approve(owner)).body).toMatchObject({ code: 'self_approval' });
    expect((await owner.post(`/v1/approvals/${body.request_id}/deny`, {})).status).toBe(403);
    expect((await approve(await personOf(tenant, 'auditor'))).status).toBe(403);
    expect((await approve(approver)).status).toBe(200);
    expect((await tenant.get(`/v1/approvals/${body.request_id}`)).body).toMatchObject({
      ...{ status: 'approved', requested_key: owner.id, decided_key: approver.id },
    });
    // A key decides what it asked for, as ever.
    const own = await ask(tenant);
    expect((await tenant.post(`/v1/approvals/${own.body.request_id}/approve`, {})).status).toBe(200);
    await scenario.end();
  });
});

describe('people', () => {
  it('are invited, changed and removed by owners, which holds from their next request on', async () => {
    const owner = await personOf(tenant, 'owner');
    const carol = await personOf(owner, 'auditor', 'carol@example.com');
    expect((await carol.post('/v1/sessions', { agent_id: 'a' })).status).toBe(403);
    expect((await owner.patch(`/v1/people/${carol.id}`, { role: 'operator' })).body).toMatchObject({
      role: 'operator',
    });
    expect((await carol.post('/v1/sessions', { agent_id: 'a' })).status).toBe(201);
    expect((await owner.patch(`/v1/people/${carol.id}`, { role: 'king' })).body).toMatchObject({ field: 'role' });
    expect((await owner.post('/v1/people', { email: 'carol@example.com', role: 'owner' })).body).toMatchObject({
      code: 'role_differs',
    });
    for (const email of ['', 'carol', 'a b@example.com', 'é@example.com', `${'a'.repeat(255)}@example.com`, 7])
      expect((await owner.post('/v1/people', { email, role: 'owner' })).body).toMatchObject({ field: 'email' });

    expect((await owner.delete(`/v1/people/${carol.id}`)).status).toBe(200);
    expect((await carol.get('/v1/me')).status).toBe(401);
    expect((await owner.delete(`/v1/people/${carol.id}`)).status).toBe(404);
    expect(
      (await owner.get<{ people: { email: string }[] }>('/v1/people')).body.people.map(({ email }) => email),
    ).toEqual(['owner@example.com']);
    // Whoever comes back is who they were.
    const again = await personOf(owner, 'auditor', 'carol@example.com');
    expect(again.id).toBe(carol.id);
    expect((await carol.get('/v1/me')).status).toBe(401);
    expect((await peopleEntries(tenant)).map(({ action }) => action)).toEqual([
      ...['person_invited', 'person_signed_in', 'person_invited', 'person_signed_in', 'person_role_changed'],
      ...['person_removed', 'person_invited', 'person_signed_in'],
    ]);
  });

  it('always have an owner among them, also when two take each other away at once', async () => {
    const [one, two] = [
      await personOf(tenant, 'owner', 'one@example.com'),
      await personOf(tenant, 'owner', 'two@example.com'),
    ];
    const outcomes = await Promise.all([one.delete(`/v1/people/${two.id}`), two.delete(`/v1/people/${one.id}`)]);
    expect(outcomes.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(1);
    const [last] = (await tenant.get<{ people: { person_id: string }[] }>('/v1/people')).body.people;
    expect((await tenant.delete(`/v1/people/${last?.person_id}`)).body).toMatchObject({ code: 'last_owner' });
    expect((await tenant.patch(`/v1/people/${last?.person_id}`, { role: 'auditor' })).body).toMatchObject({
      code: 'last_owner',
    });
  });

  it('are given no role by who has not all of its scopes, and taken none', async () => {
    const owner = await personOf(tenant, 'owner');
    const { body } = await tenant.post<{ key: string }>('/v1/keys', { scopes: ['admin:*'] });
    const admin = new Client(tenant.url, body.key);
    for (const role of ['owner', 'operator', 'approver', 'auditor'])
      expect((await admin.post('/v1/people', { email: 'x@example.com', role })).body).toMatchObject({
        code: 'scope_not_held',
      });
    expect((await admin.post('/v1/people', { email: 'owner@example.com', role: 'owner' })).status).toBe(403);
    expect((await admin.delete(`/v1/people/${owner.id}`)).status).toBe(403);
    expect((await admin.patch(`/v1/people/${owner.id}`, { role: 'auditor' })).status).toBe(403);
  });

  it('change nothing as who they were when their request began', async () => {
    const [owner, other] = [
      await personOf(tenant, 'owner', 'a@example.com'),
      await personOf(tenant, 'owner', 'b@example.com'),
    ];
    const body = JSON.stringify({ email: 'mallory@example.com', role: 'owner' });
    const late = request(`${other.url}/v1/people`, {
      method: 'POST',
      headers: {
        ...{ cookie: other.tokens.cookie, 'x-haldir-page': other.tokens.pageToken, origin: pageOf(other.url) },
        ...{ 'content-type': 'application/json', 'content-length': body.length },
      },
    });
    const answered = new Promise<number | undefined>((resolve, reject) => {
      late.once('response', (answer) => resolve(answer.resume().statusCode)).once('error', reject);
    });
    late.flushHeaders();
    // Long enough for it to be let in by its headers; whoever comes later is refused by them.
    await pause(500);
    expect((await owner.delete(`/v1/people/${other.id}`)).status).toBe(200);
    late.end(body);
    expect(await answered).toBe(401);
    const { people } = (await owner.get<{ people: { email: string }[] }>('/v1/people')).body;
    expect(people.map(({ email }) => email)).toEqual(['a@example.com']);
  });

  it('whose rows were edited are not sealed anew', async () => {
    const owner = await personOf(tenant, 'owner');
    const [x, bob] = [
      await personOf(tenant, 'auditor', 'x@example.com'),
      await personOf(tenant, 'operator', 'bob@example.com'),
    ];
    await world.sql(`UPDATE person SET email = 'c@example.com' WHERE id = $1`, [bob.id]);
    await world.sql(`UPDATE person SET email = 'bob@example.com' WHERE id = $1`, [x.id]);
    for (const role of ['auditor', 'approver'])
      expect((await owner.patch(`/v1/people/${x.id}`, { role })).body).toMatchObject({ code: 'person_altered' });
    expect((await owner.post('/v1/people', { email: 'bob@example.com', role: 'auditor' })).body).toMatchObject({
      code: 'person_altered',
    });
    expect((await x.get('/v1/me')).status).toBe(401);
    expect((await owner.delete(`/v1/people/${x.id}`)).status).toBe(200);
  });

  it('of another tenant are nobody', async () => {
    const [owner, stranger] = [await personOf(tenant, 'owner'), await personOf(await world.newTenant(), 'owner')];
    expect((await stranger.delete(`/v1/people/${owner.id}`)).status).toBe(404);
    expect((await stranger.patch(`/v1/people/${owner.id}`, { role: 'auditor' })).status).toBe(404);
    expect((await stranger.get<{ count: number }>('/v1/people')).body.count).toBe(1);
    // The same address is another person there.
    expect(stranger.id).not.toBe(owner.id);
    expect((await owner.get('/v1/me')).status).toBe(200);
  });
});
