import { Clock, HaldirError, type MicroUsd, newId, personActor } from '@haldir/kernel';
import { AuditLog, AuditLogRepository } from '@haldir/audit-log';
import { type GrantSeal } from '@haldir/crypto';
import { dataSourceOptions, Transactions, type Tx } from '@haldir/database';
import { type Outbox } from '@haldir/events';
import { freshDatabaseUrl } from '@haldir/test-support';
import { DataSource } from 'typeorm';
import { AgentFreezeRepository } from './agent-freeze.repository.js';
import { BudgetRepository } from './budget.repository.js';
import { BudgetService, type Settlement, type Spend } from './budget.service.js';
import { Delegations } from './delegations.js';
import { type KeptRecordRepository } from './kept-record.repository.js';
import { LockedSessionRepository } from './locked-session.repository.js';
import { SessionExpiry } from './session-expiry.js';
import { SessionRepository } from './session.repository.js';
import { SessionService } from './session.service.js';

/** `HALDIR_TEST_DELEGATION_TREES=10000` asks for as many. */
const TREES = Number(process.env['HALDIR_TEST_DELEGATION_TREES'] ?? 60);
/** Of one tenant, all of which move at once. */
const AT_ONCE = 20;
const ROUNDS = 5;
const STEPS = 5;

let now = Date.parse('2021-01-01T00:00:00Z');
class SetClock extends Clock {
  now(): Date {
    return new Date(now);
  }
}
/** What a process dies of in the middle of a transaction. */
class Killed extends Error {}

let dataSource: DataSource;
let transactions: Transactions;
let auditLog: AuditLog;
let sessions: SessionService;
let budgets: BudgetService;
let expiry: SessionExpiry;
beforeAll(async () => {
  dataSource = await new DataSource(dataSourceOptions(await freshDatabaseUrl(), 12)).initialize();
  transactions = new Transactions(dataSource);
  const clock = new SetClock();
  auditLog = new AuditLog(new AuditLogRepository(transactions), clock);
  const seal = { isIntact: () => true, macOf: () => Buffer.alloc(32) } as unknown as GrantSeal;
  const rows = new SessionRepository(transactions, seal);
  const locked = new LockedSessionRepository(seal);
  const delegations = new Delegations(rows, locked, clock);
  const frozen = new AgentFreezeRepository(transactions);
  sessions = new SessionService(rows, frozen, {} as never, delegations, auditLog, transactions, clock);
  budgets = new BudgetService(locked, new BudgetRepository(transactions), { publish: () => '' } as unknown as Outbox, clock);
  expiry = new SessionExpiry(rows, delegations, {} as KeptRecordRepository, transactions, auditLog, clock);
}); // prettier-ignore
afterAll(() => dataSource.destroy());

async function newTenant(): Promise<string> {
  const tenantId = newId('tnt');
  await transactions.run(tenantId, async (tx) => {
    await tx.query(`INSERT INTO tenant (id, tier, created_at) VALUES ($1, 'free', $2)`, [tenantId, new Date(now)]);
    await auditLog.create(tx, tenantId);
  });
  return tenantId;
}

/** Of the books of a tenant what is not as it must be; there are no payments in them here. */
const faultsOf = (tenantId: string): Promise<unknown> =>
  dataSource.query(`SELECT subject, fault FROM payment_fault WHERE tenant_id = $1 AND fault NOT LIKE '%payments'`, [
    tenantId,
  ]);

const chance = (share: number): boolean => Math.random() < share;
const between = (least: number, most: number): number => least + Math.floor(Math.random() * (most - least + 1));
const pick = <T>(list: readonly T[]): T => list[between(0, list.length - 1)] as T;

/** A tree of sessions, and those who open, spend and end in it at once. */
class Grove {
  private readonly ids: string[] = [];
  private readonly holds: Settlement[] = [];

  constructor(private readonly tenantId: string) {}

  async plant(): Promise<void> {
    const root = chance(0.8) ? (BigInt(between(0, 5_000)) as MicroUsd) : null;
    const wanted = { agentId: 'agent', scopes: ['read', 'spend'], catalogue: 'full' as const };
    const session = await sessions.open(this.actor, { ...wanted, ttlSeconds: 100, spendLimit: root, parent: null });
    this.ids.push(session.id);
  }

  /** One step; what it is refused is no matter. */
  async step(): Promise<void> {
    const isKilled = chance(0.15);
    const step = pick(['open', 'open', 'open', 'spend', 'spend', 'settle', 'revoke'] as const);
    try {
      await transactions.run(this.tenantId, async (tx) => {
        const done = await this[step](tx);
        if (isKilled) throw new Killed();
        tx.onCommit(done);
      });
    } catch (error) {
      const isExpected = error instanceof Killed || (error instanceof HaldirError && error.kind !== 'unavailable');
      if (!isExpected) throw error;
    }
  }

  private get actor() {
    return personActor(this.tenantId, 'prs_1', 'a@example.com');
  }

  private async open(tx: Tx): Promise<() => void> {
    const opened = await sessions.openIn(tx, this.actor, {
      ...{ agentId: 'agent', scopes: chance(0.7) ? ['read', 'spend'] : ['read:x'], catalogue: 'full' },
      ...{ ttlSeconds: between(1, 100), spendLimit: chance(0.9) ? (BigInt(between(0, 2_000)) as MicroUsd) : null },
      parent: { id: pick(this.ids), mayEndSooner: chance(0.8) },
    });
    return () => this.ids.push(opened.id);
  }

  private async spend(tx: Tx): Promise<() => void> {
    const { tenantId } = this;
    const spends = Array.from({ length: between(1, 3) }, (): Spend => {
      const amount = BigInt(between(0, 700)) as MicroUsd;
      return { actor: this.actor, tenantId, sessionId: pick(this.ids), amount, kind: pick(['spend', 'hold']) };
    });
    const decisions = await budgets.take(tx, spends);
    return () => {
      for (const [i, { sessionId, amount, kind }] of spends.entries()) {
        if (!decisions[i]?.taken || kind === 'spend') continue;
        const held = amount ?? (0n as MicroUsd);
        const spent = BigInt(between(0, Number(held))) as MicroUsd;
        this.holds.push({ tenantId, sessionId, agentId: 'agent', heldAt: new Date(now), drawnOn: [], held, spent });
      }
    };
  }

  private async settle(tx: Tx): Promise<() => void> {
    // Whoever settles a hold has it to itself, as its row sees to.
    const [hold] = this.holds.splice(0, 1);
    if (!hold) return () => undefined;
    tx.onFailure(() => this.holds.push(hold));
    budgets.settle(tx, await budgets.lock(tx, [hold]), [hold]);
    return () => undefined;
  }

  private async revoke(tx: Tx): Promise<() => void> {
    const id = chance(0.15) ? (this.ids[0] as string) : pick(this.ids);
    await sessions.revoke(tx, this.actor, id);
    return () => undefined;
  }
}

describe(`${TREES} random trees of sessions`, () => {
  it('have their books right after any steps at once, killed or not, and nothing outlives what it descends from', async () => {
    const happened = { deep: 0, revoked: 0, spent: 0 };
    for (let planted = 0; planted < TREES; planted += AT_ONCE) {
      const tenantId = await newTenant();
      const groves = Array.from({ length: Math.min(AT_ONCE, TREES - planted) }, () => new Grove(tenantId));
      await Promise.all(groves.map((grove) => grove.plant()));
      for (let round = 0; round < ROUNDS; round++) {
        const steps = groves.flatMap((grove) => Array.from({ length: STEPS }, () => grove.step()));
        await Promise.all([...steps, expiry.announce(), expiry.announce()]);
        expect(await faultsOf(tenantId)).toEqual([]);
        now += 20_000;
      }
      // In the end all of it has returned that was not used up.
      for (now += 100_000; (await expiry.announce()) > 0;);
      expect(await faultsOf(tenantId)).toEqual([]);
      const open = `SELECT FROM session WHERE tenant_id = $1 AND (descendants > 0 OR (revoked_at IS NULL AND expiry_announced_at IS NULL))`;
      expect(await dataSource.query(open, [tenantId])).toEqual([]);
      const done = `SELECT count(*) FILTER (WHERE cardinality(lineage) > 1)::integer AS deep, count(revoked_at)::integer AS revoked,
                           sum(spent_micros)::integer AS spent FROM session WHERE tenant_id = $1`;
      const [row] = await dataSource.query<(typeof happened)[]>(done, [tenantId]);
      for (const name of ['deep', 'revoked', 'spent'] as const) happened[name] += Number(row?.[name]);
    }
    // By chance none of the trees of one tenant may be deep.
    expect(Object.values(happened).every((count) => count > 0)).toBe(true);
  }, 3_600_000);
});

describe('a session that is opened from another', () => {
  let tenantId: string;
  beforeEach(async () => {
    tenantId = await newTenant();
  });
  const actor = () => personActor(tenantId, 'prs_1', 'a@example.com');
  const open = async (parentId: string | null, limit: number): Promise<string> => {
    const wanted = { agentId: 'a', scopes: ['read'], ttlSeconds: 60, catalogue: 'full' as const };
    const parent = parentId === null ? null : { id: parentId, mayEndSooner: true };
    return (await sessions.open(actor(), { ...wanted, spendLimit: BigInt(limit) as MicroUsd, parent })).id;
  };
  const books = async (id: string): Promise<unknown> => {
    const [row] = await dataSource.query<Record<string, string>[]>(
      'SELECT spent_micros, held_micros, delegated_micros FROM session WHERE tenant_id = $1 AND id = $2',
      [tenantId, id],
    );
    return Object.values(row ?? {}).map(Number);
  };
  const take = async (sessionId: string, amount: number, kind: Spend['kind']): Promise<boolean | undefined> => {
    const spend = { actor: actor(), tenantId, sessionId, amount: BigInt(amount) as MicroUsd, kind };
    return transactions.run(tenantId, async (tx) => (await budgets.take(tx, [spend]))[0]?.taken);
  };
  const settle = (sessionId: string, held: number, spent: number): Promise<void> => {
    const amounts = { held: BigInt(held) as MicroUsd, spent: BigInt(spent) as MicroUsd };
    const hold = { tenantId, sessionId, agentId: 'a', heldAt: new Date(now), drawnOn: [], ...amounts };
    return transactions.run(tenantId, async (tx) => budgets.settle(tx, await budgets.lock(tx, [hold]), [hold]));
  };

  it('races others for what its parent has left, and no more is given than there is', async () => {
    const root = await open(null, 10);
    const opened = await Promise.allSettled(Array.from({ length: 12 }, () => open(root, 3)));
    expect(opened.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    expect(await books(root)).toEqual([0, 0, 9]);
  });

  it('leaves to its parent what it has not used, and what it held when that is free, as far up as sessions are over', async () => {
    const root = await open(null, 100);
    const child = await open(root, 60);
    const grandchild = await open(child, 30);
    expect([await take(grandchild, 5, 'spend'), await take(grandchild, 20, 'hold')]).toEqual([true, true]);
    expect(await take(child, 31, 'spend')).toBe(false);
    await transactions.run(tenantId, (tx) => sessions.revoke(tx, actor(), child));
    expect([await books(root), await books(child), await books(grandchild)]).toEqual([
      [0, 0, 25],
      [0, 0, 25],
      [5, 20, 0],
    ]);
    await settle(grandchild, 20, 4);
    expect([await books(root), await books(child), await books(grandchild)]).toEqual([
      [0, 0, 9],
      [0, 0, 9],
      [9, 0, 0],
    ]);
    expect(await take(root, 91, 'spend')).toBe(true);
    expect(await faultsOf(tenantId)).toEqual([]);
  });

  it('returns its money once, however many end it and its parent, while others are opened from both', async () => {
    for (let i = 0; i < 20; i++) {
      const root = await open(null, 100);
      const [child, other] = await Promise.all([open(root, 60), open(root, 30)]);
      await take(child, 7, 'spend');
      const end = (id: string) => transactions.run(tenantId, (tx) => sessions.revoke(tx, actor(), id));
      const ends = [end(child), ...(i % 2 ? [end(root)] : [end(child)]), end(other), open(child, 1), open(root, 1)];
      await Promise.allSettled(ends);
      expect(await faultsOf(tenantId)).toEqual([]);
      expect(await books(child)).toEqual([7, 0, 0]);
    }
  });

  it('is not taken from once its end is noted, by whoever has a slower clock', async () => {
    const root = await open(null, 100);
    const child = await open(root, 60);
    now += 60_000;
    while ((await expiry.announce()) > 0);
    now -= 60_000;
    expect(await take(child, 1, 'spend')).toBe(false);
    await expect(transactions.run(tenantId, (tx) => sessions.revoke(tx, actor(), child))).rejects.toThrow('not found');
    expect(await books(root)).toEqual([0, 0, 0]);
  });
});
