import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BareMcp, cli, type Client, startFakeUpstream, startWorld, type World } from '@haldir/test-support';
import { contentHash, hashSalted } from '@haldir/verifier';
import { Client as Postgres } from 'pg';

type Json = Record<string, unknown>;

let world: World;
let dir: string;
beforeAll(async () => {
  world = await startWorld();
  dir = mkdtempSync(join(tmpdir(), 'haldir-actors-'));
});
afterAll(async () => {
  await world.stop();
  rmSync(dir, { recursive: true, force: true });
});

const entriesOf = async (tenant: Client, query = ''): Promise<Json[]> =>
  (await tenant.get<{ entries: Json[] }>(`/v1/audit${query}`)).body.entries;
const exportOf = async (tenant: Client): Promise<string> => (await tenant.get<string>('/v1/audit/export')).body;

let files = 0;
async function verify(tenant: Client, text: string): Promise<{ code: number | null; finding: Json }> {
  const { body: key } = await tenant.get<{ verifier_key: string }>('/v1/audit/log-key');
  const file = join(dir, `${files++}.jsonl`);
  writeFileSync(file, text);
  const { code, stdout } = await cli({}, 'audit', 'verify', file, '--key', key.verifier_key, '--json');
  return { code, finding: JSON.parse(stdout) as Json };
}

async function asOwner<T>(work: (db: Postgres) => Promise<T>): Promise<T> {
  const db = new Postgres({ connectionString: world.environment['DATABASE_OWNER_URL'] });
  await db.connect();
  try {
    return await work(db);
  } finally {
    await db.end();
  }
}

describe('who acted', () => {
  const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

  it('stands in every entry, with where the request came from, in lists, exports and CSV', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session();
    await tenant.post('/v1/audit', { session_id: session, action: 'looked' }, { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` });
    const { body: keys } = await tenant.get<{ keys: { prefix: string }[] }>('/v1/keys');
    const prefix = String(keys.keys[0]?.prefix);
    const entries = await entriesOf(tenant);
    expect(entries.map(({ action, actor, actor_id: id, format }) => [action, actor, id, format])).toEqual([
      ['looked', `key:${prefix}`, prefix, 2],
      ['session_created', `key:${prefix}`, prefix, 2],
      ['api_key_created', 'haldir', 'haldir', 2],
    ]);
    const context = { address: expect.any(String) as string, label: `key:${prefix}`, trace_id: TRACE };
    expect(JSON.parse(String(entries[0]?.['context']))).toEqual(context);
    expect(entries[2]?.['context']).toBeNull();
    const lines = (await exportOf(tenant)).trimEnd().split('\n').map((line) => JSON.parse(line) as Json);
    expect(lines[2]).toMatchObject({ format: 2, actor: `key:${prefix}`, actor_id: prefix, context: entries[0]?.['context'] });
    const { body: csv } = await tenant.get<string>('/v1/audit/export?format=csv');
    expect(csv.split('\r\n')[3]).toContain(`,agent,2,key:${prefix},${prefix},"{""address"":`);
    expect(await verify(tenant, await exportOf(tenant))).toMatchObject({ code: 0, finding: { outcome: 'intact', entries: 3 } });
  }); // prettier-ignore

  it('is erased with the details, on the record, and known by an opaque id from then on', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session();
    const { body } = await tenant.post<{ entry_id: string }>('/v1/audit', { session_id: session, action: 'looked' });
    const [before] = await entriesOf(tenant);
    // It has no details: its context is there to erase.
    expect((await tenant.delete(`/v1/audit/entries/${body.entry_id}/details`)).status).toBe(200);
    expect((await tenant.delete(`/v1/audit/entries/${body.entry_id}/details`)).status).toBe(409);
    const [record, after] = await entriesOf(tenant);
    expect(record).toMatchObject({ action: 'audit_details_erased', actor: before?.['actor'] });
    expect(after).toEqual({ ...before, actor: before?.['actor_id'], context: null });
    const text = await exportOf(tenant);
    expect(text.split('\n')[2]).not.toContain('address');
    expect(await verify(tenant, text)).toMatchObject({ code: 0 });
    expect((await tenant.get('/v1/audit/verify')).body).toMatchObject({ verified: true });
  });

  it('is missing in entries of before, which go on to verify among others', async () => {
    const tenant = await world.newTenant();
    const tenantId = await world.tenantOf(tenant);
    const session = await tenant.session();
    await asOwner(async (db) => {
      await db.query(`SELECT set_config('haldir.tenants', $1, false)`, [`{"${tenantId}"}`]);
      const [salt, details] = ['00112233', 'as it was'];
      const detailsHash = hashSalted(salt, details);
      const entry = { tenantId, entryId: 'aud_old', source: 'agent', sessionId: session, agentId: 'agent', tool: 't', action: 'a' };
      const content = contentHash({ ...entry, costMicros: 0n, detailsHash, actorId: null, contextHash: null });
      await db.query(
        `SELECT * FROM audit_append(ARRAY[$1], ARRAY['aud_old'], ARRAY['agent'], ARRAY[$2], ARRAY['agent'], ARRAY['t'], ARRAY['a'], '{0}'::bigint[],
                                    ARRAY[(extract(epoch FROM now()) * 1000000)::bigint], ARRAY[$3], ARRAY[$4], ARRAY[$5], ARRAY[$6], '{NULL}'::text[])`,
        [tenantId, session, details, salt, detailsHash, content],
      );
    }); // prettier-ignore
    await tenant.post('/v1/audit', { session_id: session, action: 'later' });
    const [, old] = await entriesOf(tenant);
    expect(old).toMatchObject({ entry_id: 'aud_old', format: 1, actor: null, actor_id: null, context: null });
    expect((await tenant.get('/v1/audit/verify')).body).toMatchObject({ verified: true, entries_checked: 4 });
    expect(await verify(tenant, await exportOf(tenant))).toMatchObject({ code: 0 });
    expect((await tenant.delete('/v1/audit/entries/aud_old/details')).status).toBe(200);
    expect(await verify(tenant, await exportOf(tenant))).toMatchObject({ code: 0 });
  });
});

describe('an export that shows more than was signed', () => {
  async function lines(): Promise<{ tenant: Client; all: string[] }> {
    const tenant = await world.newTenant();
    const session = await tenant.session();
    await tenant.post('/v1/audit', { session_id: session, action: 'paid', details: 'five' });
    return { tenant, all: (await exportOf(tenant)).trimEnd().split('\n') };
  }

  it.each([
    ['a member more in a line', 2, (line: string) => line.replace('{', '{"approved_by":"the board",')],
    ['a member twice in a line', 2, (line: string) => line.replace('{', '{"action":"nothing",')],
    ['another tenant in the manifest', 3, (line: string) => line.replace(/"tenant_id":"[^"]*"/, '"tenant_id":"tnt_other"')],
    ['another time in the manifest', 3, (line: string) => line.replace(/"generated_at":[\d.]+/, '"generated_at":1')],
    ['a member more in the manifest', 3, (line: string) => line.replace('{', '{"approved_by":"the board",')],
  ])('is broken, not intact: %s', async (_what, index, forge) => {
    const { tenant, all } = await lines();
    expect(await verify(tenant, `${all.join('\n')}\n`)).toMatchObject({ code: 0 });
    const forged = all.map((line, i) => (i === index ? forge(line) : line));
    expect(forged).not.toEqual(all);
    const { code, finding } = await verify(tenant, `${forged.join('\n')}\n`);
    expect([code, finding]).toEqual([1, expect.objectContaining({ outcome: 'broken', index })]);
  }); // prettier-ignore
});

describe('what agents write', () => {
  it.each(['haldir.approvals', 'haldir', 'HALDIR.vault', ' haldir.gate', 'h\u200baldir.proxy', 'hаldir.watch', 'haldir/keys'])(
    'is not under a name of Haldir’s own: %j',
    async (tool) => {
      const tenant = await world.newTenant();
      const session = await tenant.session();
      const logged = await tenant.post('/v1/audit', { session_id: session, tool, action: 'approval_approved' });
      expect([logged.status, logged.body]).toEqual([400, expect.objectContaining({ field: 'tool' })]);
      const asked = await tenant.post('/v1/approvals/request', { session_id: session, tool });
      expect([asked.status, asked.body]).toEqual([400, expect.objectContaining({ field: 'tool' })]);
      const mcp = new BareMcp({ url: tenant.url, key: tenant.key ?? '', session });
      const reply = await mcp.call('logAction', { session_id: session, tool, action: 'approval_approved' });
      expect(JSON.stringify(reply)).toMatch(/"field\\*":\\*"tool/);
      expect(await entriesOf(tenant, '?tool=haldir.approvals')).toEqual([]);
    },
  ); // prettier-ignore

  it('is not under an upstream’s name that reads as Haldir’s own', async () => {
    const [tenant, upstream] = await Promise.all([world.newTenant(), startFakeUpstream('echo')]);
    const { status, body } = await tenant.post('/v1/proxy/upstreams', { name: 'Haldir', url: upstream.url });
    await upstream.stop();
    expect([status, body]).toEqual([400, expect.objectContaining({ field: 'name' })]);
  });

  it('is no formula in a CSV export, which says who wrote each entry', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session({ agent_id: '@agent' });
    const formulas = ['=HYPERLINK("http://evil.example","x")', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '＝1'];
    for (const action of formulas) await tenant.post('/v1/audit', { session_id: session, tool: '=1', action });
    const { body } = await tenant.get<string>(`/v1/audit/export?format=csv&session_id=${session}`);
    const cells = [...body.matchAll(/(?:^|,|\r\n)(?:"((?:[^"]|"")*)"|([^",\r\n]*))/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
    expect(cells.filter((cell) => /^[=+\-@\t\r\uff1d]/.test(cell))).toEqual([]);
    for (const action of formulas) expect(cells).toContain(`'${action.replaceAll('"', '""')}`);
    const header = body.split('\r\n')[0]?.split(',') ?? [];
    expect(header.slice(14)).toEqual(['source', 'format', 'actor', 'actor_id', 'context_json']);
    expect(body).toContain(',agent,2,');
    expect(body).toContain(',haldir,2,');
    // JSON Lines has every text as it is.
    const { body: json } = await tenant.get<string>(`/v1/audit/export?session_id=${session}`);
    expect(json).toContain(`"action":${JSON.stringify(formulas[0])}`);
  }); // prettier-ignore
});
