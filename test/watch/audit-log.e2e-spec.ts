import { createHash } from 'node:crypto';
import { type AppProcess, startWorld, times, type World } from '@haldir/test-support';
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
import { type Entry, type Json, own, trail } from './trail.js';

const bytes = (hex: unknown): Buffer => Buffer.from(String(hex), 'hex');

let world: World;
let there: AppProcess;
beforeAll(async () => {
  // Not the one that files share: here logs are broken.
  world = await startWorld({ processes: 2 });
  there = world.apis[1] as AppProcess;
});
afterAll(() => world.stop());

async function onDatabase<T>(work: (db: Postgres) => Promise<T>): Promise<T> {
  const db = new Postgres({ connectionString: world.environment['DATABASE_OWNER_URL'] });
  await db.connect();
  try {
    return await work(db);
  } finally {
    await db.end();
  }
}

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
