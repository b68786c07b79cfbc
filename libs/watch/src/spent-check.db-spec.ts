import { Clock, haldirActor, newId } from '@haldir/kernel';
import { AuditLog, AuditLogRepository } from '@haldir/audit-log';
import { dataSourceOptions, Transactions } from '@haldir/database';
import { testDatabase } from '@haldir/test-support';
import { DataSource } from 'typeorm';
import { LoggedSpendingRepository } from './logged-spending.repository.js';
import { SpentCheck } from './spent-check.js';

/** Far ahead, so that the sessions of other tests have expired by then. */
const now = new Date('2999-01-01T00:00:00Z');

class SetClock extends Clock {
  now(): Date {
    return now;
  }
}

let dataSource: DataSource;
let transactions: Transactions;
let auditLog: AuditLog;
let check: SpentCheck;
let tenantId: string;
beforeAll(async () => {
  dataSource = await new DataSource(dataSourceOptions(await testDatabase(), 12)).initialize();
  transactions = new Transactions(dataSource);
  auditLog = new AuditLog(new AuditLogRepository(transactions), new SetClock());
  check = new SpentCheck(auditLog, new LoggedSpendingRepository(transactions), transactions, new SetClock());
  tenantId = newId('tnt');
  await transactions.run(tenantId, async (tx) => {
    await tx.query(`INSERT INTO tenant (id, tier, created_at) VALUES ($1, 'free', $2)`, [tenantId, now]);
    await auditLog.create(tx, tenantId);
  });
});
afterAll(() => dataSource.destroy());

const session = (
  id: string,
  spent: number,
  more: { limit?: number | null; endsInMs?: number } = {},
): Promise<unknown> =>
  dataSource.query(
    `INSERT INTO session (tenant_id, id, agent_id, scopes, spend_limit_micros, spent_micros, created_at, expires_at, mac)
       VALUES ($1, $2, 'agent', '{}', $3, $4, $5, $6, '')`,
    [
      tenantId,
      id,
      more.limit === undefined ? 100_000_000 : more.limit,
      spent,
      now,
      new Date(now.getTime() + (more.endsInMs ?? 1000)),
    ],
  );
const paid = (
  sessionId: string,
  action: string,
  details: Record<string, unknown>,
  source: 'session' | 'agent' = 'session',
) =>
  transactions.run(tenantId, (tx) => {
    auditLog.record(tx, haldirActor(tenantId), {
      source,
      sessionId,
      agentId: 'agent',
      tool: 'haldir.vault',
      action,
      details,
    });
    return Promise.resolve();
  });
const differences = () =>
  dataSource.query<{ session_id: string; details: string }[]>(
    `SELECT session_id, details FROM audit_entry WHERE tenant_id = $1 AND action = 'spent_differs' ORDER BY seq`,
    [tenantId],
  );

it('tells each difference once, as long as it stays the same, and no other', async () => {
  for (let i = 0; i < 1100; i++) await session(`ses_nothing_${i}`, 0);
  await session('ses_right', 5_500_000);
  await paid('ses_right', 'payment_authorized', { amount: 4, currency: 'USD' });
  await paid('ses_right', 'payment_held', { amount: 9, currency: 'USD' });
  await paid('ses_right', 'payment_captured', { amount: 1, currency: 'EUR', usd: 1.5 });
  await paid('ses_right', 'payment_denied', { amount: 50, currency: 'USD' });
  await paid('ses_right', 'payment_authorized', { amount: 50, currency: 'USD' }, 'agent');
  await session('ses_low', 0);
  await paid('ses_low', 'payment_authorized', { amount: 0.1, currency: 'USD' });
  await paid('ses_low', 'payment_authorized', { amount: 0.2, currency: 'USD' });
  await session('ses_high', 7);
  await session('ses_ended', 7, { endsInMs: -1 });
  await session('ses_unlimited', 7, { limit: null });
  await session('ses_erased', 7);
  await paid('ses_erased', 'payment_authorized', { amount: 3, currency: 'USD' });
  await dataSource.query(
    `UPDATE audit_entry SET details = NULL, details_salt = NULL WHERE tenant_id = $1 AND session_id = 'ses_erased'`,
    [tenantId],
  );

  expect([await check.run(), await check.run()]).toEqual([2, 0]);
  expect((await differences()).map((row) => [row.session_id, JSON.parse(row.details)])).toEqual([
    ['ses_high', { spent: 0.000007, logged: 0 }],
    ['ses_low', { spent: 0, logged: 0.3 }],
  ]);

  await dataSource.query(`UPDATE session SET spent_micros = 100000 WHERE tenant_id = $1 AND id = 'ses_low'`, [
    tenantId,
  ]);
  expect([await check.run(), await check.run()]).toEqual([1, 0]);
  expect((await differences()).at(-1)).toEqual({ session_id: 'ses_low', details: '{"spent":0.1,"logged":0.3}' });
});
