import { type Client, type Reply, startWorld, type World } from '@haldir/test-support';

interface Binding {
  upstream: string;
  tool?: string;
}
interface Made {
  version: number;
  bindings: Binding[];
}

let world: World;
let client: Client;
beforeAll(async () => {
  world = await startWorld();
});
beforeEach(async () => {
  client = await world.newTenant();
});
afterAll(() => world.stop());

const store = (value: string, bindings?: unknown, more: object = {}): Promise<Reply<Made>> =>
  client.post<Made>('/v1/secrets', { name: 'key', value, ...(bindings === undefined ? {} : { bindings }), ...more });
const rollBack = (version: number): Promise<Reply<Made>> => client.post<Made>('/v1/secrets/key/rollback', { version });
async function bindingsOf(): Promise<Record<number, string[]>> {
  const { body } = await client.get<{ versions: (Made & { value?: string })[] }>('/v1/secrets/key/versions');
  for (const version of body.versions) expect(version).not.toHaveProperty('value');
  return Object.fromEntries(body.versions.map(({ version, bindings }) => [version, bindings.map(written)]));
}
const written = ({ upstream, tool }: Binding): string => `${upstream}.${tool}`;

describe('bindings of a secret', () => {
  it('are shown as they were stored, each once, and a tool that is left out is every tool', async () => {
    const { status, body } = await store('one', [
      { upstream: 'stripe', tool: 'charge.create' },
      { upstream: 'github' },
      { upstream: 'stripe', tool: 'charge.create' },
      { upstream: 'github', tool: '*' },
    ]);
    expect(status).toBe(201);
    expect(body.bindings.map(written)).toEqual(['github.*', 'stripe.charge.create']);
    expect(await bindingsOf()).toEqual({ 1: ['github.*', 'stripe.charge.create'] });
    const [entry] = await world.sql<{ details: string }>(
      `SELECT details FROM audit_entry WHERE tenant_id = $1 AND action = 'secret_stored'`,
      [await world.tenantOf(client)],
    );
    expect(JSON.parse(entry?.details ?? '')).toMatchObject({ bindings: ['github.*', 'stripe.charge.create'] });
  });

  it('are none unless somebody names some, stay when a value takes the place of another, and are replaced by a list', async () => {
    expect((await store('one')).body.bindings).toEqual([]);
    await store('two', [{ upstream: 'api' }]);
    expect((await store('three')).body.bindings.map(written)).toEqual(['api.*']);
    expect((await store('four', null)).body.bindings.map(written)).toEqual(['api.*']);
    await store('five', [{ upstream: 'api', tool: 'a' }]);
    await store('six', []);
    expect((await store('seven')).body.bindings).toEqual([]);
    expect(await bindingsOf()).toEqual({ 1: [], 2: ['api.*'], 3: ['api.*'], 4: ['api.*'], 5: ['api.a'], 6: [], 7: [] });
    expect((await client.get('/v1/secrets/key')).body).toEqual({ name: 'key', value: 'seven' });
  });

  it('are those of both versions after a rollback, so that no value goes where it was not meant to', async () => {
    await store('one');
    await store('two', [{ upstream: 'api', tool: 'a' }, { upstream: 'other' }]);
    await store('three', [{ upstream: 'api' }]);
    expect((await rollBack(1)).body).toMatchObject({ version: 4, bindings: [] });
    await store('five', [{ upstream: 'api' }]);
    expect((await rollBack(2)).body.bindings.map(written)).toEqual(['api.a']);
    expect((await client.get('/v1/secrets/key')).body['value']).toBe('two');
  });

  it('that were changed in the database bind nothing: the value does not open, and the next one does not take them over', async () => {
    await store('one', [{ upstream: 'api', tool: 'a' }]);
    await world.sql(`UPDATE secret_version SET bindings = '{api.*}' WHERE tenant_id = $1`, [
      await world.tenantOf(client),
    ]);
    expect((await client.get('/v1/secrets/key')).status).toBe(404);
    expect((await store('two')).body.bindings).toEqual([]);
    expect((await client.get('/v1/secrets/key')).body['value']).toBe('two');
  });

  it('end with the name', async () => {
    await store('one', [{ upstream: 'api' }]);
    await client.delete('/v1/secrets/key');
    expect((await store('two')).body).toMatchObject({ version: 1, bindings: [] });
  });

  it.each([
    [{ upstream: 'api' }],
    [['api.*']],
    [[{}]],
    [[{ upstream: '' }]],
    [[{ upstream: 'a.b' }]],
    [[{ upstream: 'api', tool: '' }]],
    [[{ upstream: 'api', tool: 7 }]],
    [[{ upstream: 'api', tool: 'a\n' }]],
    [[{ upstream: 'api', tool: 'a'.repeat(257) }]],
    [Array.from({ length: 101 }, (_, i) => ({ upstream: 'api', tool: `t${i}` }))],
  ])('are not %j', async (bindings) => {
    const { status, body } = await store('one', bindings);
    expect([status, String(body['error' as never])]).toEqual([400, expect.stringMatching(/^bindings/)]);
  });
});
