import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, startWorld, type World } from '@haldir/test-support';
import { bodyHash, contentHash, entryHash, GENESIS_HASH } from '@haldir/verifier';
import { Client as Postgres } from 'pg';

type Json = Record<string, unknown>;

const root = join(import.meta.dirname, '..', '..');
const cli = join(root, 'dist', 'apps', 'cli', 'src', 'main.js');
const ENTRIES = 30;

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
  const COLUMNS: [string, string][] = [
    ['entry_id', `entry_id || 'x'`],
    ['source', `'proxy'`],
    ['session_id', `session_id || 'x'`],
    ['agent_id', `'other'`],
    ['tool', `'other'`],
    ['action', `'other'`],
    ['cost_micros', 'cost_micros - 1'],
    ['at', `at - interval '1 microsecond'`],
    ['details', `'other'`],
    ['details', 'NULL, details_salt = NULL'],
    ['details_salt', `'\\x00'`],
    ['details_hash', `sha256('x')`],
    ['flag_reason', `'other'`],
    ['prev_hash', `sha256('x')`],
    ['entry_hash', `sha256('x')`],
    ['actor_id', `'other'`],
    ['context', `'{"label":"other"}'`],
    ['context', 'NULL, context_salt = NULL'],
    ['context_salt', `'\\x00'`],
    ['context_hash', `sha256('x')`],
  ];
  const tampering: [
    string,
    number | RegExp,
    (db: Postgres, log: Log, other: () => Promise<Log>) => Promise<unknown>,
  ][] = [
    ...COLUMNS.map(([column, value], i): (typeof tampering)[number] => [
      `changed ${column}`,
      5 + i,
      (db, { tenantId }) =>
        db.query(`UPDATE audit_entry SET ${column} = ${value} WHERE tenant_id = $1 AND seq = $2`, [tenantId, 5 + i]),
    ]),
    ...([0, 14, ENTRIES - 1] as const).map((seq): (typeof tampering)[number] => [
      `deleted entry ${seq}`,
      seq,
      (db, { tenantId }) => db.query('DELETE FROM audit_entry WHERE tenant_id = $1 AND seq = $2', [tenantId, seq]),
    ]),
    [
      'deleted an entry and closed the gap',
      14,
      async (db, { tenantId }) => {
        await db.query('DELETE FROM audit_entry WHERE tenant_id = $1 AND seq = 14', [tenantId]);
        for (let seq = 15; seq < ENTRIES; seq++) {
          await db.query('UPDATE audit_entry SET seq = seq - 1 WHERE tenant_id = $1 AND seq = $2', [tenantId, seq]);
        }
        await db.query('UPDATE audit_head SET size = size - 1 WHERE tenant_id = $1', [tenantId]);
      },
    ],
    [
      'inserted an entry at the end',
      ENTRIES,
      async (db, { tenantId }) => {
        await db.query(
          `INSERT INTO audit_entry SELECT tenant_id, seq + 1, entry_id || 'x', source, session_id, agent_id, tool, action, cost_micros, at,
                  details, details_salt, details_hash, flag_reason, entry_hash, sha256(entry_hash),
                  actor_id, context, context_salt, context_hash FROM audit_entry WHERE tenant_id = $1 AND seq = $2`,
          [tenantId, ENTRIES - 1],
        );
        await db.query('UPDATE audit_head SET size = size + 1 WHERE tenant_id = $1', [tenantId]);
      },
    ],
    [
      'swapped two entries',
      9,
      async (db, { tenantId }) => {
        for (const [from, to] of [
          [9, -1],
          [10, 9],
          [-1, 10],
        ]) {
          await db.query('UPDATE audit_entry SET seq = $3 WHERE tenant_id = $1 AND seq = $2', [tenantId, from, to]);
        }
      },
    ],
    [
      'put another tenant’s entry in its place',
      11,
      async (db, { tenantId }, makeOther) => {
        const other = await makeOther();
        await db.query('DELETE FROM audit_entry WHERE tenant_id = $1 AND seq = 11', [tenantId]);
        await db.query(`UPDATE audit_entry SET tenant_id = $1 WHERE tenant_id = $2 AND seq = 11`, [
          tenantId,
          other.tenantId,
        ]);
      },
    ],
    [
      'cut off the tail and everything that knew of it',
      20,
      async (db, { tenantId }) => {
        await db.query('DELETE FROM audit_entry WHERE tenant_id = $1 AND seq >= 20', [tenantId]);
        await forgetTree(db, tenantId);
        await db.query(
          `UPDATE audit_head SET size = 20, hash = (SELECT entry_hash FROM audit_entry WHERE tenant_id = $1 AND seq = 19) WHERE tenant_id = $1`,
          [tenantId],
        );
      },
    ],
    [
      'rewrote an entry and linked all that follow anew',
      12,
      async (db, { tenantId }) => {
        await db.query(`UPDATE audit_entry SET action = 'innocent' WHERE tenant_id = $1 AND seq = 15`, [tenantId]);
        await relink(db, tenantId);
      },
    ],
    [
      'rewrote an entry, linked all that follow anew, and had the result signed again',
      /^0$/,
      async (db, { tenantId }) => {
        await db.query(`UPDATE audit_entry SET action = 'innocent' WHERE tenant_id = $1 AND seq = 15`, [tenantId]);
        await relink(db, tenantId);
        await forgetTree(db, tenantId);
      },
    ],
    [
      'put the tree head of another log in the place of this one’s',
      /^0$/,
      async (db, { tenantId }, makeOther) =>
        db.query(
          `UPDATE audit_checkpoint c SET root_hash = o.root_hash, signature = o.signature,
                  note = replace(o.note, $2, $1) FROM audit_checkpoint o
            WHERE c.tenant_id = $1 AND o.tenant_id = $2 AND c.tree_size = $3 AND o.tree_size = $3`,
          [tenantId, (await makeOther()).tenantId, ENTRIES],
        ),
    ],
  ];

  /** As if nothing had ever been signed. */
  async function forgetTree(db: Postgres, tenantId: string): Promise<void> {
    await db.query('DELETE FROM audit_checkpoint WHERE tenant_id = $1', [tenantId]);
    await db.query('DELETE FROM audit_tile WHERE tenant_id = $1', [tenantId]);
    await db.query(`UPDATE audit_tree SET size = 0, frontier = '', last_hash = $2 WHERE tenant_id = $1`, [
      tenantId,
      GENESIS_HASH,
    ]);
  }

  /** What `audit_append` would have written, had the entries always been what they are now. */
  async function relink(db: Postgres, tenantId: string): Promise<void> {
    const { rows } = await db.query<
      Record<string, string> & Record<'flag_reason' | 'details_hash' | 'actor_id' | 'context_hash', string | null>
    >(
      `SELECT seq, entry_id, source, session_id, agent_id, tool, action, cost_micros, (extract(epoch FROM at) * 1000000)::bigint AS micros,
              encode(details_hash, 'hex') AS details_hash, flag_reason, actor_id,
              encode(context_hash, 'hex') AS context_hash FROM audit_entry WHERE tenant_id = $1 ORDER BY seq`,
      [tenantId],
    );
    let previous: Buffer = GENESIS_HASH;
    for (const row of rows) {
      const content = contentHash({
        tenantId,
        entryId: String(row['entry_id']),
        source: String(row['source']),
        sessionId: String(row['session_id']),
        agentId: String(row['agent_id']),
        tool: String(row['tool']),
        action: String(row['action']),
        costMicros: String(row['cost_micros']),
        detailsHash: row.details_hash,
        actorId: row.actor_id,
        contextHash: row.context_hash,
      });
      const hash = entryHash(previous, bodyHash(content, BigInt(String(row['micros'])), row.flag_reason));
      await db.query('UPDATE audit_entry SET prev_hash = $3, entry_hash = $4 WHERE tenant_id = $1 AND seq = $2', [
        tenantId,
        row['seq'],
        previous,
        hash,
      ]);
      previous = hash;
    }
    await db.query('UPDATE audit_head SET hash = $2 WHERE tenant_id = $1', [tenantId, previous]);
  }

  it.each(tampering)('%s, is broken where it happened', async (_what, index, tamper) => {
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
    const answers = await go([...good, ...bad]);
    expect(good.length).toBeGreaterThanOrEqual(2020);
    expect(answers.slice(0, good.length).filter((answer) => answer !== 'ok')).toEqual([]);
    expect(answers.slice(good.length).filter((answer) => !answer.startsWith('refused'))).toEqual([]);
  }, 120_000);
});

function hasGo(): boolean {
  return spawnSync('go', ['version']).status === 0 && existsSync('/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog');
}

async function go(items: Json[]): Promise<string[]> {
  const child = spawn('go', ['run', join(root, 'test', 'interop', 'verify.go')], {
    env: {
      ...process.env,
      GOPATH: '/usr/share/gocode',
      GO111MODULE: 'off',
      GOFLAGS: '',
      GOCACHE: join(dir, 'go-cache'),
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stdin.end(items.map((item) => `${JSON.stringify(item)}\n`).join(''));
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(code).toBe(0);
  return output.trimEnd().split('\n');
}

async function inBatches(count: number, work: () => Promise<void>): Promise<void> {
  for (let i = 0; i < count; i += 25) await Promise.all(Array.from({ length: 25 }, work));
}

/** The item with one character of one of its hashes, or of its note, changed. */
function flip(item: Json, random: () => number): Json {
  const path = item['path'] as string[] | undefined;
  const places = [
    ...(path && path.length > 0 ? ['path'] : []),
    ...(item['leaf'] ? ['leaf'] : []),
    ...(item['first_root'] ? ['first_root'] : []),
    'note',
  ];
  const place = places[Math.floor(random() * places.length)] as string;
  if (place === 'path' && path) {
    const at = Math.floor(random() * path.length);
    return { ...item, path: path.map((hash, i) => (i === at ? flipHex(hash, random) : hash)) };
  }
  if (place !== 'note') return { ...item, [place]: flipHex(String(item[place]), random) };
  const note = String(item['note']);
  // The last digit of the base64 text holds two bits that mean nothing.
  const at = note.length - 4 - Math.floor(random() * 80);
  return { ...item, note: note.slice(0, at) + (note[at] === 'A' ? 'B' : 'A') + note.slice(at + 1) };
}

function flipHex(hash: string, random: () => number): string {
  const at = Math.floor(random() * hash.length);
  return hash.slice(0, at) + (hash[at] === '0' ? '1' : '0') + hash.slice(at + 1);
}

/** A small generator of numbers from 0 to 1 that gives the same ones for the same seed. */
function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
