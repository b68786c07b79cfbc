import { Injectable } from '@nestjs/common';
import { type Pool, type PoolClient, type QueryConfig, type QueryResultRow } from 'pg';
import { DataSource, type EntityManager, type QueryRunner, QueryRunnerAlreadyReleasedError } from 'typeorm';
import { Unavailable } from '@haldir/kernel';
import { tolerateLostConnections } from './lost-connections.js';

/** A statement that is prepared once per connection, under its name. Change the text, change the name. */
export interface Statement {
  name: string;
  text: string;
}

/**
 * Rows of one kind that a transaction collects and writes together, as its last statements before commit, in the
 * order of `rank`. The audit log comes last, so that a tenant's log head is locked for as short as can be.
 */
export interface Collector<Item> {
  rank: number;
  /** Sends its statements before it waits for anything, so that all collectors and the commit share a round trip. */
  flush(tx: Tx, items: Item[]): Promise<void>;
}

/**
 * Whose rows a statement may see: the database itself holds it to that (see the migration of the walls). A tenant, several,
 * or all of them, which only the worker's role may ask for.
 */
export type Scope = string | readonly string[] | typeof EVERY_TENANT;
export const EVERY_TENANT = Symbol('every tenant');

const tell = { name: 'haldir.tell.v1', text: `SELECT set_config('haldir.tenants', $1, false)` };
const tellWithin = { name: 'haldir.tell_within.v1', text: `SELECT set_config('haldir.tenants', $1, true)` };

/** As `haldir.tenants` has it: `*`, or an array literal. Tenant ids need no quoting. */
function settingOf(scope: Scope): string {
  if (scope === EVERY_TENANT) return '*';
  const tenants = typeof scope === 'string' ? [scope] : [...new Set(scope)];
  return `{${tenants.map((tenant) => `"${tenant}"`).join(',')}}`;
}

function configOf(statement: Statement | string, values: readonly unknown[]): QueryConfig {
  return { ...(typeof statement === 'string' ? { text: statement } : statement), values: [...values] };
}

/** One database transaction. Statements sent without waiting for each other travel in one round trip. */
export class Tx {
  private readonly sent: Promise<unknown>[] = [];
  private readonly collected = new Map<Collector<unknown>, unknown[]>();
  private readonly afterCommit: (() => void)[] = [];
  private readonly afterFailure: (() => void)[] = [];

  constructor(
    private readonly runner: QueryRunner,
    private readonly client: PoolClient,
    private scope: Scope,
  ) {}

  /** Lets the rest of the transaction see a tenant that was not there when it began. */
  enter(tenantId: string): void {
    if (this.scope === EVERY_TENANT) return;
    this.scope = [...(typeof this.scope === 'string' ? [this.scope] : this.scope), tenantId];
    this.send(tellWithin, [settingOf(this.scope)]);
  }

  /** Entities, for the queries that are not hot. */
  get manager(): EntityManager {
    return this.runner.manager;
  }

  async query<Row extends QueryResultRow>(statement: Statement | string, values: unknown[] = []): Promise<Row[]> {
    return (await this.client.query<Row>(configOf(statement, values))).rows;
  }

  /** Sends a statement whose answer nobody needs; the transaction fails if it does. */
  send(statement: Statement | string, values: unknown[] = []): void {
    const answer = this.query(statement, values);
    answer.catch(() => undefined);
    this.sent.push(answer);
  }

  /** Adds a row to what is written just before commit. */
  collect<Item>(collector: Collector<Item>, item: Item): void {
    const items = this.collected.get(collector);
    if (items) items.push(item);
    else this.collected.set(collector, [item]);
  }

  /** Writes what was collected so far now, for a caller that needs to know the outcome inside the transaction. */
  async flush(): Promise<void> {
    const collected = [...this.collected].sort(([a], [b]) => a.rank - b.rank);
    this.collected.clear();
    await Promise.all([...this.sent.splice(0), ...collected.map(([collector, items]) => collector.flush(this, items))]);
  }

  /** Runs `action` once the transaction is durable; it must not throw. */
  onCommit(action: () => void): void {
    this.afterCommit.push(action);
  }

  /** Runs `action` when the transaction has failed, or may have: nobody knows what a commit did that was not answered. */
  onFailure(action: () => void): void {
    this.afterFailure.push(action);
  }

  /** The actions to run after commit. */
  committed(): void {
    for (const action of this.afterCommit) action();
  }

  /** The actions to run after a failure. */
  failed(): void {
    for (const action of this.afterFailure) action();
  }
}

@Injectable()
export class Transactions {
  /** What each connection was told last. */
  private readonly told = new WeakMap<PoolClient, string>();

  constructor(private readonly dataSource: DataSource) {
    tolerateLostConnections(poolOf(dataSource));
  }

  /**
   * Runs `work` in one transaction: what it wrote, its audit entries, its outbox events and its idempotency record
   * commit together and durably, or not at all.
   *
   * @param scope whose rows it sees and writes
   * @throws Unavailable when the database cannot be reached; whatever `work` throws, after rolling back
   */
  async run<T>(scope: Scope, work: (tx: Tx) => Promise<T>): Promise<T> {
    const runner = this.dataSource.createQueryRunner();
    try {
      const client = (await runner.connect().catch((error: unknown) => {
        throw new Unavailable('The database cannot be reached; try again shortly', { cause: error });
      })) as PoolClient;
      // TypeORM must not open a transaction of its own inside this one.
      Object.assign(runner, { isTransactionActive: true, transactionDepth: 1 });
      const told = this.tell(client, scope);
      const begun = client.query('BEGIN');
      begun.catch(() => undefined);
      const tx = new Tx(runner, client, scope);
      try {
        const result = await work(tx);
        // The last statements and the commit share a round trip: a statement that fails turns COMMIT into ROLLBACK.
        const flushed = tx.flush();
        const [{ command }] = await Promise.all([client.query('COMMIT'), flushed, begun, told]);
        if (command !== 'COMMIT') throw new Error('the transaction was rolled back');
        Object.assign(runner, { isTransactionActive: false, transactionDepth: 0 });
        tx.committed();
        return result;
      } catch (error) {
        await client.query('ROLLBACK').catch(() => undefined);
        Object.assign(runner, { isTransactionActive: false, transactionDepth: 0 });
        tx.failed();
        throw isConnectionFailure(error) ? new Unavailable(undefined, { cause: error }) : error;
      }
    } finally {
      await runner.release().catch(() => undefined);
    }
  }

  /** Entities, for reads that are not hot, in a transaction of their own. */
  read<T>(scope: Scope, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.run(scope, (tx) => work(tx.manager));
  }

  /**
   * One statement outside any transaction, named where it is hot. Its first parameter is the tenant, or the tenants, whose rows it
   * sees.
   */
  query<Row extends QueryResultRow>(
    statement: Statement | string,
    values: readonly [tenants: string | readonly string[], ...rest: unknown[]],
  ): Promise<Row[]> {
    return this.queryAs<Row>(values[0], statement, values);
  }

  /** One statement outside any transaction, named where it is hot, for all tenants or for what belongs to none. */
  queryAll<Row extends QueryResultRow>(statement: Statement | string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.queryAs<Row>(EVERY_TENANT, statement, values);
  }

  private async queryAs<Row extends QueryResultRow>(
    scope: Scope,
    statement: Statement | string,
    values: readonly unknown[],
  ): Promise<Row[]> {
    let client: PoolClient | undefined;
    let broken: Error | undefined;
    try {
      client = await poolOf(this.dataSource).connect();
      const told = this.tell(client, scope);
      const { rows } = await client.query<Row>(configOf(statement, values));
      await told;
      return rows;
    } catch (error) {
      if (!isConnectionFailure(error)) throw error;
      broken = error as Error;
      throw new Unavailable(undefined, { cause: error });
    } finally {
      client?.release(broken);
    }
  }

  /** Tells the connection whose rows it may see, unless it knows; travels with what is sent next. */
  private tell(client: PoolClient, scope: Scope): Promise<unknown> | undefined {
    const setting = settingOf(scope);
    if (this.told.get(client) === setting) return undefined;
    this.told.set(client, setting);
    const answer = client.query({ ...tell, values: [setting] });
    answer.catch(() => this.told.delete(client));
    return answer;
  }
}

/** TypeORM owns the pool; hot statements go around its query runner, by name (ADR 3). */
function poolOf(dataSource: DataSource): Pool {
  return (dataSource.driver as unknown as { master: Pool }).master;
}

/**
 * Postgres went away, is starting or stopping, refused a connection, or broke off what waited too long: SQLSTATE classes 08 and
 * 57P, or no SQLSTATE. Nothing was done, and trying again may help.
 */
export function isConnectionFailure(error: unknown): boolean {
  // TypeORM takes a connection that broke from its query runner, and refuses what comes after.
  if (error instanceof QueryRunnerAlreadyReleasedError) return true;
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: string };
  if (code === undefined) return /connection|terminated|timeout exceeded/i.test(error.message);
  return /^(08|57P|53300|55P03|57014|40P01|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND)/.test(code);
}

/** The statement failed for the data in it (SQLSTATE classes 22, 23 and P0), so a batch may hold one bad item. */
export function isDataFailure(error: unknown): boolean {
  return error instanceof Error && /^(22|23|P0)/.test((error as { code?: string }).code ?? '');
}
