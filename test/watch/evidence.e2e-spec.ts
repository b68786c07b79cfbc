import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AppProcess, cli, Client, eventually, startWorker, startWorld, type World } from '@haldir/test-support';
import { type Detail, download, ended, request, temporary, unzip, verified } from './evidence.js';

let world: World;
let worker: AppProcess;
const folder = temporary();
beforeAll(async () => {
  world = await startWorld({ processes: 2 });
  worker = await startWorker(world.environment);
});
afterAll(async () => {
  await worker.stop();
  await world.stop();
  folder.remove();
});

/** A tenant of which there is something in every file. */
async function busyTenant(): Promise<{ tenant: Client; session: string; gone: string }> {
  const tenant = await world.newTenant();
  const session = await tenant.session();
  // Signs the log as it is now, so that there is an earlier head than the last.
  await tenant.get('/v1/audit/tree-head');
  await tenant.post('/v1/proxy/policies', { type: 'block_tool', tool: 'mail.send' });
  await tenant.post('/v1/approvals/rules', { type: 'spend_over', threshold: 100 });
  await tenant.post('/v1/people', { email: 'dana@example.com', role: 'auditor' });
  const { body: key } = await tenant.post<{ prefix: string; key: string }>('/v1/keys', { name: 'gone' });
  await tenant.post(`/v1/keys/${key.prefix}/rotate`, {});
  await tenant.delete(`/v1/keys/${key.prefix}`);
  await tenant.post('/v1/audit', { session_id: session, tool: 'browser', action: 'open', details: 'a page' });
  const asked = { session_id: session, tool: 'mail', action: 'send', reason: 'news' };
  const { body } = await tenant.post<{ request_id: string }>('/v1/approvals/request', asked);
  await tenant.post(`/v1/approvals/${body.request_id}/approve`, { decided_by: 'dana', note: 'seen' });
  return { tenant, session, gone: key.key };
}

describe('evidence of a period', () => {
  it('is made, downloaded, and checked by a stranger with one command', async () => {
    const { tenant, session, gone } = await busyTenant();
    const id = await request(tenant);
    const made = await ended(tenant, id);
    expect(made).toMatchObject({ state: 'done', reason: null, download_path: `/v1/evidence/${id}/download` });
    expect(made.progress.done).toBe(made.progress.total);
    expect((await tenant.get('/v1/evidence')).body).toMatchObject({ count: 1, evidence: [{ evidence_id: id }] });

    const { file, code, stdout } = await verified(tenant, id, folder.dir);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^intact: evidence of 1970-01-01T00:00:00.000Z to /)]);
    expect(stdout).toContain(`entries: ${made.progress.total}, signed at size ${made.progress.total}`);

    const dir = join(folder.dir, id);
    unzip(file, dir);
    const lines = (name: string): Record<string, unknown>[] =>
      readFileSync(join(dir, name), 'utf8')
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines('policies.jsonl')).toMatchObject([
      { kind: 'policy', type: 'block_tool', params: { tool: 'mail.send' } },
      { kind: 'approval_rule', type: 'spend_over', threshold_micros: '100000000' },
      ...[{ kind: 'flag_rule' }, { kind: 'flag_rule' }, { kind: 'flag_rule' }],
    ]);
    const actions = (name: string): unknown[] => lines(name).map(({ action }) => action);
    expect(actions('policy-history.jsonl')).toEqual(['policy_added', 'approval_rule_added']);
    expect(actions('access-history.jsonl')).toEqual([
      ...['api_key_created', 'person_invited', 'api_key_created', 'api_key_rotated', 'api_key_revoked'],
    ]);
    expect(lines('approvals.jsonl')).toMatchObject([
      { tool: 'mail', status: 'approved', decided_by: 'dana', decision_note: 'seen', signature: null },
    ]);
    expect(lines('people.jsonl')).toMatchObject([{ email: 'dana@example.com', role: 'auditor', removed_at: null }]);
    const keys = lines('keys.jsonl');
    expect(keys).toHaveLength(3);
    expect(new Set(keys.map(({ principal_id: of }) => of)).size).toBe(2);
    expect(keys.filter(({ revoked_at: at }) => at !== null)).toHaveLength(1);
    expect(lines('checkpoints.jsonl').length).toBeGreaterThan(0);
    expect(readFileSync(join(dir, 'INDEX.txt'), 'utf8')).toContain('keys.jsonl   3 lines   [stated by Haldir]');

    // A session's id stands in the log, as in every export, and nowhere else; no key and no hash of one anywhere.
    for (const name of ['policies', 'approvals', 'people', 'keys'])
      expect(readFileSync(join(dir, `${name}.jsonl`), 'utf8')).not.toContain(session);
    const whole = spawnSync('unzip', ['-p', file], { encoding: 'utf8' }).stdout;
    for (const key of [gone, tenant.key ?? '']) expect(whole).not.toContain(key.slice('hld_'.length + 10));
    expect(whole).not.toMatch(/"(hash|mac)"/);
  });

  it('is checked without Haldir, by unzip, sha256sum and openssl', async () => {
    const tenant = await world.newTenant();
    const id = await request(tenant);
    await ended(tenant, id);
    const { file } = await verified(tenant, id, folder.dir);
    const key = String((await tenant.get('/v1/audit/log-key')).body['verifier_key']);
    // What docs/evidence.md says, word for word.
    const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'evidence.md'), 'utf8');
    const [, script = ''] = /```sh\n(ZIP=[\s\S]*?)```/.exec(page) ?? [];
    const run = script.replace(/^ZIP=.*$/m, `ZIP=${file}`).replace(/^KEY=.*$/m, `KEY='${key}'`);
    const { status, stdout, stderr } = spawnSync('bash', ['-ec', run], { encoding: 'utf8', cwd: folder.dir });
    expect([status, stderr]).toEqual([0, expect.any(String)]);
    expect(stdout).toContain('entries.jsonl: OK');
    expect(stdout).toContain('Signature Verified Successfully');
  });

  it('is made and fetched by the command line, which writes over nothing', async () => {
    const tenant = await world.newTenant();
    const out = join(folder.dir, 'made.zip');
    const environment = { HALDIR_API_KEY: tenant.key ?? '', HALDIR_URL: tenant.url };
    const args = ['evidence', 'create', '--from', '2026-01-01', '--out', out];
    expect(await cli(environment, ...args)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('sha256') as string,
    });
    expect(existsSync(`${out}.part`)).toBe(false);
    const key = String((await tenant.get('/v1/audit/log-key')).body['verifier_key']);
    expect(await cli({}, 'evidence', 'verify', out, '--key', key, '--json')).toMatchObject({ code: 0 });
    expect(await cli(environment, ...args)).toMatchObject({ code: 64 });
    const other = ['evidence', 'create', '--from', 'yesterday', '--out', join(folder.dir, 'other.zip')];
    expect(await cli(environment, ...other)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('from: ') as string,
    });
  });

  it('ends with its period: what came later is not in it', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session();
    const log = (action: string): Promise<unknown> =>
      tenant.post('/v1/audit', { session_id: session, tool: 't', action });
    await log('within');
    const entry = await eventually(async () => {
      // Signed by now, so that the head behind the period is not the one behind all.
      const { body } = await tenant.get<{ tree_size: number; signed_at: number }>('/v1/audit/tree-head');
      return body;
    });
    const to = Date.now() / 1000;
    await eventually(() => expect(Date.now() / 1000).toBeGreaterThan(to + 0.01));
    await log('just behind');
    await tenant.get('/v1/audit/tree-head');
    for (let i = 0; i < 5; i++) await log('much later');
    const id = await request(tenant, { from: 0, to });
    const { state, progress } = await ended(tenant, id);
    const { code, file } = await verified(tenant, id, folder.dir);
    expect([state, code]).toEqual(['done', 0]);
    expect(progress.total).toBeGreaterThan(entry.tree_size);
    const text = spawnSync('unzip', ['-p', file, 'entries.jsonl'], { encoding: 'utf8' }).stdout;
    expect(text).toContain('"action":"within"');
    expect(text).not.toContain('much later');
  });

  it('is verified with details that were erased before, and is over with those that are erased later', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session();
    const entries: string[] = [];
    for (const details of ['one', 'two']) {
      const body = { session_id: session, tool: 't', action: 'a', details: `a secret ${details}` };
      entries.push((await tenant.post<{ entry_id: string }>('/v1/audit', body)).body.entry_id);
    }
    const to = Date.now() / 1000;
    await tenant.get('/v1/audit/tree-head');
    await tenant.delete(`/v1/audit/entries/${entries[0]}/details`);
    const id = await request(tenant, { from: 0, to });
    await ended(tenant, id);
    expect(await verified(tenant, id, folder.dir)).toMatchObject({ code: 0 });
    await tenant.delete(`/v1/audit/entries/${entries[1]}/details`);
    await eventually(async () => {
      expect((await tenant.get(`/v1/evidence/${id}`)).body).toMatchObject({
        ...{ state: 'failed', sha256: null, reason: expect.stringContaining('erased') as string },
      });
      expect(await world.sql('SELECT position FROM evidence_chunk WHERE evidence_id = $1', [id])).toEqual([]);
    });
    expect(await download(tenant, id)).toMatchObject({ status: 409 });
  });
});

describe('a download', () => {
  it('goes on where it broke off, at another process, and each is in the log', async () => {
    const tenant = await world.newTenant();
    const id = await request(tenant);
    const { size, sha256 } = await ended(tenant, id);
    const whole = await download(tenant, id);
    const bytes = Buffer.from(await whole.arrayBuffer());
    expect(whole.status).toBe(200);
    expect(bytes.length).toBe(size);
    expect(Object.fromEntries(whole.headers)).toMatchObject({
      ...{
        'content-type': 'application/zip',
        'accept-ranges': 'bytes',
        etag: `"${sha256}"`,
        'content-length': `${size}`,
      },
    });
    const there = tenant.at(world.apis[1] as AppProcess);
    const parts: [range: string, from: number, to: number][] = [
      ...([['bytes=100-', 100, size]] as [string, number, number][]),
      ['bytes=10-19', 10, 20],
      ['bytes=-7', size - 7, size],
    ];
    for (const [range, from, to] of parts) {
      const part = await download(there, id, { range, 'if-range': `"${sha256}"` });
      expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes ${from}-${to - 1}/${size}`]);
      expect(Buffer.from(await part.arrayBuffer())).toEqual(bytes.subarray(from, to));
    }
    for (const range of [`bytes=${size}-`, 'bytes=5-1', 'bytes=a-b', 'bytes=0-1,4-5', 'lines=1-2'])
      expect((await download(there, id, { range })).status).toBe(200);
    expect((await download(there, id, { range: 'bytes=1-2', 'if-range': '"other"' })).status).toBe(200);
    const { body } = await tenant.get<{ entries: unknown[] }>('/v1/audit?action=evidence_downloaded');
    expect(body.entries).toHaveLength(10);
    expect((await tenant.get<{ entries: unknown[] }>('/v1/audit?action=evidence_made')).body.entries).toMatchObject([
      { details: expect.stringContaining(sha256) as string },
    ]);
  });

  it('is nobody else’s: of another tenant, of an agent, or of a key that may not read all that is in it', async () => {
    const tenant = await world.newTenant();
    const id = await request(tenant);
    await ended(tenant, id);
    const other = await world.newTenant();
    expect((await other.get('/v1/evidence')).body).toMatchObject({ count: 0 });
    for (const path of [`/v1/evidence/${id}`, `/v1/evidence/${id}/download`])
      expect(await other.get(path)).toMatchObject({ status: 404, body: { error: 'Evidence not found' } });
    expect(await other.delete(`/v1/evidence/${id}`)).toMatchObject({ status: 404 });

    const keyed = async (body: Record<string, unknown>): Promise<Client> =>
      new Client(tenant.url, String((await tenant.post('/v1/keys', body)).body['key']));
    const agent = await keyed({ agent: { agent_id: 'a', scopes: ['read'], ttl: 600, spend_limit: 0 } });
    for (const answer of [
      await agent.post('/v1/evidence', { from: 0 }),
      await agent.get(`/v1/evidence/${id}/download`),
    ])
      expect(answer).toMatchObject({ status: 403, body: { code: 'agent_key_not_allowed' } });
    const reading = ['audit:read', 'admin:read', 'approvals:read', 'proxy:read'];
    for (const missing of reading) {
      const key = await keyed({ scopes: reading.filter((scope) => scope !== missing) });
      expect(await key.post('/v1/evidence', { from: 0 })).toMatchObject({ status: 403, body: { required: missing } });
      expect(await download(key, id)).toMatchObject({ status: 403 });
    }
    expect((await download(await keyed({ scopes: reading }), id)).status).toBe(200);
    expect(await tenant.delete(`/v1/evidence/${id}`)).toMatchObject({ status: 200, body: { deleted: true } });
    expect(await tenant.get(`/v1/evidence/${id}`)).toMatchObject({ status: 404 });
  });
});

it.each([
  [{}, 'from'],
  [{ from: 'x' }, 'from'],
  [{ from: 2, to: 1 }, 'from'],
  [{ from: 1, to: 1 }, 'from'],
  [{ from: 0, to: 99_999_999_999 }, 'to'],
  [{ from: 0, to: 'x' }, 'to'],
])('a period that is none is refused by its member: %j', async (body, field) => {
  expect(await world.operator.post<Detail>('/v1/evidence', body)).toMatchObject({ status: 400, body: { field } });
});
