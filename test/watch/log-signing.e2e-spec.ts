import { eventually, startWorker, startWorld, type World } from '@haldir/test-support';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const heads = (): Promise<{ tenant_id: string; signed: string | null }[]> =>
  world.sql(`SELECT h.tenant_id, (SELECT max(tree_size) FROM audit_checkpoint c WHERE c.tenant_id = h.tenant_id) = h.size AS signed
               FROM audit_head h`);

it('logs are signed together, over more than one tile, and one that does not continue its tree holds up no other', async () => {
  const tenants = await Promise.all(Array.from({ length: 12 }, () => world.newTenant()));
  const [whole, torn] = tenants;
  if (!whole || !torn) throw new Error('there are tenants');
  const session = await whole.session();
  await Promise.all(Array.from({ length: 700 }, () => whole.post('/v1/audit', { session_id: session, action: 'act' })));
  const tornId = await world.tenantOf(torn);
  await world.sql('UPDATE audit_tree SET last_hash = $2 WHERE tenant_id = $1', [tornId, Buffer.alloc(32, 1)]);

  const worker = await startWorker(world.environment);
  try {
    await eventually(async () => {
      for (const { tenant_id: tenantId, signed } of await heads()) {
        expect([tenantId, signed]).toEqual([tenantId, tenantId === tornId ? null : true]);
      }
    });
    await eventually(() => expect(worker.output()).toContain('audit.checkpoint_failed'));
    const again = await Promise.all(tenants.slice(2).map((tenant) => tenant.session()));
    expect(again).toHaveLength(10);
    await eventually(async () => {
      const behind = (await heads()).filter(({ signed }) => !signed);
      expect(behind.map(({ tenant_id: tenantId }) => tenantId)).toEqual([tornId]);
    });
  } finally {
    await worker.stop();
  }
  const { body: head } = await whole.get<{ tree_size: number; root_hash: string }>('/v1/audit/tree-head');
  expect(head.tree_size).toBeGreaterThan(700);
  expect((await whole.get('/v1/audit/verify')).body).toMatchObject({ verified: true, entries_checked: head.tree_size });
});
