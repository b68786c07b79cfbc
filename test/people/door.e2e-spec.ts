import { cli, Client, type Environment, signInByLink, startApi, testEnvironment, tokenOf } from '@haldir/test-support';
import { Client as Postgres } from 'pg';

/** Each command is a process that starts. */
const ROOM_MS = 300_000;

/** What a process that has just started says to somebody who wants the first key. */
async function askForFirstKey(environment: Environment): Promise<number> {
  const api = await startApi(environment);
  try {
    return (await new Client(api.url, null).post('/v1/keys', {})).status;
  } finally {
    await api.stop();
  }
}

async function asApiRole(environment: Environment, ...statements: string[]): Promise<(string | null)[]> {
  const owner = new Postgres({ connectionString: environment['DATABASE_OWNER_URL'] });
  const api = new Postgres({ connectionString: environment['DATABASE_URL'] });
  await Promise.all([owner.connect(), api.connect()]);
  try {
    const { rows } = await owner.query<{ id: string }>('SELECT id FROM tenant WHERE is_operator');
    await api.query(`SELECT set_config('haldir.tenants', $1, false)`, [`{"${rows[0]?.id}"}`]);
    const refused: (string | null)[] = [];
    for (const statement of statements)
      refused.push(
        await api.query(statement).then(
          () => null,
          (error: Error) => error.message,
        ),
      );
    return refused;
  } finally {
    await Promise.all([owner.end(), api.end()]);
  }
}

describe('the door for the first key', { timeout: ROOM_MS }, () => {
  it('stays shut when the only person who came was removed and invited again', async () => {
    const environment = await testEnvironment({});
    const invite = async () =>
      (await cli(environment, 'people', 'invite', '--role', 'auditor', 'bob@example.com')).stdout.trim();
    const api = await startApi(environment);
    try {
      expect((await signInByLink(api.url, tokenOf(await invite()))).status).toBe(200);
    } finally {
      await api.stop();
    }
    expect(await cli(environment, 'people', 'remove', 'bob@example.com')).toMatchObject({ code: 0 });
    await invite();
    expect(await askForFirstKey(environment)).toBe(401);
    expect((await cli(environment, 'people', 'invite', '--first')).stdout).toBe('');
  });

  it('stays shut whatever the role of the API does to keys, people and the mark of it', async () => {
    const environment = await testEnvironment({});
    expect(await askForFirstKey(environment)).toBe(201);
    const refused = await asApiRole(
      environment,
      'DELETE FROM api_key',
      'UPDATE membership SET signed_in_at = NULL',
      'DELETE FROM tenant_door',
      `UPDATE tenant_door SET kind = 'person'`,
      'TRUNCATE tenant_door',
    );
    expect(refused.slice(0, 2)).toEqual([null, null]);
    for (const message of refused.slice(2)) expect(message).toMatch(/permission denied/);
    expect(await askForFirstKey(environment)).toBe(401);
  });
});
