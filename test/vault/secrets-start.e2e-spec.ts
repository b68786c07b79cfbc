import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Environment, startApi, startWorker, startWorld, type World } from '@haldir/test-support';

const root = join(import.meta.dirname, '..', '..');
const key = (fill: number): string => Buffer.alloc(32, fill).toString('base64url');
/** What the world's data is sealed under. */
const RIGHT = `1:${key(7)}`;
const EX_CONFIG = 78;

let world: World;
beforeAll(async () => {
  world = await startWorld();
  await world.operator.post('/v1/secrets', { name: 'kept', value: 'v' });
  // What it has yet to write about requests must not be taken for what others wrote.
  await Promise.all(world.apis.map((api) => api.stop()));
});
afterAll(() => world.stop());

/** Starts an app that is expected to end by itself. */
async function run(
  name: 'api' | 'worker',
  settings: Environment,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [join(root, 'dist', 'apps', name, 'src', 'main.js')], {
    cwd: root,
    env: { PATH: process.env.PATH, ...world.environment, PORT: '0', WORKER_PORT: '0', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 20_000,
    killSignal: 'SIGKILL',
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, ...said };
}

/** Everything that lies in the database, table by table. */
async function everything(): Promise<Record<string, string>> {
  const tables = await world.sql<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
  );
  const digests: Record<string, string> = {};
  for (const { name } of tables) {
    const [row] = await world.sql<{ digest: string }>(
      `SELECT coalesce(md5(string_agg(t::text, ',' ORDER BY t::text)), '') AS digest FROM ${name} AS t`,
    );
    digests[name] = row?.digest ?? '';
  }
  return digests;
}

describe.each(['api', 'worker'] as const)('the %s', (name) => {
  it.each([
    ['the key that data is sealed under is missing', `2:${key(8)}`, /^HALDIR_ROOT_KEYS lacks key 1, .*for example HALDIR_ROOT_KEYS=2:…,1:…$/],
    ['another key has its number', `1:${key(8)}`, /^HALDIR_ROOT_KEYS has a wrong key 1: .*give the one the data was sealed under$/],
    ['another key has its number, though not the first place', `2:${key(9)},1:${key(8)}`, /^HALDIR_ROOT_KEYS has a wrong key 1: /],
    ['there is none', '', /^HALDIR_ROOT_KEYS is missing; .*for example HALDIR_ROOT_KEYS=1:/],
    ['it is too short', '1:AAAA', /^HALDIR_ROOT_KEYS should be id:key pairs/],
    ['two have one number', `${RIGHT},1:${key(8)}`, /^HALDIR_ROOT_KEYS should name each id once/],
  ])('ends with one line and 78, and touches nothing, when %s', async (_what, keys, expected) => {
    const before = await everything();
    const { code, stdout, stderr } = await run(name, { HALDIR_ROOT_KEYS: keys });
    expect([code, stdout]).toEqual([EX_CONFIG, '']);
    const [line, ...rest] = stderr.split('\n');
    expect(rest).toEqual(['']);
    expect(line).toMatch(/^haldir (api|worker): /);
    expect(line?.replace(/^haldir (api|worker): /, '')).toMatch(expected);
    for (const fill of [7, 8, 9]) expect(stderr).not.toContain(key(fill).slice(0, 10));
    expect(await everything()).toEqual(before);
  }, 60_000); // prettier-ignore

  it('names every key that is missing', async () => {
    await world.sql(`INSERT INTO root_key (id, canary, created_at) VALUES (5, '\\x00', now())`);
    await world.sql(`UPDATE tenant_key SET root_key_id = 5 WHERE version = 1`);
    try {
      const { code, stderr } = await run(name, { HALDIR_ROOT_KEYS: `2:${key(8)}` });
      expect([code, stderr]).toEqual([EX_CONFIG, expect.stringContaining('lacks keys 1, 5, under which')]);
    } finally {
      await world.sql(`UPDATE tenant_key SET root_key_id = 1`);
      await world.sql(`DELETE FROM root_key WHERE id = 5`);
    }
  });

  it('starts with the right key among others, and remembers a new first one', async () => {
    const start = name === 'api' ? startApi : startWorker;
    const id = name === 'api' ? 3 : 4;
    const app = await start({ ...world.environment, HALDIR_ROOT_KEYS: `${id}:${key(id)},${RIGHT}` });
    if (name === 'api')
      expect((await world.operator.at(app).get('/v1/secrets/kept')).body).toMatchObject({ value: 'v' });
    expect(await app.stop()).toBe(0);
    expect(await world.sql('SELECT id FROM root_key WHERE id = $1', [id])).toEqual([{ id: String(id) }]);
    const wrong = await run(name, { HALDIR_ROOT_KEYS: `${RIGHT},${id}:${key(99)}` });
    expect([wrong.code, wrong.stderr]).toEqual([EX_CONFIG, expect.stringContaining(`has a wrong key ${id}:`)]);
  });
});
