import { BareMcp, Client, startWorld, type World } from '@haldir/test-support';

const under = (key: string): Record<string, string> => ({ 'idempotency-key': key });

let world: World;
let owner: Client;
beforeAll(async () => {
  world = await startWorld();
  owner = await world.newTenant();
});
afterAll(() => world.stop());

/** Another key of the owner's tenant. */
async function keyWith(scopes: string[]): Promise<Client> {
  const { status, body } = await owner.post<{ key: string }>('/v1/keys', { scopes });
  expect(status).toBe(201);
  return new Client(owner.url, body.key);
}

describe('what one key asked for under an Idempotency-Key', () => {
  it('is not answered again to a key that may not ask for it', async () => {
    const minted = await owner.post<{ key: string }>('/v1/keys', { name: 'root' }, under('mint'));
    expect(minted.status).toBe(201);
    const narrow = await keyWith(['audit:read']);
    const replayed = await narrow.post('/v1/keys', { name: 'root' }, under('mint'));
    expect(JSON.stringify(replayed.body)).not.toContain('"key"');
    expect(replayed).toMatchObject({ status: 403, body: { required: 'admin:write' } });
  });

  it('is done for another key of the same scopes as if nobody had asked', async () => {
    const other = await keyWith(['*']);
    const [mine, theirs] = [
      await owner.post<{ session_id: string }>('/v1/sessions', { agent_id: 'a' }, under('open')),
      await other.post<{ session_id: string }>('/v1/sessions', { agent_id: 'a' }, under('open')),
    ];
    expect([mine.status, theirs.status]).toEqual([201, 201]);
    expect(theirs.headers.get('idempotent-replayed')).toBeNull();
    expect(theirs.body.session_id).not.toBe(mine.body.session_id);
    const again = await owner.post('/v1/sessions', { agent_id: 'a' }, under('open'));
    expect(again.body).toEqual(mine.body);
    expect((await other.post('/v1/sessions', { agent_id: 'b' }, under('open'))).status).toBe(422);
  });

  it('is not answered again to another key over /mcp', async () => {
    const other = await keyWith(['*']);
    const open = (key: string | null) =>
      new BareMcp({ url: owner.url, key: key ?? '' }).call('createSession', { agent_id: 'a' }, under('mcp'));
    const sessionOf = async (key: string | null): Promise<unknown> =>
      ((await open(key)).message?.result?.['structuredContent'] as { session_id?: unknown }).session_id;
    const mine = await sessionOf(owner.key);
    expect(mine).toEqual(expect.stringMatching(/^ses_/));
    expect(await sessionOf(other.key)).not.toBe(mine);
    expect(await sessionOf(owner.key)).toBe(mine);
  });

  it('is not answered again without the token that was asked for then', async () => {
    const body = { name: 'tenant', bootstrap_token: world.environment['HALDIR_BOOTSTRAP_TOKEN'] };
    const anyone = new Client(owner.url, null);
    const minted = await anyone.post<{ key: string }>('/v1/keys', body, under('tenant'));
    expect(minted.status).toBe(201);
    expect((await anyone.post<{ key: string }>('/v1/keys', body, under('tenant'))).body.key).toBe(minted.body.key);
    const guessed = { ...body, bootstrap_token: 'a token that is not the operator’s' };
    expect((await anyone.post('/v1/keys', guessed, under('tenant'))).status).toBe(401);
  });
});
