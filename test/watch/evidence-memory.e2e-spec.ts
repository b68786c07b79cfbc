import { readFileSync } from 'node:fs';
import { type Client, startWorker, startWorld, type World } from '@haldir/test-support';
import { ended, fill, request, temporary, verified } from './evidence.js';

/** `HALDIR_EVIDENCE_ENTRIES=1000000` for what docs/evidence.md says. */
const ENTRIES = Number(process.env['HALDIR_EVIDENCE_ENTRIES'] ?? 40_000);
/** Beyond what a worker has resident that makes nothing. */
const MAX_MB = 150;
const LONG_MS = 3_600_000;

let world: World;
let tenant: Client;
const folder = temporary();
beforeAll(async () => {
  world = await startWorld();
  tenant = await world.newTenant();
  await fill(world, await world.tenantOf(tenant), ENTRIES);
  // Signed, so that the worker is measured with nothing but the evidence.
  await tenant.get('/v1/audit/tree-head');
}, LONG_MS);
afterAll(async () => {
  await world.stop();
  folder.remove();
});

/** Of a process, in MB: what it has resident, or had at most. */
function resident(pid: number, what: 'VmRSS' | 'VmHWM'): number {
  const [, kb = ''] = new RegExp(`^${what}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kb) / 1024;
}

it(
  'evidence is made in bounded memory, however many entries there are',
  async () => {
    const worker = await startWorker(world.environment);
    const before = resident(worker.pid, 'VmRSS');
    const start = performance.now();
    const id = await request(tenant);
    const { state, size } = await ended(tenant, id, LONG_MS);
    const seconds = (performance.now() - start) / 1000;
    const most = resident(worker.pid, 'VmHWM');
    expect(state).toBe('done');
    expect(await verified(tenant, id, folder.dir)).toMatchObject({ code: 0 });
    const figures = { entries: ENTRIES, mb: Math.round(size / 2 ** 20), seconds: Math.round(seconds) };
    console.log({ ...figures, worker_mb_before: Math.round(before), worker_mb_at_most: Math.round(most) });
    expect(most - before).toBeLessThan(MAX_MB);
    await worker.stop();
  },
  LONG_MS,
);
