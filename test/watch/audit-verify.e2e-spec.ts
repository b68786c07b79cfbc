import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, startWorld, type World } from '@haldir/test-support';
import { Client as Postgres } from 'pg';
import { askGo, flip, hasGo, mulberry } from './go-verifier.js';
import { ENTRIES, TAMPERING } from './log-tampering.js';

type Json = Record<string, unknown>;

const root = join(import.meta.dirname, '..', '..');
const cli = join(root, 'dist', 'apps', 'cli', 'src', 'main.js');

let world: World;
let dir: string;
beforeAll(async () => {
  world = await startWorld();
  dir = mkdtempSync(join(tmpdir(), 'haldir-verify-'));
});
afterAll(async () => {
  await world.stop();
  rmSync(dir, { recursive: true, force: true });
});

const save = (name: string, text: string): string => {
  const file = join(dir, name);
  writeFileSync(file, text);
  return file;
};
const haldir = (args: string[], input?: string): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', ...(input === undefined ? {} : { input }) });

/** A tenant with a log of some entries, its key and an older checkpoint kept elsewhere. */
interface Log {
  client: Client;
  tenantId: string;
  key: string;
  pinned: string;
  export: () => Promise<string>;
}

let logs = 0;
async function makeLog(): Promise<Log> {
  const client = await world.newTenant();
  const session = await client.session();
  for (const count of [10, ENTRIES - 12]) {
    const body = { session_id: session, action: 'act', details: 'd', cost_usd: 0.5, tool: 't' };
    await Promise.all(Array.from({ length: count }, () => client.post('/v1/audit', body)));
    await client.get('/v1/audit/tree-head');
  }
  const name = `log-${logs++}`;
  const { body: head } = await client.get<{ checkpoint: string; tenant_id: string }>('/v1/audit/tree-head');
  const { body: key } = await client.get<{ verifier_key: string }>('/v1/audit/log-key');
  return {
    client,
    tenantId: head.tenant_id,
    key: save(`${name}.key`, key.verifier_key),
    pinned: save(`${name}.pinned`, head.checkpoint),
    export: async () => {
      const { status, body } = await client.get<string>('/v1/audit/export');
      expect(status, JSON.stringify(body)).toBe(200);
      return save(`${name}.jsonl`, body);
    },
  };
}

const verify = async ({ key, pinned, ...log }: Log): Promise<{ status: number | null; finding: Json }> => {
  const { status, stdout } = haldir([
    'audit',
    'verify',
    await log.export(),
    '--key',
    key,
    '--pinned',
    pinned,
    '--json',
  ]);
  return { status, finding: JSON.parse(stdout) as Json };
};

async function asSuperuser(work: (db: Postgres) => Promise<void>): Promise<void> {
  const db = new Postgres({ connectionString: world.environment['DATABASE_OWNER_URL'] });
  await db.connect();
  try {
    await db.query('SET session_replication_role = replica');
    await work(db);
  } finally {
    await db.end();
  }
}

describe('haldir audit verify', () => {
  it('finds an export intact, from a file and from standard input, in words and as JSON', async () => {
    const log = await makeLog();
    const file = await log.export();
    const found = haldir(['audit', 'verify', file, '--key', log.key, '--pinned', log.pinned]);
    expect([found.status, found.stdout]).toEqual([
      0,
      expect.stringMatching(/^intact: 30 entries, signed by haldir\.local\/log\/tnt_/),
    ]);
    const piped = haldir(
      ['audit', 'verify', '-', '--key', log.key, '--json'],
      (await log.client.get<string>('/v1/audit/export')).body,
    );
    expect([piped.status, JSON.parse(piped.stdout)]).toEqual([
      0,
      expect.objectContaining({ outcome: 'intact', tree_size: ENTRIES }),
    ]);
  });

  it('checks a single proof, and a consistency proof between two checkpoints', async () => {
    const { client, key, pinned } = await makeLog();
    await client.session();
    const { entries } = (await client.get<{ entries: { entry_id: string }[] }>('/v1/audit?limit=5')).body;
    const proof = (await client.get(`/v1/audit/inclusion-proof/${entries[3]?.entry_id}`)).body;
    for (const text of [JSON.stringify(proof), JSON.stringify(proof, null, 2)]) {
      expect(haldir(['audit', 'verify', save('proof.json', text), '--key', key]).status).toBe(0);
    }
    for (const forged of [
      { entry_id: entries[2]?.entry_id },
      { entry: { ...(proof['entry'] as Json), action: 'other' } },
    ]) {
      const file = save('forged-entry.json', JSON.stringify({ ...proof, ...forged }));
      expect(haldir(['audit', 'verify', file, '--key', key]).stdout).toMatch(/^broken at index 27/);
    }
    const leaf = String(proof['leaf_hash']);
    const other = save(
      'other.json',
      JSON.stringify({ ...proof, leaf_hash: `${leaf.slice(0, -1)}${leaf.endsWith('0') ? '1' : '0'}` }),
    );
    expect(haldir(['audit', 'verify', other, '--key', key]).stdout).toMatch(/^broken at index 27/);

    const newer = save('newer', (await client.get<string>('/v1/audit/checkpoint')).body);
    const consistency = (await client.get(`/v1/audit/consistency-proof?first=${ENTRIES}&second=${ENTRIES + 1}`)).body;
    const args = ['--key', key, '--pinned', pinned, '--checkpoint', newer];
    expect(haldir(['audit', 'verify', save('consistency.json', JSON.stringify(consistency)), ...args]).status).toBe(0);
    const path = (consistency['consistency_path'] as string[]).map((hash, i) => (i === 0 ? 'f'.repeat(64) : hash));
    expect(
      haldir([
        'audit',
        'verify',
        save('forged.json', JSON.stringify({ ...consistency, consistency_path: path })),
        ...args,
      ]).status,
    ).toBe(1);
  });

  it('says when there is nothing to check, and when it cannot', async () => {
    const { client, key } = await makeLog();
    const empty = haldir(['audit', 'verify', save('empty', ''), '--key', key]);
    expect([empty.status, empty.stdout]).toEqual([2, 'nothing to check: the file is empty\n']);
    const filtered = save('filtered', (await client.get<string>('/v1/audit/export?tool=t')).body);
    expect(haldir(['audit', 'verify', filtered, '--key', key]).status).toBe(3);
    const csv = save('csv', (await client.get<string>('/v1/audit/export?format=csv')).body);
    expect(haldir(['audit', 'verify', csv, '--key', key]).status).toBe(3);
    const stranger = await makeLog();
    expect(haldir(['audit', 'verify', await stranger.export(), '--key', key]).status).toBe(3);
  });

  it('explains itself', () => {
    expect(haldir(['help']).stdout).toContain('audit verify');
    expect(haldir(['audit', 'verify', '--help']).stdout).toContain('Exit codes');
    for (const args of [
      ['audit', 'verify'],
      ['audit', 'verify', 'x'],
      ['audit', 'verify', 'x', '--key', 'nokey'],
      ['audit', 'verify', '--bad'],
    ]) {
      const { status, stderr } = haldir(args);
      expect([status, stderr]).toEqual([64, expect.stringMatching(/^haldir[^\n]*\n$/)]);
    }
  });
});

describe('erased details', () => {
  it('are gone everywhere, and every proof, old and new, still verifies', async () => {
    const log = await makeLog();
    const { client, key, pinned } = log;
    const { entries } = (await client.get<{ entries: { entry_id: string; details: string | null }[] }>('/v1/audit'))
      .body;
    const entry = entries[10];
    expect(entry?.details).toBe('d');
    const proof = save(
      'before.json',
      JSON.stringify((await client.get(`/v1/audit/inclusion-proof/${entry?.entry_id}`)).body),
    );
    const erase = (id = entry?.entry_id) => client.delete(`/v1/audit/${id}/details`);

    const stranger = await world.newTenant();
    expect((await stranger.delete(`/v1/audit/${entry?.entry_id}/details`)).status).toBe(404);
    expect((await erase()).body).toEqual({ erased: true, entry_id: entry?.entry_id });
    expect((await erase()).status).toBe(409);
    const [record] = (await client.get<{ entries: { entry_id: string; action: string }[] }>('/v1/audit?limit=1')).body
      .entries;
    expect(record?.action).toBe('audit_details_erased');
    expect((await erase(record?.entry_id)).status).toBe(409);

    const after = (await client.get<{ entries: { entry_id: string; details: string | null }[] }>('/v1/audit')).body
      .entries;
    expect(after.find(({ entry_id: id }) => id === entry?.entry_id)?.details).toBeNull();
    expect((await client.get('/v1/audit/verify')).body).toMatchObject({ verified: true });
    expect(haldir(['audit', 'verify', proof, '--key', key]).status).toBe(0);
    expect(haldir(['audit', 'verify', await log.export(), '--key', key, '--pinned', pinned]).status).toBe(0);
  });
});

describe('an export, after a database superuser', () => {
  it.each(TAMPERING)('%s, is broken where it happened', async (_what, index, tamper) => {
    const log = await makeLog();
    await asSuperuser(async (db) => {
      await tamper(db, log, makeLog);
    });
    const { status, finding } = await verify(log);
    expect([status, finding]).toEqual([1, expect.objectContaining({ outcome: 'broken' })]);
    if (typeof index === 'number') expect(finding['index']).toBe(index);
    else expect(String(finding['index'])).toMatch(index);
  });

  it('restored an old copy of everything, is broken where the old copy ends', async () => {
    const log = await makeLog();
    const before = await log.export();
    await log.client.session();
    const later = save('later', (await log.client.get<string>('/v1/audit/checkpoint')).body);
    const { status, stdout } = haldir(['audit', 'verify', before, '--key', log.key, '--pinned', later, '--json']);
    expect([status, JSON.parse(stdout)]).toEqual([1, expect.objectContaining({ index: ENTRIES })]);
  });

  it('did nothing, raises no alarm', async () => {
    for (let i = 0; i < 3; i++) expect((await verify(await makeLog())).status).toBe(0);
  });
});

describe.runIf(hasGo() || process.env.HALDIR_TEST_REQUIRE_GO === 'true')('Go’s sumdb/note and sumdb/tlog', () => {
  it('accept every checkpoint, 1,000 inclusion and 1,000 consistency proofs, and none with a byte flipped', async () => {
    const client = await world.newTenant();
    await client.post('/v1/audit/rules', { type: 'rapid_fire', max_actions: 1000 });
    const session = await client.session();
    for (let i = 0; i < 20; i++) {
      await Promise.all(
        Array.from({ length: 30 }, (_, j) => client.post('/v1/audit', { session_id: session, action: `${i} ${j}` })),
      );
      await client.get('/v1/audit/tree-head');
    }
    const { verifier_key: vkey } = (await client.get<{ verifier_key: string }>('/v1/audit/log-key')).body;
    const note = (await client.get<string>('/v1/audit/checkpoint')).body;
    const size = Number(note.split('\n')[1]);
    const { entries } = (await client.get<{ entries: { entry_id: string }[] }>('/v1/audit?limit=1000')).body;
    const older = (await client.get<{ checkpoints: { checkpoint: string }[] }>('/v1/audit/checkpoints')).body
      .checkpoints;

    const random = mulberry(20261124);
    const good: Json[] = older.map(({ checkpoint }) => ({ vkey, note: checkpoint }));
    await inBatches(1000, async () => {
      const entry = entries[Math.floor(random() * entries.length)];
      const { body } = await client.get<Json & { sth: Json }>(`/v1/audit/inclusion-proof/${entry?.entry_id}`);
      good.push({
        vkey,
        note: body.sth['checkpoint'],
        index: body['leaf_index'],
        leaf: body['leaf_hash'],
        path: body['audit_path'],
      });
    });
    await inBatches(1000, async () => {
      const first = 1 + Math.floor(random() * size);
      const { body } = await client.get(`/v1/audit/consistency-proof?first=${first}&second=${size}`);
      good.push({ vkey, note, first, first_root: body['first_root'], path: body['consistency_path'] });
    });
    const bad = good.map((item) => flip(item, random));
    const answers = await askGo([...good, ...bad], join(dir, 'go-cache'));
    expect(good.length).toBeGreaterThanOrEqual(2020);
    expect(answers.slice(0, good.length).filter((answer) => answer !== 'ok')).toEqual([]);
    expect(answers.slice(good.length).filter((answer) => !answer.startsWith('refused'))).toEqual([]);
  }, 120_000);
});

async function inBatches(count: number, work: () => Promise<void>): Promise<void> {
  for (let i = 0; i < count; i += 25) await Promise.all(Array.from({ length: 25 }, work));
}
