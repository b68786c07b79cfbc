import { type Actor, agentActor, microUsd, newId, SystemClock, Unavailable } from '@haldir/kernel';
import { dataSourceOptions, Transactions } from '@haldir/database';
import { createLogger } from '@haldir/runtime';
import { testDatabase } from '@haldir/test-support';
import { DataSource } from 'typeorm';
import { AuditLog, type AuditRecord } from './audit-log.js';
import { AuditLogRepository } from './audit-log.repository.js';
import { ProcessLease } from './process-lease.js';
import { ProcessLeaseRepository } from './process-lease.repository.js';
import { StartedCallRepository } from './started-call.repository.js';
import { type NewStart, StartedCalls } from './started-calls.js';

const log = createLogger('fatal');
const clock = new SystemClock();
let dataSource: DataSource;
let transactions: Transactions;
let auditLog: AuditLog;
let tenantId: string;
beforeAll(async () => {
  dataSource = await new DataSource(dataSourceOptions(await testDatabase(), 12)).initialize();
  transactions = new Transactions(dataSource);
  auditLog = new AuditLog(new AuditLogRepository(transactions), clock);
});
afterAll(() => dataSource.destroy());
beforeEach(async () => {
  tenantId = newId('ten');
  await dataSource.query(`INSERT INTO tenant (id, tier, created_at) VALUES ($1, 'free', now())`, [tenantId]);
  await transactions.run(tenantId, (tx) => auditLog.create(tx, tenantId));
});

/** As a process of its own has them. */
function process(): { calls: StartedCalls; lease: ProcessLease } {
  const lease = new ProcessLease(new ProcessLeaseRepository(transactions), log);
  const repository = new StartedCallRepository(transactions);
  return { calls: new StartedCalls(auditLog, lease, repository, transactions, log, clock), lease };
}
const entry = (said: string): AuditRecord => ({
  ...{ source: 'proxy', sessionId: 'ses_1', agentId: 'agent', tool: 'up.echo', action: 'tool_call' },
  details: { said },
});
const grant = {
  agentId: 'agent',
  scopes: ['execute'],
  ttlSeconds: 60,
  spendLimit: microUsd(5),
  spendPeriod: 'day',
  upstreams: null,
  catalogue: 'full',
} as const;
const actor = (): Actor => ({
  ...agentActor(tenantId, 'hld_1', grant),
  origin: { address: '192.0.2.7', traceId: null },
});
const start = (): NewStart => ({ actor: actor(), entry: entry('unknown'), paymentId: null, claim: null });
const written = (): Promise<{ entry_id: string; action: string; details: string }[]> =>
  dataSource.query(
    'SELECT entry_id, action, details, actor_id, context FROM audit_entry WHERE tenant_id = $1 ORDER BY seq',
    [tenantId],
  );
const count = async (): Promise<number> =>
  Number((await dataSource.query<{ n: string }[]>('SELECT count(*) AS n FROM started_call'))[0]?.n);

it('each call has one entry, whoever races to write it, and those who are late say so', async () => {
  const [one, other] = [process(), process()];
  const calls = await Promise.all(Array.from({ length: 200 }, () => one.calls.begin(start())));
  expect(await count()).toBe(200);
  await Promise.all(
    calls.flatMap((call, i) => [
      i % 3 === 0
        ? transactions.run(tenantId, (tx) => one.calls.endIn(tx, call, entry('known')))
        : one.calls.end(call, entry('known')),
      other.calls.close({ tenantId, entryId: call.entryId }),
      other.calls.close({ tenantId, entryId: call.entryId }),
    ]),
  );
  const entries = await written();
  const first = entries.filter(({ action }) => action === 'tool_call');
  expect(new Set(first.map(({ entry_id: id }) => id))).toEqual(new Set(calls.map(({ entryId }) => entryId)));
  expect(first).toHaveLength(200);
  const closed = first.filter(({ details }) => details.includes('unknown')).map(({ entry_id: id }) => id);
  const late = entries.filter(({ action }) => action === 'tool_call_late');
  expect(late.map(({ details }) => (JSON.parse(details) as { entry_id: string }).entry_id).sort()).toEqual(
    closed.sort(),
  );
  expect(await count()).toBe(0);
  const acted = { actor_id: 'hld_1', context: '{"address":"192.0.2.7","label":"agent:agent (hld_1)"}' };
  for (const entry of entries) expect(entry).toMatchObject(acted);
});

it('an entry of which nobody knows whether it was written is written once, however often it is tried', async () => {
  const { calls } = process();
  const call = await calls.begin(start());
  await calls.end(call, entry('known'));
  await calls.end(call, entry('known'));
  await transactions.run(tenantId, (tx) => calls.endIn(tx, call, entry('known')));
  expect(await written()).toMatchObject([{ entry_id: call.entryId, action: 'tool_call' }]);
});

it('what could not be written is written later', async () => {
  const { calls } = process();
  const call = await calls.begin(start());
  const append = auditLog.appendEnding.bind(auditLog);
  const broken = vi.spyOn(auditLog, 'appendEnding').mockImplementation((...values) => {
    void append(...values);
    return Promise.reject(new Unavailable());
  });
  await expect(calls.end(call, entry('known'))).rejects.toThrow(Unavailable);
  broken.mockRestore();
  await vi.waitFor(async () => expect(await written()).toHaveLength(1));
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(await written()).toMatchObject([{ entry_id: call.entryId, action: 'tool_call' }]);
});

it('calls are abandoned when the lease of their process has ended, and by no age', async () => {
  const { calls, lease } = process();
  const call = await calls.begin(start());
  await dataSource.query(`UPDATE started_call SET started_at = '2020-01-01'`);
  expect(await calls.abandoned(10)).toEqual([]);
  await dataSource.query(`UPDATE process_lease SET ends_at = now() WHERE process_id = $1`, [lease.processId]);
  expect(await calls.abandoned(10)).toEqual([{ tenantId, entryId: call.entryId }]);
  // Under a lease that has ended nothing begins; it is renewed first.
  await calls.begin(start());
  expect(await calls.abandoned(10)).toEqual([]);
  expect(await count()).toBe(2);
});
