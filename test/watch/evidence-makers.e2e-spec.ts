import { type Client, eventually, startWorker, startWorld, type World } from '@haldir/test-support';
import { type Detail, download, ended, fill, request, temporary, verified } from './evidence.js';

/** Enough that it is not made before somebody has looked. */
const ENTRIES = 30_000;

let world: World;
let tenant: Client;
const folder = temporary();
beforeAll(async () => {
  world = await startWorld();
  tenant = await world.newTenant();
  await fill(world, await world.tenantOf(tenant), ENTRIES);
}, 180_000);
afterAll(async () => {
  await world.stop();
  folder.remove();
});

const detail = async (id: string): Promise<Detail> => (await tenant.get<Detail>(`/v1/evidence/${id}`)).body;
const begun = (id: string): Promise<void> =>
  eventually(
    async () => {
      const { state, progress } = await detail(id);
      if (state !== 'running' || progress.done === 0) throw new Error('it is not begun');
    },
    60_000,
    10,
  );

it('evidence that is asked for again is the one that is made, and of two periods at once, a third is too many', async () => {
  const first = await request(tenant, { from: 0, to: 1 });
  expect(await request(tenant, { from: 0, to: 1 })).toBe(first);
  const second = await request(tenant, { from: 0, to: 2 });
  expect(await tenant.post('/v1/evidence', { from: 0, to: 3 })).toMatchObject({
    ...{ status: 409, body: { code: 'too_much_evidence' } },
  });
  for (const id of [first, second]) expect((await tenant.delete(`/v1/evidence/${id}`)).status).toBe(200);
});

it('evidence that a killed worker was making cannot be read, and is made anew by another', async () => {
  const worker = await startWorker(world.environment);
  const id = await request(tenant);
  await begun(id);
  const chunks = 'SELECT position FROM evidence_chunk WHERE evidence_id = $1';
  await eventually(async () => expect(await world.sql(chunks, [id])).not.toEqual([]), 60_000, 10);
  await worker.kill();
  expect(await detail(id)).toMatchObject({ state: 'running', size: null, sha256: null, download_path: null });
  expect(await download(tenant, id)).toMatchObject({ status: 409 });
  const other = await startWorker(world.environment);
  expect(await ended(tenant, id)).toMatchObject({ state: 'done', progress: { done: expect.any(Number) as number } });
  expect(await verified(tenant, id, folder.dir)).toMatchObject({ code: 0 });
  await other.stop();
  await tenant.delete(`/v1/evidence/${id}`);
}, 180_000);

it('evidence that a worker was making that is asked to end is left to the next, at once', async () => {
  const worker = await startWorker(world.environment);
  const id = await request(tenant);
  await begun(id);
  expect(await worker.stop()).toBe(0);
  expect(await detail(id)).toMatchObject({ state: 'queued', download_path: null });
  const other = await startWorker(world.environment);
  expect(await ended(tenant, id)).toMatchObject({ state: 'done' });
  expect(await verified(tenant, id, folder.dir)).toMatchObject({ code: 0 });
  await other.stop();
  await tenant.delete(`/v1/evidence/${id}`);
}, 180_000);

it('evidence that is deleted while it is made leaves nothing', async () => {
  const worker = await startWorker(world.environment);
  const id = await request(tenant);
  await begun(id);
  expect((await tenant.delete(`/v1/evidence/${id}`)).status).toBe(200);
  // What is asked for next is made, so that the worker has left the other.
  const next = await request(tenant, { from: 0, to: 1 });
  expect(await ended(tenant, next)).toMatchObject({ state: 'done' });
  expect(await world.sql('SELECT position FROM evidence_chunk WHERE evidence_id = $1', [id])).toEqual([]);
  expect(worker.output()).not.toContain('evidence.failed');
  await worker.stop();
}, 180_000);

it('evidence that was kept for seven days is removed', async () => {
  const worker = await startWorker(world.environment);
  const id = await request(tenant, { from: 0, to: 5 });
  await ended(tenant, id);
  await world.sql(`UPDATE evidence SET expires_at = now() - interval '1 s' WHERE id = $1`, [id]);
  await eventually(async () => expect((await tenant.get(`/v1/evidence/${id}`)).status).toBe(404));
  expect(await world.sql('SELECT position FROM evidence_chunk WHERE evidence_id = $1', [id])).toEqual([]);
  await worker.stop();
}, 180_000);
