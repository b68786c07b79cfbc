import { setTimeout as pause } from 'node:timers/promises';
import { type Actor, keyActor, Clock, microUsd, newId } from '@haldir/kernel';
import { AuditLog, AuditLogRepository } from '@haldir/audit-log';
import { dataSourceOptions, Transactions, type Tx } from '@haldir/database';
import { Channels, Outbox, OutboxRepository } from '@haldir/events';
import { HaldirConfig, type Log, Metrics } from '@haldir/runtime';
import { testDatabase } from '@haldir/test-support';
import { type Queue } from 'bullmq';
import { DataSource } from 'typeorm';
import { type ApprovalAnswer } from './approval-answer.js';
import { ApprovalRequest } from './approval-request.entity.js';
import { ApprovalRequestRepository } from './approval-request.repository.js';
import { ApprovalRuleRepository } from './approval-rule.repository.js';
import { ApprovalRuleService } from './approval-rule.service.js';
import { type ApprovalSubject, type RuleMatch } from './approval-subject.js';
import { ApprovalOutcomeRepository } from './approval-outcome.repository.js';
import { ApprovalOutcomes } from './approval-outcomes.js';
import { ApprovalService } from './approval.service.js';
import { ApprovalTellings } from './approval-tellings.js';
import { ApprovalSettings } from './approval-settings.entity.js';
import { ApprovalSettingsRepository } from './approval-settings.repository.js';
import { ApprovalAlreadyDecided, ApprovalExpired, ApprovalNotFound } from './approvals.errors.js';
import { DecisionChallengeRepository } from './decision-challenge.repository.js';
import { DecisionSignatures } from './decision-signatures.js';
import { type NewDecision } from './new-decision.js';

const HOUR_MS = 3_600_000;
const DENIAL_STANDS_MS = 300_000;
const start = Date.UTC(2026, 0, 1);

class SetClock extends Clock {
  ms = start;
  now(): Date {
    return new Date(this.ms);
  }
}

const clock = new SetClock();
let dataSource: DataSource;
let transactions: Transactions;
let approvals: ApprovalService;
let auditLog: AuditLog;
let outcomes: ApprovalOutcomes;
beforeAll(async () => {
  const url = await testDatabase();
  const options = { ...dataSourceOptions(url, 12), entities: [ApprovalRequest, ApprovalSettings] };
  dataSource = await new DataSource(options).initialize();
  transactions = new Transactions(dataSource);
  auditLog = new AuditLog(new AuditLogRepository(transactions), clock);
  // Nobody listens for the nudge: what is published stays in the outbox.
  const outbox = new Outbox(new OutboxRepository(transactions), clock, {
    name: 'nobody',
    add: async () => undefined,
  } as unknown as Queue);
  const rules = new ApprovalRuleService(new ApprovalRuleRepository(transactions), auditLog, clock);
  const requests = new ApprovalRequestRepository(transactions);
  const config = new HaldirConfig({
    ...{ DATABASE_URL: url, HALDIR_ROOT_KEYS: `1:${'A'.repeat(43)}` },
    HALDIR_PUBLIC_URL: 'https://haldir.example.com',
  });
  const settings = new ApprovalSettingsRepository(transactions);
  const signatures = new DecisionSignatures(new DecisionChallengeRepository(transactions), settings);
  const metrics = new Metrics('api');
  const log = { warn: () => undefined } as unknown as Log;
  const tellings = new ApprovalTellings(
    ...([
      new Channels(new OutboxRepository(transactions)),
      auditLog,
      transactions,
      metrics,
      config,
      clock,
      log,
    ] as const),
  );
  outcomes = new ApprovalOutcomes(
    new ApprovalOutcomeRepository(),
    tellings,
    auditLog,
    outbox,
    transactions,
    config,
    clock,
  );
  approvals = new ApprovalService(
    requests,
    rules,
    signatures,
    auditLog,
    outbox,
    tellings,
    outcomes,
    metrics,
    config,
    clock,
  );
});
afterAll(() => dataSource.destroy());

const match: RuleMatch = { ruleId: 'apl_1', otherRuleIds: [], type: 'all', reason: 'every action needs approval' };
const yes: NewDecision = { status: 'approved', by: 'Ann', note: '' };
let subject: ApprovalSubject;
beforeEach(async () => {
  clock.ms = start;
  const tenantId = newId('tnt');
  await transactions.run(tenantId, async (tx) => {
    await tx.query(`INSERT INTO tenant (id, tier, created_at) VALUES ($1, 'free', now())`, [tenantId]);
    await auditLog.create(tx, tenantId);
  });
  subject = {
    actor: keyActor(tenantId, 'hld_asker'),
    sessionId: 'ses_1',
    agentId: 'agent',
    tool: 'crm.delete',
    toolNames: ['crm.delete', 'delete'],
    action: 'call',
    amount: microUsd(1),
    destructive: true,
    reason: '',
    details: null,
    digest: Buffer.alloc(32, 1),
    grantable: null,
  };
});

const run = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => transactions.run(subject.actor.tenantId, work);
const ask = (change: Partial<ApprovalSubject> = {}, heedsDenials = false): Promise<ApprovalAnswer> =>
  run((tx) => approvals.ask(tx, { ...subject, ...change }, match, { heedsDenials }));
const hold = async (change: Partial<ApprovalSubject> = {}): Promise<string> => {
  const answer = await ask(change);
  if (answer.kind !== 'held') throw new Error(`not held: ${answer.kind}`);
  return answer.request.requestId;
};
const decider = (): Actor => keyActor(subject.actor.tenantId, 'hld_key');
const decide = (id: string, decision = yes): Promise<unknown> =>
  run((tx) => approvals.decide(tx, decider(), id, decision));
/** Whether the call is let through, which uses its approval up. */
const letThrough = (): Promise<boolean> =>
  run(async (tx) => {
    const answer = await approvals.ask(tx, subject, match);
    if (answer.kind === 'approved') await approvals.consume(tx, subject.actor, answer.request);
    return answer.kind === 'approved';
  });

it('takes a decision until the last millisecond, and none after it', async () => {
  const [inTime, late] = [await hold(), await hold({ digest: Buffer.alloc(32, 2) })];
  clock.ms = start + HOUR_MS - 1;
  await decide(inTime);
  clock.ms = start + HOUR_MS;
  await expect(decide(late)).rejects.toThrow(ApprovalExpired);
  const request = await approvals.get(subject.actor.tenantId, late);
  expect([request.statusAt(new Date(clock.ms - 1)), request.statusAt(clock.now())]).toEqual(['pending', 'expired']);
});

it('lets an approved call through until the approval’s last millisecond', async () => {
  const id = await hold();
  await decide(id);
  clock.ms = start + HOUR_MS;
  expect(await letThrough()).toBe(false);
  clock.ms = start + HOUR_MS - 1;
  expect(await letThrough()).toBe(true);
  expect(await letThrough()).toBe(false);
});

it('lets one of racing calls through', async () => {
  await decide(await hold());
  const outcomes = await Promise.all(Array.from({ length: 10 }, letThrough));
  expect(outcomes.filter(Boolean)).toHaveLength(1);
});

it('keeps the approval when the call it was locked for does not happen', async () => {
  await decide(await hold());
  await expect(
    run(async (tx) => {
      const answer = await approvals.ask(tx, subject, match);
      if (answer.kind === 'approved') await approvals.consume(tx, subject.actor, answer.request);
      throw new Error('the call fell through');
    }),
  ).rejects.toThrow('fell through');
  expect(await letThrough()).toBe(true);
});

it('lets another call through for nothing', async () => {
  await decide(await hold());
  expect((await ask({ digest: Buffer.alloc(32, 9) })).kind).toBe('held');
});

it('lets nothing of another tenant through', async () => {
  await decide(await hold());
  const subjectOfOther = { ...subject, actor: keyActor('tnt_other', 'hld_asker') };
  await expect(transactions.run('tnt_other', (tx) => approvals.ask(tx, subjectOfOther, match))).rejects.toThrow();
});

it('finds approved what is decided at the same moment, rather than asking anew', async () => {
  const id = await hold();
  const answer = await run(async (tx) => {
    await approvals.decide(tx, decider(), id, yes);
    const asked = ask();
    // Long enough to be at the row that is locked here.
    await pause(200);
    return { asked };
  });
  expect(await answer.asked).toMatchObject({ kind: 'approved', request: { id } });
});

it('has a denial stand for five minutes where denials are heeded, unless it was asked about since', async () => {
  const id = await hold();
  await decide(id, { ...yes, status: 'denied' });
  clock.ms += DENIAL_STANDS_MS - 1;
  expect(await ask({}, true)).toEqual({ kind: 'denied', requestId: id });
  clock.ms += 1;
  const next = await hold();
  expect(await ask({}, true)).toMatchObject({ kind: 'held', request: { requestId: next, isNew: false } });
  await decide(next, { ...yes, status: 'denied' });
  expect(await ask({}, true)).toEqual({ kind: 'denied', requestId: next });
  // Elsewhere a human is asked anew at once.
  const last = await hold();
  expect(last).not.toBe(next);
  expect(await ask({}, true)).toMatchObject({ kind: 'held', request: { requestId: last } });
});

it('shares one request among racing calls, and makes another once that has expired', async () => {
  const ids = await Promise.all(Array.from({ length: 10 }, () => hold()));
  expect(new Set(ids).size).toBe(1);
  clock.ms += HOUR_MS;
  const next = await Promise.all(Array.from({ length: 10 }, () => hold()));
  expect(new Set(next).size).toBe(1);
  expect(next[0]).not.toBe(ids[0]);
  const published = await dataSource.query<{ type: string }[]>(
    'SELECT type FROM outbox WHERE tenant_id = $1 ORDER BY id',
    [subject.actor.tenantId],
  );
  expect(published.map(({ type }) => type).sort()).toEqual([
    ...['approval_outcome', 'approval_requested', 'approval_requested'],
  ]);
});

it('announces a request with the page on which it is decided', async () => {
  const id = await hold();
  const [event] = await dataSource.query<{ data: object }[]>('SELECT data FROM outbox WHERE tenant_id = $1', [
    subject.actor.tenantId,
  ]);
  expect(event?.data).toMatchObject({ request_id: id, page: `https://haldir.example.com/approvals/${id}` });
});

it('notes each expiry once, however many processes look', async () => {
  const id = await hold();
  expect(await outcomes.expireDue()).toBe(0);
  clock.ms += HOUR_MS;
  await Promise.all(Array.from({ length: 4 }, () => outcomes.expireDue()));
  expect(await outcomes.expireDue()).toBe(0);
  const entries = await dataSource.query<unknown[]>(
    `SELECT 1 FROM audit_entry WHERE tenant_id = $1 AND action = 'approval_expired'`,
    [subject.actor.tenantId],
  );
  expect(entries).toHaveLength(1);
  await expect(decide(id)).rejects.toThrow(ApprovalExpired);
});

it('notes how an approved call ended once, whoever says it how often, and announces it to whom it concerns', async () => {
  const { tenantId } = subject.actor;
  const id = await hold();
  await decide(id);
  await Promise.all(
    (['performed', 'unknown', 'failed'] as const).map((outcome) =>
      run((tx) => outcomes.end(tx, tenantId, id, outcome)),
    ),
  );
  const rows = await dataSource.query<{ data: object }[]>(
    `SELECT data FROM outbox WHERE tenant_id = $1 AND type = 'approval_outcome'`,
    [tenantId],
  );
  const request = await approvals.get(tenantId, id);
  expect(rows.map(({ data }) => data)).toMatchObject([
    { request_id: id, outcome: request.outcome, decided_key: request.decidedKey },
  ]);
  expect(request.decidedKey).not.toBeNull();
});

it('notes an approval that lets nothing through in its time once, and not one that did', async () => {
  const [used, unused] = [await hold(), await hold({ digest: Buffer.alloc(32, 2) })];
  for (const id of [used, unused]) await decide(id);
  await run(async (tx) => {
    const answer = await approvals.ask(tx, subject, match);
    if (answer.kind !== 'approved') throw new Error(`not approved: ${answer.kind}`);
    await approvals.consume(tx, subject.actor, answer.request);
  });
  clock.ms += HOUR_MS;
  await Promise.all(Array.from({ length: 4 }, () => outcomes.expireDue()));
  const ended = await dataSource.query<{ id: string }[]>(
    `SELECT data->>'request_id' AS id FROM outbox WHERE tenant_id = $1 AND type = 'approval_outcome'`,
    [subject.actor.tenantId],
  );
  expect(ended).toEqual([{ id: unused }]);
});

it('says why it takes no decision', async () => {
  const id = await hold();
  await decide(id);
  await expect(decide(id, { ...yes, status: 'denied' })).rejects.toThrow(ApprovalAlreadyDecided);
  clock.ms += 2 * HOUR_MS;
  await expect(decide(id)).rejects.toThrow(ApprovalAlreadyDecided);
  await expect(decide('apr_unknown')).rejects.toThrow(ApprovalNotFound);
  await expect(run((tx) => approvals.decide(tx, keyActor('tnt_other', 'hld_key'), id, yes))).rejects.toThrow(
    ApprovalNotFound,
  );
});
