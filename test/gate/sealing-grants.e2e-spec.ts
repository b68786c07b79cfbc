import { RootKeys } from '@haldir/crypto';
import { HaldirConfig } from '@haldir/runtime';
import { Client, cli, startApi, startWorld, type World } from '@haldir/test-support';

const place = (name: string): string[] => ['haldir.system-key.v1', name];

/** Takes an installation back to where grants had no MACs: the columns may be empty, and its key has its earlier name. */
async function withoutMacs(world: World): Promise<void> {
  for (const table of ['api_key', 'session']) {
    await world.sql(`ALTER TABLE ${table} ALTER COLUMN mac DROP NOT NULL`);
    await world.sql(`UPDATE ${table} SET mac = NULL`);
  }
  const rootKeys = new RootKeys(new HaldirConfig(world.environment));
  const [row] = await world.sql<{ wrapped: Buffer }>(`SELECT wrapped FROM system_key WHERE name = 'installation'`);
  const { wrapped } = rootKeys.wrap(rootKeys.unwrap(row?.wrapped as Buffer, place('installation')), place('master'));
  await world.sql(`UPDATE system_key SET name = 'master', wrapped = $1`, [wrapped]);
}

it('rows of an earlier version are given MACs by migrate, once, and never again', async () => {
  const world = await startWorld();
  try {
    const { environment, operator } = world;
    const session = await operator.session({ scopes: ['read'], spend_limit: 5 });
    await world.apis[0]?.stop();
    await withoutMacs(world);

    await expect(startApi(environment)).rejects.toThrow(/run haldir migrate/);
    const keyless = await cli({ ...environment, HALDIR_ROOT_KEYS: '' }, 'migrate');
    expect([keyless.code, keyless.stderr]).toEqual([78, expect.stringContaining('HALDIR_ROOT_KEYS is missing')]);
    const first = await cli(environment, 'migrate');
    expect([first.code, first.stdout]).toEqual([0, expect.stringContaining('Gave 2 keys and sessions their MACs')]);

    const api = await startApi(environment);
    const client = new Client(api.url, operator.key);
    expect((await client.post(`/v1/sessions/${session}/check`, { scope: 'read' })).body).toMatchObject({
      allowed: true,
    });

    // Whoever takes a MAC away, and all that asks for one, is not given another.
    await world.sql('ALTER TABLE api_key ALTER COLUMN mac DROP NOT NULL');
    await world.sql(`UPDATE api_key SET mac = NULL, scopes = '{*}'`);
    const again = await cli({ ...environment, HALDIR_ROOT_KEYS: '' }, 'migrate');
    expect([again.code, again.stdout]).toEqual([0, 'The schema is up to date.\n']);
    expect((await cli(environment, 'migrate')).stdout).toBe('The schema is up to date.\n');
    expect((await client.get('/v1/keys')).status).toBe(401);
    await api.stop();
  } finally {
    await world.stop();
  }
});
