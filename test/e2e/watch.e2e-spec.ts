import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type AppProcess, type Client, startWorker, startWorld, type World } from '@haldir/test-support';
import {
  faultOf,
  Frontier,
  GENESIS_HASH,
  parseCheckpoint,
  parseVerifierKey,
  provesConsistency,
  provesInclusion,
} from '@haldir/verifier';
import { Client as Postgres } from 'pg';

type Json = Record<string, unknown>;
interface Entry extends Json {
  entry_id: string;
  action: string;
  tool: string;
  flagged: boolean;
  flag_reason: string | null;
  leaf_index: number;
  prev_hash: string;
  entry_hash: string;
}
interface Page extends Json {
  count: number;
  entries: Entry[];
  next_cursor: string | null;
}

const times = <T>(count: number, work: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => work(i)));
const bytes = (hex: unknown): Buffer => Buffer.from(String(hex), 'hex');

let world: World;
let there: AppProcess;
beforeAll(async () => {
  world = await startWorld({ processes: 2 });
  there = world.apis[1] as AppProcess;
});
afterAll(() => world.stop());

const trail = async (client: Client, query = ''): Promise<Page> => (await client.get<Page>(`/v1/audit${query}`)).body;
const own = (page: Page): Entry[] => page.entries.filter(({ source }) => source === 'agent');

async function onDatabase<T>(work: (db: Postgres) => Promise<T>): Promise<T> {
  const db = new Postgres({ connectionString: world.environment['DATABASE_OWNER_URL'] });
  await db.connect();
  try {
    return await work(db);
  } finally {
    await db.end();
  }
}

describe('the trail', () => {
  it('takes actions, and answers newest first in pages that hold each entry once', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session();
    for (let i = 0; i < 7; i++) {
      const logged = await tenant.post('/v1/audit', {
        session_id: session,
        action: `step ${i}`,
        tool: 'browser',
        cost_usd: 0.000001,
      });
      expect(logged.status).toBe(201);
      expect(logged.body).toEqual({
        logged: true,
        entry_id: expect.stringMatching(/^aud_/),
        flagged: false,
        flag_reason: null,
      });
    }
    const seen: Entry[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Page = await trail(
        tenant,
        `?session_id=${session}&limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      seen.push(...page.entries);
      cursor = page.next_cursor;
    }
    expect(seen.map(({ action }) => action)).toEqual([
      ...[6, 5, 4, 3, 2, 1, 0].map((i) => `step ${i}`),
      'session_created',
    ]);
    expect(seen[0]).toMatchObject({
      session_id: session,
      agent_id: 'agent',
      tool: 'browser',
      cost_usd: 0.000001,
      details: null,
    });
    expect(Math.abs(Number(seen[0]?.['timestamp']) - Date.now() / 1000)).toBeLessThan(60);
    for (const [i, entry] of seen.slice(0, -1).entries()) expect(entry.prev_hash).toBe(seen[i + 1]?.entry_hash);
  });

  it('filters by session, agent, tool, flag and time, together', async () => {
    const tenant = await world.newTenant();
    const one = await tenant.session({ agent_id: 'one' });
    const two = await tenant.session({ agent_id: 'two' });
    const log = (session_id: string, tool: string, cost_usd = 0) =>
      tenant.post('/v1/audit', { session_id, action: 'act', tool, cost_usd, details: { nested: [1] } });
    await log(one, 'browser');
    await log(one, 'shell', 101);
    await log(two, 'shell');
    expect(own(await trail(tenant, '?agent_id=one'))).toHaveLength(2);
    expect(own(await trail(tenant, '?tool=shell'))).toHaveLength(2);
    expect(own(await trail(tenant, `?tool=shell&session_id=${two}`))).toHaveLength(1);
    const [flagged, ...others] = (await trail(tenant, '?flagged=true')).entries;
    expect(others).toEqual([]);
    expect(flagged).toMatchObject({
      tool: 'shell',
      flagged: true,
      flag_reason: 'high_cost: one action over 100 USD',
      details: '{"nested":[1]}',
    });
    expect(own(await trail(tenant, '?flagged=false&agent_id=one'))).toHaveLength(1);

    const at = Number(flagged?.['timestamp']);
    expect((await trail(tenant, `?since=${at}&until=${at}`)).entries.map(({ entry_id }) => entry_id)).toContain(
      flagged?.entry_id,
    );
    expect((await trail(tenant, `?until=${at - 3600}`)).count).toBe(0);
    expect((await trail(tenant, `?since=${new Date(Date.now() + 3_600_000).toISOString()}`)).count).toBe(0);
    expect((await trail(tenant, `?since=${new Date(Date.now() - 3_600_000).toISOString()}`)).count).toBeGreaterThan(3);
  });

  it.each([
    ['?limit=0', 'limit'],
    ['?limit=1001', 'limit'],
    ['?limit=ten', 'limit'],
    ['?flagged=yes', 'flagged'],
    ['?since=yesterday', 'since'],
    ['?until=2026-13-45', 'until'],
    ['?cursor=AAAA', 'cursor'],
    ['/export?format=xml', 'format'],
    ['/consistency-proof?first=0&second=1', 'first'],
    ['/consistency-proof?second=1', 'first'],
  ])('refuses %s, naming %s', async (query, field) => {
    const { status, body } = await world.operator.get(`/v1/audit${query}`);
    expect([status, String(body['error']).split(':')[0]]).toEqual([400, field]);
  });

  it.each([
    [{ action: '' }, 'action'],
    [{ action: null }, 'action'],
    [{ cost_usd: -1 }, 'cost_usd'],
    [{ cost_usd: '1' }, 'cost_usd'],
    [{ details: 5 }, 'details'],
    [{ tool: ['x'] }, 'tool'],
    [{ session_id: 7 }, 'session_id'],
  ])('refuses the action %j, naming %s', async (fault, field) => {
    const { status, body } = await world.operator.post('/v1/audit', { session_id: 'ses_x', action: 'a', ...fault });
    expect([status, String(body['error']).split(':')[0]]).toEqual([400, field]);
  });

  it('takes nothing from a dead session, another tenant or a key without the scope', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session();
    const stranger = await world.newTenant();
    expect((await stranger.post('/v1/audit', { session_id: session, action: 'a' })).status).toBe(401);
    expect((await trail(stranger, `?session_id=${session}`)).count).toBe(0);
    await tenant.delete(`/v1/sessions/${session}`);
    expect((await tenant.post('/v1/audit', { session_id: session, action: 'a' })).status).toBe(401);
    const cursor = (await trail(tenant, '?limit=1')).next_cursor;
    expect((await stranger.get(`/v1/audit?limit=1&cursor=${cursor}`)).status).toBe(400);
    expect((await tenant.get(`/v1/audit?limit=1&tool=x&cursor=${cursor}`)).status).toBe(400);
  });

  it('has one entry for 20 retries under one Idempotency-Key, and for one after the session has ended', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session();
    const body = { session_id: session, action: 'once', cost_usd: 500 };
    const replies = await times(20, (i) =>
      (i % 2 ? tenant : tenant.at(there)).post('/v1/audit', body, { 'idempotency-key': 'k' }),
    );
    expect(new Set(replies.map((reply) => JSON.stringify([reply.status, reply.body]))).size).toBe(1);
    expect(replies[0]?.body).toMatchObject({ flagged: true });
    await tenant.delete(`/v1/sessions/${session}`);
    const late = await tenant.post('/v1/audit', body, { 'idempotency-key': 'k' });
    expect([late.status, late.body]).toEqual([replies[0]?.status, replies[0]?.body]);
    expect((await tenant.post('/v1/audit', body, { 'idempotency-key': 'k2' })).status).toBe(401);
    expect(own(await trail(tenant))).toHaveLength(1);
  });
});

describe('flags', () => {
  const log = async (client: Client, session_id: string, more: Json = {}): Promise<Json> =>
    (await client.post('/v1/audit', { session_id, action: 'act', ...more })).body;

  it('mark exactly the actions beyond 60 of an agent in a minute, over two processes', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session({ agent_id: 'busy' });
    const answers = await times(70, (i) => log(i % 2 ? tenant : tenant.at(there), session));
    expect(answers.filter(({ flagged }) => flagged)).toHaveLength(10);
    expect(answers.find(({ flagged }) => flagged)?.['flag_reason']).toMatch(/^rapid_fire/);
    const calm = await tenant.session({ agent_id: 'calm' });
    expect(await log(tenant, calm)).toMatchObject({ flagged: false });
  });

  it('mark a tool never used in 20 tool calls before, and that tool only once', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session();
    for (let i = 0; i < 20; i++)
      expect(await log(tenant, session, { tool: 'browser' })).toMatchObject({ flagged: false });
    expect((await log(tenant, session, { tool: 'shell' }))['flag_reason']).toMatch(/^unusual_tool/);
    expect(await log(tenant, session, { tool: 'shell' })).toMatchObject({ flagged: false });
  });

  it('follow the tenant’s own rules, and nobody else’s', async () => {
    const tenant = await world.newTenant();
    const stranger = await world.newTenant();
    const rules = (await tenant.get<{ rules: Json[] }>('/v1/audit/rules')).body.rules;
    expect(rules.map(({ type }) => type).sort()).toEqual(['high_cost', 'rapid_fire', 'unusual_tool']);
    const set = await tenant.post('/v1/audit/rules', { type: 'high_cost', max_usd: 1.5 });
    expect([set.status, set.body]).toEqual([201, { added: true, type: 'high_cost', id: expect.any(String) }]);
    const session = await tenant.session();
    expect(await log(tenant.at(there), session, { cost_usd: 1.5 })).toMatchObject({ flagged: false });
    expect((await log(tenant.at(there), session, { cost_usd: 1.51 }))['flag_reason']).toBe(
      'high_cost: one action over 1.5 USD',
    );
    expect(await log(stranger, await stranger.session(), { cost_usd: 99 })).toMatchObject({ flagged: false });

    expect((await stranger.delete(`/v1/audit/rules/${String(set.body['id'])}`)).status).toBe(404);
    expect((await tenant.delete(`/v1/audit/rules/${String(set.body['id'])}`)).body).toMatchObject({ deleted: true });
    expect(await log(tenant, session, { cost_usd: 10_000 })).toMatchObject({ flagged: false });
    expect((await tenant.post('/v1/audit/rules', { type: 'rapid_fire', max_actions: 0 })).body['error']).toMatch(
      /^max_actions: /,
    );
    expect((await tenant.post('/v1/audit/rules', { type: 'sudden' })).body['error']).toMatch(/^type: /);
  });
});

describe('sums', () => {
  it('are exact whether a worker has added them up or not, by tool, agent and session', async () => {
    const tenant = await world.newTenant();
    const one = await tenant.session({ agent_id: 'one', scopes: ['spend:10'] });
    const two = await tenant.session({ agent_id: 'two' });
    const log = (session_id: string, tool: string, cost_usd: number) =>
      tenant.post('/v1/audit', { session_id, action: 'a', tool, cost_usd });
    // As many as a worker finds worth adding up.
    await times(2000, () => log(one, 'search', 0.0005));
    await log(two, 'shell', 2.000001);
    await tenant.post('/v1/payments/authorize', { session_id: one, amount: 3.5 });
    const read = async (query = ''): Promise<Json> => (await tenant.get(`/v1/audit/spend${query}`)).body;
    const check = async (): Promise<void> => {
      expect(await read()).toMatchObject({
        total_usd: 3.000001,
        by_tool: { search: 1, shell: 2.000001 },
        by_agent: { one: 4.5, two: 2.000001 },
        payments: { total_usd: 3.5, count: 1 },
      });
      expect(await read('?agent_id=one')).toMatchObject({
        total_usd: 1,
        by_agent: { one: 4.5 },
        payments: { count: 1 },
      });
      expect(await read(`?session_id=${two}`)).toMatchObject({ total_usd: 2.000001, payments: { count: 0 } });
      expect(await read(`?session_id=${two}&agent_id=one`)).toMatchObject({ total_usd: 0, action_count: 0 });
      const metrics = (await tenant.get('/v1/metrics')).body;
      expect(metrics).toMatchObject({
        total_api_keys: 1,
        total_sessions: 2,
        active_sessions: 2,
        unique_agents: 2,
        total_spend_usd: 3.000001,
        total_payments: 1,
        total_payment_volume_usd: 3.5,
        pending_approvals: 0,
      });
      expect(metrics['top_tools']).toMatchObject({ search: 2000, shell: 1 });
      expect(metrics['top_agents']).toMatchObject({ one: 2002, two: 2 });
      expect(metrics['actions_today']).toBe(metrics['total_actions']);
    };
    await check();
    const worker = await startWorker(world.environment);
    try {
      await onDatabase(async (db) => {
        for (let moved = false; !moved; await pause(50)) {
          const { rowCount } = await db.query('SELECT FROM audit_rollup_mark WHERE tenant_id = $1 AND seq >= 2000', [
            await world.tenantOf(tenant),
          ]);
          moved = (rowCount ?? 0) > 0;
        }
      });
      await check();
      await log(two, 'shell', 1);
      expect(await read()).toMatchObject({ total_usd: 4.000001, by_tool: { shell: 3.000001 } });
    } finally {
      await worker.stop();
    }
  });

  it('count the requests of a month, and know no other month', async () => {
    const tenant = await world.newTenant({ tier: 'pro' });
    for (let i = 0; i < 5; i++) await tenant.get('/v1/sessions');
    let usage: Json = {};
    for (let i = 0; i < 100 && Number(usage['action_count'] ?? 0) < 5; i++) {
      await pause(100);
      usage = (await tenant.get('/v1/usage')).body;
    }
    expect(usage).toMatchObject({ month: new Date().toISOString().slice(0, 7), tier: 'pro' });
    expect((await tenant.get('/v1/usage?month=2020-01')).body).toMatchObject({ month: '2020-01', action_count: 0 });
    for (const month of ['2020-13', '2020-1', 'now', '']) {
      expect((await tenant.get(`/v1/usage?month=${month}`)).status).toBe(400);
    }
  });
});

describe('the log', () => {
  it('has all of 600 racing appends over two processes, and verifies', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session();
    await tenant.post('/v1/audit/rules', { type: 'rapid_fire', max_actions: 1000 });
    const replies = await times(600, (i) =>
      (i % 2 ? tenant : tenant.at(there)).post<Json>('/v1/audit', { session_id: session, action: `a${i}` }),
    );
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([201]));
    const page = await trail(tenant, '?limit=1000');
    expect(new Set(own(page).map(({ entry_id }) => entry_id))).toEqual(
      new Set(replies.map(({ body }) => body['entry_id'])),
    );
    const verdict = (await tenant.get('/v1/audit/verify')).body;
    expect(verdict).toMatchObject({ verified: true, entries_checked: page.count });
  });

  it('proves every entry and every prefix against signed heads', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session();
    await tenant.post('/v1/audit/rules', { type: 'rapid_fire', max_actions: 1000 });
    await times(297, (i) => tenant.post('/v1/audit', { session_id: session, action: `a${i}` }));
    const log = (await tenant.get<Json>('/v1/audit/log-key')).body;
    const identity = parseVerifierKey(String(log['verifier_key']));
    const entries = (await trail(tenant, '?limit=1000')).entries.reverse();
    expect(entries).toHaveLength(300);
    const [jwk] = (log['jwks'] as { keys: Json[] }).keys;
    expect(Buffer.from(String(jwk?.['x']), 'base64url')).toEqual(identity.publicKey);

    for (const index of [0, 1, 254, 255, 256, 257, 298, 299]) {
      const entry = entries[index] as Entry;
      const { status, body } = await tenant.get<Json & { sth: Json; audit_path: string[] }>(
        `/v1/audit/inclusion-proof/${entry.entry_id}`,
      );
      expect(status).toBe(200);
      expect(body).toMatchObject({
        algorithm: 'RFC6962-SHA256',
        entry_id: entry.entry_id,
        leaf_index: index,
        leaf_hash: entry.entry_hash,
      });
      const size = Number(body['tree_size']);
      const path = body.audit_path.map(bytes);
      expect(provesInclusion(bytes(entry.entry_hash), index, size, path, bytes(body['root_hash']))).toBe(true);
      expect(parseCheckpoint(String(body.sth['checkpoint']), identity)).toMatchObject({
        size,
        root: bytes(body['root_hash']),
      });
    }
    const frontier = new Frontier();
    const roots = entries.map(({ entry_hash: hash }) => {
      frontier.append(bytes(hash));
      return frontier.root();
    });
    for (const [first, second] of [
      [1, 1],
      [1, 300],
      [255, 256],
      [256, 300],
      [257, 299],
      [300, 300],
    ] as const) {
      const { status, body } = await tenant.get<Json & { consistency_path: string[] }>(
        `/v1/audit/consistency-proof?first=${first}&second=${second}`,
      );
      expect(status).toBe(200);
      expect(bytes(body['first_root'])).toEqual(roots[first - 1]);
      expect(bytes(body['second_root'])).toEqual(roots[second - 1]);
      const path = body.consistency_path.map(bytes);
      expect(provesConsistency(first, second, bytes(body['first_root']), bytes(body['second_root']), path)).toBe(true);
    }
    expect((await tenant.get('/v1/audit/consistency-proof?first=1&second=5000')).status).toBe(400);
    expect((await tenant.get('/v1/audit/consistency-proof?first=3&second=2')).status).toBe(400);
    expect((await tenant.get('/v1/audit/inclusion-proof/aud_nothing')).status).toBe(404);
    const stranger = await world.newTenant();
    expect((await stranger.get(`/v1/audit/inclusion-proof/${entries[0]?.entry_id}`)).status).toBe(404);
  });

  it('signs a head over everything, at most a second later with a worker, each continuing the one before', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session();
    const worker = await startWorker(world.environment);
    try {
      for (let round = 0; round < 3; round++) {
        await tenant.post('/v1/audit', { session_id: session, action: 'a' });
        await pause(1000);
      }
      const { checkpoints } = (await tenant.get<{ checkpoints: Json[] }>('/v1/audit/checkpoints')).body;
      expect(checkpoints.length).toBeGreaterThanOrEqual(3);
      expect(checkpoints[0]?.['tree_size']).toBe((await trail(tenant)).count);
      const head = (await tenant.get('/v1/audit/tree-head')).body;
      expect(head).toEqual(checkpoints[0]);
      expect((await tenant.get<string>('/v1/audit/checkpoint')).body).toBe(head['checkpoint']);
      const metrics = await (await fetch(`${worker.url}/metrics`)).text();
      expect(metrics).toMatch(/^haldir_checkpoint_lag_seconds\{process="worker"\} 0$/m);
    } finally {
      await worker.stop();
    }
  });

  it('gives an empty-handed tenant a head, a verdict and an export', async () => {
    const tenant = await world.newTenant();
    expect((await tenant.get('/v1/audit/tree-head')).body).toMatchObject({ tree_size: 1 });
    expect((await tenant.get('/v1/audit/verify')).body).toMatchObject({ verified: true, entries_checked: 1 });
    expect((await tenant.get('/v1/audit/spend')).body).toMatchObject({ total_usd: 0, payments: { count: 0 } });
  });
});

describe('an export', () => {
  it('as JSON Lines holds what it takes to check every entry, and a manifest of itself', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session();
    await tenant.post('/v1/audit/rules', { type: 'rapid_fire', max_actions: 1000 });
    await times(600, (i) =>
      tenant.post('/v1/audit', {
        session_id: session,
        action: `ünïcode "${i}"\n`,
        details: 'x,y',
        cost_usd: i === 7 ? 1000 : 0.5,
      }),
    );
    const { status, headers, body } = await tenant.get<string>('/v1/audit/export');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/x-ndjson');
    expect(headers.get('content-disposition')).toMatch(/^attachment; filename=".*\.jsonl"$/);
    expect(headers.get('x-haldir-export-manifest')).toBe('embedded-final-line');
    const lines = body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Json);
    const manifest = lines.pop() as Json;
    expect(lines).toHaveLength(603);
    let previous: Buffer = GENESIS_HASH;
    const frontier = new Frontier();
    for (const line of lines) {
      const fault = faultOf(
        {
          tenantId: String(line['tenant_id']),
          entryId: String(line['entry_id']),
          source: String(line['source']),
          sessionId: String(line['session_id']),
          agentId: String(line['agent_id']),
          tool: String(line['tool']),
          action: String(line['action']),
          costMicros: String(line['cost_micros']),
          details: line['details'] as string | null,
          detailsSalt: line['details_salt'] as string | null,
          detailsHash: line['details_hash'] as string | null,
          actorId: line['actor_id'] as string | null,
          context: line['context'] as string | null,
          contextSalt: line['context_salt'] as string | null,
          contextHash: line['context_hash'] as string | null,
          atMicros: BigInt(Math.round(Number(line['timestamp']) * 1e6)),
          flagReason: line['flag_reason'] as string | null,
          prevHash: bytes(line['prev_hash']),
          entryHash: bytes(line['entry_hash']),
        },
        previous,
      );
      expect(fault).toBeNull();
      previous = bytes(line['entry_hash']);
      frontier.append(previous);
    }
    expect(manifest).toMatchObject({
      type: 'manifest',
      format_version: 2,
      filters: {},
      count: 603,
      first_timestamp: lines[0]?.['timestamp'],
      last_timestamp: lines.at(-1)?.['timestamp'],
      last_chain_hash: lines.at(-1)?.['entry_hash'],
      sha256: createHash('sha256')
        .update(lines.map((line) => `${String(line['entry_id'])}\n`).join(''))
        .digest('hex'),
    });
    const log = parseVerifierKey(String(manifest['verifier_key']));
    expect(parseCheckpoint(String(manifest['checkpoint']), log)).toMatchObject({ size: 603, root: frontier.root() });
    const alone = (await tenant.get('/v1/audit/export/manifest')).body;
    const timeless = { generated_at: 0, signature: expect.stringContaining(`${log.origin}\n`) as string };
    expect({ ...alone, ...timeless }).toEqual({ ...manifest, ...timeless });
  });

  it('as CSV has the documented columns, quoted', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session({ agent_id: 'a "quoted", agent' });
    await tenant.post('/v1/audit', { session_id: session, action: 'line\nbreak', details: { a: 1 }, cost_usd: 0.25 });
    const { headers, body } = await tenant.get<string>(`/v1/audit/export?format=csv&session_id=${session}`);
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8');
    const [header, , row] = body.split('\r\n');
    expect(header).toBe(
      'entry_id,timestamp,timestamp_iso,tenant_id,session_id,agent_id,tool,action,cost_usd,flagged,flag_reason,details_json,prev_hash,entry_hash,source,format,actor,actor_id,context_json',
    );
    expect(row).toContain(`,"a ""quoted"", agent",,"line\nbreak",0.25,false,,"{""a"":1}",`);
    expect(row).toMatch(/^aud_[0-9a-z]+,\d+(\.\d+)?,\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z,/);
  });
});

describe('whoever writes to the database behind Haldir’s back', () => {
  it('finds that entries can be neither changed nor removed by accident', async () => {
    await onDatabase(async (db) => {
      await expect(db.query(`UPDATE audit_entry SET action = 'x'`)).rejects.toThrow('append-only');
      await expect(db.query('DELETE FROM audit_entry')).rejects.toThrow('append-only');
      await expect(db.query('TRUNCATE audit_entry')).rejects.toThrow('append-only');
    });
  });

  it.each([
    ['entry_id', `entry_id || 'x'`],
    ['source', `'haldir'`],
    ['session_id', `session_id || 'x'`],
    ['agent_id', `'other'`],
    ['tool', `'other'`],
    ['action', `'other'`],
    ['cost_micros', 'cost_micros + 1'],
    ['at', `at + interval '1 microsecond'`],
    ['details', `'other'`],
    ['details_salt', `'\\x00'`],
    ['details_hash', `sha256('x')`],
    ['flag_reason', `'other'`],
    ['prev_hash', `sha256('x')`],
    ['entry_hash', `sha256('x')`],
    ['actor_id', `'other'`],
    ['context', `'{"label":"other"}'`],
    ['context_salt', `'\\x00'`],
    ['context_hash', `sha256('x')`],
  ])('is found out when changing %s of one entry', async (column, value) => {
    const tenant = await world.newTenant();
    const session = await tenant.session();
    for (let i = 0; i < 5; i++)
      await tenant.post('/v1/audit', { session_id: session, action: 'a', details: 'd', cost_usd: 1 });
    expect((await tenant.get('/v1/audit/verify')).body).toMatchObject({ verified: true });
    await onDatabase(async (db) => {
      await db.query(`SET session_replication_role = replica`);
      await db.query(`UPDATE audit_entry SET ${column} = ${value} WHERE session_id = $1 AND seq = 4`, [session]);
    });
    expect((await tenant.get('/v1/audit/verify')).body).toMatchObject({
      verified: false,
      broken_at: 4,
      entries_checked: 4,
    });
  });

  it('is found out when cutting off the tail, taking one from the middle, or rewriting what was signed', async () => {
    const made = async () => {
      const tenant = await world.newTenant();
      const session = await tenant.session();
      for (let i = 0; i < 6; i++) await tenant.post('/v1/audit', { session_id: session, action: `a${i}` });
      await tenant.get('/v1/audit/tree-head');
      const [{ tenant_id: id }] = [(await tenant.get('/v1/usage')).body];
      return { tenant, id: String(id), verdict: async () => (await tenant.get('/v1/audit/verify')).body };
    };
    const [cut, gap, rewritten] = await times(3, made);
    await onDatabase(async (db) => {
      await db.query(`SET session_replication_role = replica`);
      await db.query('DELETE FROM audit_entry WHERE tenant_id = $1 AND seq >= 6', [cut?.id]);
      await db.query(
        `UPDATE audit_head SET size = 6, hash = (SELECT entry_hash FROM audit_entry WHERE tenant_id = $1 AND seq = 5) WHERE tenant_id = $1`,
        [cut?.id],
      );
      await db.query('DELETE FROM audit_entry WHERE tenant_id = $1 AND seq = 3', [gap?.id]);
      // The last entry taken back and another one put in its place, properly linked.
      await db.query('DELETE FROM audit_entry WHERE tenant_id = $1 AND seq = 7', [rewritten?.id]);
      await db.query(
        `UPDATE audit_head SET size = 7, hash = (SELECT entry_hash FROM audit_entry WHERE tenant_id = $1 AND seq = 6) WHERE tenant_id = $1`,
        [rewritten?.id],
      );
    });
    const session = await rewritten?.tenant.session();
    expect(session).toBeDefined();
    expect(await cut?.verdict()).toMatchObject({ verified: false, broken_at: 6 });
    expect(await gap?.verdict()).toMatchObject({ verified: false, broken_at: 3 });
    expect(await rewritten?.verdict()).toMatchObject({ verified: false, error: expect.stringContaining('signed') });
  });
});
