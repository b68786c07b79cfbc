import { Clock, newId } from '@haldir/kernel';
import { AuditLog, AuditLogRepository } from '@haldir/audit-log';
import { type GrantSeal } from '@haldir/crypto';
import { dataSourceOptions, Transactions } from '@haldir/database';
import { testDatabase } from '@haldir/test-support';
import { DataSource } from 'typeorm';
import { Delegations } from './delegations.js';
import { KeptRecordRepository } from './kept-record.repository.js';
import { LockedSessionRepository } from './locked-session.repository.js';
import { SessionExpiry } from './session-expiry.js';
import { SessionRepository } from './session.repository.js';

/** Long ago, so that nothing of other tests has expired by then. */
const now = new Date('2020-01-01T00:00:00Z');
const DAY_MS = 24 * 3_600_000;
const ago = (ms: number): Date => new Date(now.getTime() - ms);

class SetClock extends Clock {
  now(): Date {
    return now;
  }
}

let dataSource: DataSource;
let expiry: SessionExpiry;
let tenantId: string;
beforeAll(async () => {
  dataSource = await new DataSource(dataSourceOptions(await testDatabase(), 12)).initialize();
  const transactions = new Transactions(dataSource);
  const clock = new SetClock();
  const auditLog = new AuditLog(new AuditLogRepository(transactions), clock);
  const sessions = new SessionRepository(transactions, {} as GrantSeal);
  const delegations = new Delegations(sessions, new LockedSessionRepository({} as GrantSeal), clock);
  const records = new KeptRecordRepository(transactions);
  expiry = new SessionExpiry(sessions, delegations, records, transactions, auditLog, clock);
  tenantId = newId('tnt');
  await transactions.run(tenantId, async (tx) => {
    await tx.query(`INSERT INTO tenant (id, tier, created_at) VALUES ($1, 'free', $2)`, [tenantId, now]);
    await auditLog.create(tx, tenantId);
  });
});
afterAll(() => dataSource.destroy());

it('records each expired session once, however many processes look, and no other', async () => {
  const session = (id: string, expiresAt: Date, revokedAt: Date | null = null): Promise<unknown> =>
    dataSource.query(
      `INSERT INTO session (tenant_id, id, agent_id, scopes, created_at, expires_at, revoked_at, mac)
         VALUES ($1, $2, 'agent', '{}', $3, $4, $5, '')`,
      [tenantId, id, ago(DAY_MS), expiresAt, revokedAt],
    );
  for (let i = 0; i < 30; i++) await session(`ses_over_${i}`, ago(i));
  await session('ses_live', new Date(now.getTime() + 1));
  await session('ses_revoked', ago(1), ago(2));

  const counts = await Promise.all(Array.from({ length: 4 }, () => expiry.announce()));
  expect(counts.reduce((sum, count) => sum + count)).toBe(30);
  expect(await expiry.announce()).toBe(0);
  const entries = await dataSource.query<{ session_id: string }[]>(
    `SELECT session_id FROM audit_entry WHERE tenant_id = $1 AND action = 'session_expired'`,
    [tenantId],
  );
  expect(new Set(entries.map(({ session_id }) => session_id)).size).toBe(30);
  expect(entries).toHaveLength(30);
});

it('purges tasks that expired, of any tenant, and no other', async () => {
  for (const [id, expiresAt] of [
    ['tsk_over', ago(1)],
    ['tsk_live', new Date(now.getTime() + 1)],
  ] as const) {
    await dataSource.query(
      `INSERT INTO mcp_task (tenant_id, id, holder_hash, made_for, request_id, sealed, created_at, updated_at, expires_at)
         VALUES ($1, $2, '', $2, '', '', $3, $3, $4)`,
      [tenantId, id, ago(DAY_MS), expiresAt],
    );
  }
  expect(await expiry.purge()).toBe(1);
  const kept = await dataSource.query<{ id: string }[]>('SELECT id FROM mcp_task WHERE tenant_id = $1', [tenantId]);
  expect(kept).toEqual([{ id: 'tsk_live' }]);
});

it('purges sign-ins, links and answered challenges an hour after they are over, and no other', async () => {
  for (const [id, expiresAt] of [
    ['over', ago(3_600_001)],
    ['justOver', ago(3_599_999)],
  ] as const) {
    const hash = Buffer.from(`${tenantId}${id}`);
    await dataSource.query(
      `INSERT INTO sign_in (tenant_id, id, person_id, hash, page_hash, method, created_at, used_at, expires_at, mac)
         VALUES ($1, $2, '', $3, '', 'link', $4, $4, $4, '')`,
      [tenantId, id, hash, expiresAt],
    );
    await dataSource.query(
      `INSERT INTO invitation (tenant_id, id, hash, expires_at, mac) VALUES ($1, $2, $3, $4, '')`,
      [tenantId, id, hash, expiresAt],
    );
    await dataSource.query('INSERT INTO taken_challenge (tenant_id, hash, expires_at) VALUES ($1, $2, $3)', [
      tenantId,
      hash,
      expiresAt,
    ]);
    await dataSource.query(
      `INSERT INTO decision_challenge (tenant_id, request_id, person_id, decision, nonce, expires_at)
         VALUES ($1, $2, '', 'approved', decode(repeat('00', 16), 'hex'), $3)`,
      [tenantId, id, expiresAt],
    );
  }
  expect(await expiry.purge()).toBe(4);
  const kept = await dataSource.query<{ id: string }[]>(
    `SELECT id FROM sign_in WHERE tenant_id = $1 UNION ALL SELECT id FROM invitation WHERE tenant_id = $1
     UNION ALL SELECT substr(convert_from(hash, 'UTF8'), length($1) + 1) FROM taken_challenge WHERE tenant_id = $1
     UNION ALL SELECT request_id FROM decision_challenge WHERE tenant_id = $1`,
    [tenantId],
  );
  expect(kept.map(({ id }) => id)).toEqual(['justOver', 'justOver', 'justOver', 'justOver']);
});

it('purges idempotency records a day old, and quotas of keys revoked for hours', async () => {
  for (const [key, age] of [
    ['old', DAY_MS + 1],
    ['young', DAY_MS - 1],
  ] as const) {
    await dataSource.query(
      `INSERT INTO idempotency (tenant_id, route, key_hash, fingerprint, created_at) VALUES ($1, 'POST /', $2, '', $3)`,
      [tenantId, Buffer.from(key), ago(age)],
    );
  }
  for (const [key, revokedAt] of [
    ['longRevoked', ago(3 * 3_600_000)],
    ['justRevoked', ago(3_600_000)],
    ['live', null],
  ] as const) {
    const publicId = `${tenantId}${key}`;
    await dataSource.query(
      `INSERT INTO api_key (tenant_id, public_id, principal_id, name, tier, scopes, hash, mac, created_at, revoked_at)
         VALUES ($1, $2, 'hld_' || $2, '', 'free', '{}', '', '', $3, $4)`,
      [tenantId, publicId, ago(DAY_MS), revokedAt],
    );
    await dataSource.query(`INSERT INTO quota (tenant_id, principal_id, counts) VALUES ($1, $2, '{}')`, [
      tenantId,
      `hld_${publicId}`,
    ]);
  }

  expect(await expiry.purge()).toBe(2);
  expect(await expiry.purge()).toBe(0);
  const kept = await dataSource.query<{ key: string }[]>(
    `SELECT convert_from(key_hash, 'UTF8') AS key FROM idempotency WHERE tenant_id = $1
     UNION ALL SELECT substr(principal_id, length('hld_' || $1) + 1) FROM quota WHERE tenant_id = $1`,
    [tenantId],
  );
  expect(kept.map(({ key }) => key).sort()).toEqual(['justRevoked', 'live', 'young']);
});

it('purges quotas of people who asked for nothing for hours', async () => {
  for (const [person, age] of [
    ['prs_gone', 3 * 3_600_000],
    ['prs_there', 3_600_000],
  ] as const) {
    await dataSource.query(
      `INSERT INTO quota (tenant_id, principal_id, counts, times) VALUES ($1, $2, '{1}', ARRAY[extract(epoch FROM $3::timestamptz)])`,
      [tenantId, person, ago(age)],
    );
  }
  expect(await expiry.purge()).toBe(1);
  const kept = await dataSource.query<{ principal_id: string }[]>(
    `SELECT principal_id FROM quota WHERE tenant_id = $1 AND principal_id LIKE 'prs%'`,
    [tenantId],
  );
  expect(kept).toEqual([{ principal_id: 'prs_there' }]);
});
