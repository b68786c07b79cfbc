import { createHash } from 'node:crypto';
import {
  type AppProcess,
  Client,
  eventually,
  type Reply,
  sharedWorld,
  startWorker,
  times,
  type World,
} from '@haldir/test-support';

type Body = Record<string, unknown>;

let world: World;
let worker: AppProcess;
let here: Client;
let there: Client;
beforeAll(async () => {
  world = await sharedWorld();
  worker = await startWorker(world.environment);
  here = world.operator;
  there = here.at(world.apis[1] as AppProcess);
});
afterAll(() => worker.stop());

const either = (i: number): Client => (i % 2 === 0 ? here : there);

/** Asks for approval and answers the id of the request. */
async function ask(client: Client, session: string, more: Body = {}): Promise<string> {
  const { status, body } = await client.post<{ request_id: string }>('/v1/approvals/request', {
    session_id: session,
    ...more,
  });
  expect(status).toBe(201);
  return body.request_id;
}

/** Of who was told: test/webhooks/mail.e2e-spec.ts. */
const entries = (request: string): Promise<Body[]> =>
  world.sql(
    `SELECT action, session_id, agent_id, tool, details::jsonb - 'request_id' AS details FROM audit_entry
      WHERE details LIKE '%' || $1 || '%' AND tool = 'haldir.approvals' AND action <> 'approval_told_nobody' ORDER BY seq`,
    [request],
  );

describe('a request for approval', () => {
  it('is shown as it was asked, decided once, and recorded', async () => {
    const tenant = await world.newTenant();
    const prefix = tenant.key?.slice(0, 14);
    const session = await tenant.session({ agent_id: 'asker' });
    const asked = {
      tool: 'crm.delete',
      action: 'delete account 7',
      amount: 12.345678,
      reason: 'customer asked',
      details: { id: 7, nested: [true, null] },
    };
    const { status, body } = await tenant.post<{ request_id: string; expires_at: number }>('/v1/approvals/request', {
      session_id: session,
      ttl: 60,
      ...asked,
    });
    expect([status, body]).toEqual([
      201,
      { request_id: expect.stringMatching(/^apr_/), status: 'pending', expires_at: expect.any(Number) },
    ]);
    expect(body.expires_at).toBeCloseTo(Date.now() / 1000 + 60, -1);
    const { request_id: id, expires_at } = body;
    const shown = {
      request_id: id,
      agent_id: 'asker',
      ...asked,
      details: '{"id":7,"nested":[true,null]}',
      ...{ details_cut: false, details_path: null },
      digest: null,
      requested_key: prefix,
      created_at: expect.closeTo(expires_at - 60, 3),
      expires_at,
    };
    expect((await tenant.get('/v1/approvals/pending')).body).toEqual({
      count: 1,
      requests: [shown],
      next_cursor: null,
    });
    const undecided = {
      signed: false,
      decided_by: null,
      decision_note: null,
      decided_at: null,
      decided_key: null,
      consumed: false,
      ...{ rule_ids: [], grantable_arguments: null, grant_id: null, outcome: null },
    };
    const pending = { ...shown, status: 'pending', ...undecided };
    expect((await tenant.get(`/v1/approvals/${id}`)).body).toEqual({
      ...pending,
      told: 0,
      notified: expect.any(String),
    });

    expect((await tenant.post(`/v1/approvals/${id}/approve`, { decided_by: 'Ann', note: 'fine by me' })).body).toEqual({
      approved: true,
      request_id: id,
    });
    const decided = (await tenant.get(`/v1/approvals/${id}`)).body;
    expect(decided).toEqual({
      ...{ told: 0, notified: expect.any(String), outcome: null },
      ...shown,
      status: 'approved',
      decided_by: 'Ann',
      decision_note: 'fine by me',
      decided_at: expect.closeTo(Date.now() / 1000, -1),
      decided_key: prefix,
      signed: false,
      consumed: false,
      ...{ rule_ids: [], grantable_arguments: null, grant_id: null, outcome: null },
    });
    const { told: _, notified: __, ...listed } = decided;
    expect((await tenant.get('/v1/approvals')).body).toMatchObject({ requests: [listed] });
    expect((await tenant.get('/v1/approvals/pending')).body).toMatchObject({ count: 0 });
    for (const how of ['approve', 'deny']) {
      const again = await tenant.post(`/v1/approvals/${id}/${how}`, { decided_by: 'Bob' });
      expect([again.status, again.body['code']]).toEqual([400, 'already_decided']);
    }
    expect((await tenant.get(`/v1/approvals/${id}`)).body).toEqual({ ...decided, notified: expect.any(String) });
    const about = { tool: 'crm.delete', action: 'delete account 7', amount: 12.345678 };
    const entry = { tool: 'haldir.approvals', session_id: session, agent_id: 'asker' };
    expect(await entries(id)).toEqual([
      { ...entry, action: 'approval_requested', details: about },
      {
        ...entry,
        action: 'approval_approved',
        details: { ...about, decided_by: 'Ann', note: 'fine by me', key: prefix },
      },
    ]);
  });

  it('needs nothing but a live session', async () => {
    const session = await here.session();
    const id = await ask(here, session);
    expect((await here.get(`/v1/approvals/${id}`)).body).toMatchObject({
      tool: '',
      action: '',
      amount: 0,
      reason: '',
      details: null,
    });
    expect((await here.post(`/v1/approvals/${id}/deny`)).body).toEqual({ denied: true, request_id: id });
    expect((await here.get(`/v1/approvals/${id}`)).body).toMatchObject({
      status: 'denied',
      decided_by: '',
      decision_note: '',
    });
    for (const [body, field] of [
      [{ session_id: undefined }, 'session_id'],
      [{ session_id: 7 }, 'session_id'],
      [{ ttl: 0 }, 'ttl'],
      [{ ttl: 604_801 }, 'ttl'],
      [{ ttl: 1.5 }, 'ttl'],
      [{ ttl: '60' }, 'ttl'],
      [{ amount: -1 }, 'amount'],
      [{ amount: '5' }, 'amount'],
      [{ amount: 0.0000001 }, 'amount'],
      [{ tool: 7 }, 'tool'],
      [{ reason: null }, 'reason'],
      [{ reason: 'x'.repeat(4001) }, 'reason'],
      [{ details: 7 }, 'details'],
      [{ details: 'a\0b' }, 'details'],
      [{ details: { a: { b: '\ud800' } } }, 'details.a.b'],
    ] as [Body, string][]) {
      const reply = await here.post('/v1/approvals/request', { session_id: session, ...body });
      expect([body, reply.status, String(reply.body['error']).split(':')[0]]).toEqual([body, 400, field]);
    }
    for (const body of [{ decided_by: 7 }, { note: null }, { note: 'x'.repeat(1001) }, [], '"approve"']) {
      expect((await here.post(`/v1/approvals/${id}/approve`, body)).status).toBe(400);
    }
  });

  it('of a session that is unknown, revoked or another tenant’s is 401, but a retry gets its first answer', async () => {
    const foreign = await (await world.newTenant()).session();
    const revoked = await here.session();
    const retry = (): Promise<Reply> =>
      here.post('/v1/approvals/request', { session_id: revoked }, { 'idempotency-key': 'ask-1' });
    const first = await retry();
    expect(first.status).toBe(201);
    await here.delete(`/v1/sessions/${revoked}`);
    for (const session of ['', 'ses_unknown', foreign, revoked, 'x'.repeat(1000)]) {
      expect((await here.post('/v1/approvals/request', { session_id: session })).status).toBe(401);
    }
    expect((await retry()).body).toEqual(first.body);
  });

  it('is decided by exactly one of 20 racing decisions', async () => {
    for (let round = 0; round < 3; round++) {
      const id = await ask(here, await here.session());
      const replies = await times(20, (i) =>
        either(i).post(`/v1/approvals/${id}/${i % 4 < 2 ? 'approve' : 'deny'}`, { decided_by: `human ${i}` }),
      );
      const won = replies.flatMap(({ status }, i) => (status === 200 ? [i] : []));
      expect(won).toHaveLength(1);
      expect(replies.filter(({ status, body }) => status === 400 && body['code'] === 'already_decided')).toHaveLength(
        19,
      );
      const [winner = 0] = won;
      expect((await there.get(`/v1/approvals/${id}`)).body).toMatchObject({
        status: winner % 4 < 2 ? 'approved' : 'denied',
        decided_by: `human ${winner}`,
      });
      expect(await entries(id)).toHaveLength(2);
    }
  });

  it('expires on its own: nobody sees it pending or decides it from then on, and the log says so once', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session();
    const ids = await times(30, () => ask(tenant, session, { ttl: 1 }));
    const kept = await ask(tenant, session, { ttl: 60 });
    const expiresAt = Number((await tenant.get(`/v1/approvals/${ids.at(-1)}`)).body['expires_at']) * 1000;
    const replies = await times(30, async (i) => {
      await new Promise((resolve) => setTimeout(resolve, expiresAt - Date.now() - 60 + i * 4));
      return tenant.at(world.apis[i % 2] as AppProcess).post(`/v1/approvals/${ids[i]}/approve`);
    });
    const seen = (await tenant.get<{ requests: Body[] }>('/v1/approvals?limit=1000')).body.requests;
    for (const [i, { status, body }] of replies.entries()) {
      const request = seen.find(({ request_id }) => request_id === ids[i]);
      if (status === 200) {
        expect(request).toMatchObject({ status: 'approved' });
        expect(Number(request?.['decided_at'])).toBeLessThan(Number(request?.['expires_at']));
      } else {
        expect([status, body['code'], request?.['status']]).toEqual([400, 'approval_expired', 'expired']);
      }
    }
    const expired = ids.filter((_, i) => replies[i]?.status === 400);
    expect(expired.length).toBeGreaterThan(0);
    expect((await tenant.get('/v1/approvals/pending')).body).toMatchObject({ requests: [{ request_id: kept }] });
    const [first = ''] = expired;
    await eventually(async () => expect(await entries(first)).toHaveLength(2));
    expect((await entries(first)).map(({ action }) => action)).toEqual(['approval_requested', 'approval_expired']);
    expect((await tenant.get(`/v1/approvals/${first}`)).body).toMatchObject({
      status: 'expired',
      decided_by: null,
      decided_at: null,
    });
    expect((await tenant.post(`/v1/approvals/${first}/deny`)).body).toMatchObject({ code: 'approval_expired' });
  });

  it('is nothing to another tenant, nor to a key without the scope', async () => {
    const id = await ask(here, await here.session());
    const stranger = await world.newTenant();
    expect((await stranger.get(`/v1/approvals/${id}`)).status).toBe(404);
    for (const how of ['approve', 'deny']) {
      expect((await stranger.post(`/v1/approvals/${id}/${how}`)).status).toBe(404);
      expect((await here.post(`/v1/approvals/apr_unknown/${how}`)).status).toBe(404);
    }
    expect((await here.get('/v1/approvals/apr_unknown')).status).toBe(404);
    for (const list of ['/v1/approvals', '/v1/approvals/pending']) {
      expect((await stranger.get(list)).body).toMatchObject({ count: 0, requests: [] });
    }
    const { body } = await here.post<{ key: string }>('/v1/keys', { scopes: ['approvals:read', 'payments:*'] });
    const reader = new Client(here.url, body.key);
    expect((await reader.get(`/v1/approvals/${id}`)).body).toMatchObject({ status: 'pending' });
    expect((await reader.post(`/v1/approvals/${id}/approve`)).body).toMatchObject({ required: 'approvals:decide' });
    expect((await here.get(`/v1/approvals/${id}`)).body).toMatchObject({ status: 'pending' });
  });

  it('is found in the history by agent and status, in pages that lose none', async () => {
    const tenant = await world.newTenant();
    const sessions = await times(2, (i) => tenant.session({ agent_id: `agent ${i}` }));
    const ids: string[] = [];
    for (let i = 0; i < 16; i++) ids.push(await ask(tenant, sessions[i % 2] ?? ''));
    const statuses = ['pending', 'approved', 'denied', 'expired'];
    for (const [i, id] of ids.entries()) {
      const status = statuses[(i >> 1) % 4];
      if (status === 'approved') await tenant.post(`/v1/approvals/${id}/approve`);
      if (status === 'denied') await tenant.post(`/v1/approvals/${id}/deny`);
      if (status === 'expired') await world.sql('UPDATE approval_request SET expires_at = now() WHERE id = $1', [id]);
    }
    const read = async (list: string, query: string): Promise<string[]> => {
      const seen: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const more: string = cursor === '' ? '' : `&cursor=${cursor}`;
        const { body }: Reply<{ requests: { request_id: string }[]; next_cursor: string | null }> = await tenant.get(
          `/v1/approvals${list}?limit=3${query}${more}`,
        );
        seen.push(...body.requests.map(({ request_id }) => request_id));
        cursor = body.next_cursor;
        if (cursor === null) break;
        expect((await tenant.get(`/v1/approvals${list}?agent_id=nobody&cursor=${cursor}`)).status).toBe(400);
        expect((await here.get(`/v1/approvals${list}?cursor=${cursor}`)).status).toBe(400);
      }
      return seen.reverse();
    };
    expect(await read('', '')).toEqual(ids);
    for (const [at, status] of statuses.entries()) {
      const those = ids.filter((_, i) => (i >> 1) % 4 === at);
      expect(await read('', `&status=${status}`)).toEqual(those);
      expect(await read('', `&status=${status}&agent_id=agent%201`)).toEqual(those.filter((_, i) => i % 2 === 1));
    }
    expect(await read('/pending', '')).toEqual(ids.filter((_, i) => (i >> 1) % 4 === 0));
    expect(await read('/pending', '&agent_id=agent%200')).toEqual([ids[0], ids[8]]);
    for (const query of ['status=some', 'limit=0', 'cursor=x', 'status=pending&status=denied']) {
      expect((await tenant.get(`/v1/approvals?${query}`)).status).toBe(400);
    }
  });
});

describe('details that are long', () => {
  interface Part extends Body {
    text: string;
    next_offset: number | null;
    sha256: string;
  }
  const shown = (id: string): string => `/v1/approvals/${id}/details`;
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  const readAll = async (client: Client, id: string, limit: number): Promise<Part[]> => {
    const parts: Part[] = [];
    for (let at: number | null = 0; at !== null; at = parts.at(-1)?.next_offset ?? null) {
      const { status, body } = await client.get<Part>(`${shown(id)}?offset=${at}&limit=${limit}`);
      expect([status, body]).toMatchObject([200, { request_id: id, offset: at, digest: null }]);
      parts.push(body);
    }
    return parts;
  };

  it('are said to be cut wherever the request is, and all of them are read part by part', async () => {
    const tenant = await world.newTenant();
    const long = `😀${'x\u200b'.repeat(60_000)}`;
    const id = await ask(tenant, await tenant.session(), { details: long });
    const details = long.replaceAll('\u200b', String.raw`\u{200b}`);
    const cut = {
      ...{ details: [...details].slice(0, 16_384).join(''), details_cut: true, details_path: shown(id) },
    };
    expect((await tenant.get(`/v1/approvals/${id}`)).body).toMatchObject(cut);
    for (const list of ['/v1/approvals', '/v1/approvals/pending', '/v1/approvals?status=pending'])
      expect((await tenant.get<{ requests: Body[] }>(list)).body.requests).toMatchObject([cut]);
    for (const limit of [65_536, 50_001]) {
      const parts = await readAll(tenant, id, limit);
      expect(parts.map(({ text }) => text).join('')).toBe(details);
      expect(parts.slice(0, -1).map(({ text }) => [...text].length)).toEqual(parts.slice(1).map(() => limit));
      const all = { total: [...details].length, sha256: sha256(details) };
      expect(parts).toMatchObject(parts.map(() => all));
    }
    expect((await tenant.get(`${shown(id)}?offset=2000000000`)).body).toMatchObject({ text: '', next_offset: null });
  });

  it('are not said to be cut where they are not, to the character', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session();
    for (const [details, cut] of [
      ['😀'.repeat(16_384), false],
      ['😀'.repeat(16_385), true],
      ['', false],
    ] as const) {
      const id = await ask(tenant, session, { details });
      const path = cut ? shown(id) : null;
      expect((await tenant.get(`/v1/approvals/${id}`)).body).toMatchObject({
        ...{ details: '😀'.repeat([...details].length && 16_384), details_cut: cut, details_path: path },
      });
      expect((await readAll(tenant, id, 65_536)).map(({ text }) => text)).toEqual([details]);
    }
    const none = await ask(tenant, session);
    expect((await tenant.get(`/v1/approvals/${none}`)).body).toMatchObject({ details: null, details_cut: false });
    expect(await readAll(tenant, none, 1)).toMatchObject([{ text: '', total: 0 }]);
  });

  it('are nobody else’s to read, and of a key that only asks, its own', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session();
    const mint = async (scopes: string[]): Promise<Client> =>
      new Client(tenant.url, (await tenant.post<{ key: string }>('/v1/keys', { scopes })).body.key);
    const asker = await mint(['approvals:request']);
    const [own, other] = [await ask(asker, session, { details: 'own' }), await ask(tenant, session, { details: 'x' })];
    expect((await asker.get(shown(own))).body).toMatchObject({ text: 'own' });
    const unknown = await tenant.get(shown('apr_01jd0000000000000000000000'));
    expect(unknown.status).toBe(404);
    const { request_id: _, ...told } = unknown.body;
    for (const reply of [await asker.get(shown(other)), await (await world.newTenant()).get(shown(own))])
      expect([reply.status, reply.body]).toMatchObject([404, told]);
    expect((await (await mint(['audit:read'])).get(shown(own))).status).toBe(403);
    for (const query of ['offset=-1', 'offset=x', 'limit=0', 'limit=65537', 'offset=99999999999', 'length=1']) {
      const { status, body } = await tenant.get(`${shown(own)}?${query}`);
      expect([query, status, body['field']]).toEqual([query, 400, query.split('=')[0]]);
    }
  });

  it('that cannot be shown whole are refused by name', async () => {
    const session = await here.session();
    // Three bytes each, and eight characters as they are shown.
    for (const details of ['\u200b'.repeat(300_000), { note: '\u200b'.repeat(300_000) }]) {
      const reply = await here.post('/v1/approvals/request', { session_id: session, details });
      expect([reply.status, reply.body]).toMatchObject([400, { code: 'details_too_long', field: 'details' }]);
    }
    expect(
      (await here.post('/v1/approvals/request', { session_id: session, details: 'x'.repeat(900_000) })).status,
    ).toBe(201);
  });
});
