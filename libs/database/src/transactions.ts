import { Inject, Injectable } from '@nestjs/common';
import { type PoolClient, type QueryResultRow } from 'pg';
import { DataSource, type EntityManager, type QueryRunner } from 'typeorm';
import { Unavailable } from '@haldir/kernel';

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

/** One database transaction. Statements sent without waiting for each other travel in one round trip. */
export class Tx {
  private readonly sent: Promise<unknown>[] = [];
  private readonly collected = new Map<Collector<unknown>, unknown[]>();
  private readonly afterCommit: (() => void)[] = [];

  constructor(
    private readonly runner: QueryRunner,
    private readonly client: PoolClient,
  ) {}

  /** Entities, for the queries that are not hot. */
  get manager(): EntityManager {
    return this.runner.manager;
  }

  async query<Row extends QueryResultRow>(statement: Statement | string, values: unknown[] = []): Promise<Row[]> {
    const config = typeof statement === 'string' ? { text: statement, values } : { ...statement, values };
    return (await this.client.query<Row>(config)).rows;
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

  /** The actions to run after commit. */
  committed(): void {
    for (const action of this.afterCommit) action();
  }
}

@Injectable()
export class Transactions {
  constructor(@Inject(DataSource) private readonly dataSource: DataSource) {}

  /**
   * Runs `work` in one transaction: what it wrote, its audit entries, its outbox events and its idempotency record
   * commit together and durably, or not at all.
   *
   * @throws Unavailable when the database cannot be reached; whatever `work` throws, after rolling back
   */
  async run<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const runner = this.dataSource.createQueryRunner();
    try {
      const client = (await runner.connect().catch((error: unknown) => {
        throw new Unavailable('The database cannot be reached; try again shortly', { cause: error });
      })) as PoolClient;
      // TypeORM must not open a transaction of its own inside this one.
      Object.assign(runner, { isTransactionActive: true, transactionDepth: 1 });
      const begun = client.query('BEGIN');
      begun.catch(() => undefined);
      const tx = new Tx(runner, client);
      try {
        const result = await work(tx);
        // The last statements and the commit share a round trip: a statement that fails turns COMMIT into ROLLBACK.
        const flushed = tx.flush();
        const [{ command }] = await Promise.all([client.query('COMMIT'), flushed, begun]);
        if (command !== 'COMMIT') throw new Error('the transaction was rolled back');
        Object.assign(runner, { isTransactionActive: false, transactionDepth: 0 });
        tx.committed();
        return result;
      } catch (error) {
        await client.query('ROLLBACK').catch(() => undefined);
        Object.assign(runner, { isTransactionActive: false, transactionDepth: 0 });
        throw isConnectionFailure(error) ? new Unavailable(undefined, { cause: error }) : error;
      }
    } finally {
      await runner.release().catch(() => undefined);
    }
  }

  /** One named statement outside any transaction, on a pooled connection. */
  async query<Row extends QueryResultRow>(statement: Statement, values: unknown[] = []): Promise<Row[]> {
    try {
      return (await poolOf(this.dataSource).query<Row>({ ...statement, values })).rows;
    } catch (error) {
      throw isConnectionFailure(error) ? new Unavailable(undefined, { cause: error }) : error;
    }
  }

  /** Entities outside any transaction, for reads that are not hot. */
  get manager(): EntityManager {
    return this.dataSource.manager;
  }
}

interface QueryPool {
  query<Row extends QueryResultRow>(config: {
    name: string;
    text: string;
    values: unknown[];
  }): Promise<{ rows: Row[] }>;
  totalCount: number;
  idleCount: number;
  waitingCount: number;
}

/** TypeORM owns the pool; hot statements go around its query runner, by name (ADR 3). */
export function poolOf(dataSource: DataSource): QueryPool {
  return (dataSource.driver as unknown as { master: QueryPool }).master;
}

/** Postgres went away, is starting or stopping, or refused a connection: SQLSTATE classes 08 and 57P, or no SQLSTATE. */
export function isConnectionFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: string };
  if (code === undefined) return /connection|terminated|timeout exceeded/i.test(error.message);
  return /^(08|57P|53300|55P03|57014|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND)/.test(code);
}

/** The statement failed for the data in it (SQLSTATE classes 22, 23 and P0), so a batch may hold one bad item. */
export function isDataFailure(error: unknown): boolean {
  return error instanceof Error && /^(22|23|P0)/.test((error as { code?: string }).code ?? '');
}
