import { columnsOf, EVERY_TENANT, type Transactions, type Tx } from '@haldir/database';
import { LessThan, Not } from 'typeorm';
import { type SealedColumn } from './sealed-column.js';
import { underKey } from './sealed-column.repository.js';
import { TenantKey, type TenantKeyState } from './tenant-key.entity.js';

export type WrappedKey = Pick<TenantKey, 'version' | 'wrapped'>;
type KeyPosition = Pick<TenantKey, 'tenantId' | 'version'>;

const WRAPPED = columnsOf(TenantKey).only('version', 'wrapped');

/** Until the transaction ends, no other key takes the place of the active one: whoever rotates takes the lock exclusively. */
const hold = {
  name: 'tenant_key.hold.v1',
  text: `SELECT pg_advisory_xact_lock_shared(tenant_key_lock($1))`,
};
const active = {
  name: 'tenant_key.active.v1',
  text: `SELECT ${WRAPPED.list} FROM tenant_key WHERE tenant_id = $1 AND state = 'active'`,
};
const byVersion = {
  name: 'tenant_key.by_version.v2',
  text: `SELECT ${WRAPPED.list} FROM tenant_key WHERE tenant_id = $1 AND version = $2 AND state <> 'retired'`,
};
const rewrap = `
  UPDATE tenant_key AS k SET root_key_id = $1, wrapped = w.wrapped
    FROM unnest($2::text[], $3::integer[], $4::bytea[]) AS w(tenant_id, version, wrapped)
   WHERE k.tenant_id = w.tenant_id AND k.version = w.version`;

/** Tenants' keys. Every value of theirs is sealed and opened with them, so what is asked for that is named. */
export class TenantKeyRepository {
  constructor(private readonly transactions: Transactions) {}

  /** A key that opens; null when there is none, or it is retired. @param tx where the caller is in a transaction */
  async find(tenantId: string, version: number, tx?: Tx): Promise<WrappedKey | null> {
    const [row] = await (tx
      ? tx.query(byVersion, [tenantId, version])
      : this.transactions.query(byVersion, [tenantId, version]));
    return row ? WRAPPED.toEntity(row) : null;
  }

  /** How many there are in each state. */
  async counts(): Promise<Record<TenantKeyState, number>> {
    return this.transactions.read(EVERY_TENANT, async (manager) => {
      const rows = await manager
        .createQueryBuilder(TenantKey, 'k')
        .select('k.state', 'state')
        .addSelect('count(*)::float8', 'keys')
        .groupBy('k.state')
        .getRawMany<{ state: TenantKeyState; keys: number }>();
      const counts = { active: 0, decrypt_only: 0, retired: 0 };
      for (const { state, keys } of rows) counts[state] = keys;
      return counts;
    });
  }

  /** Those that are not retired, in the order they were made. */
  live(tenantId: string): Promise<TenantKey[]> {
    return this.transactions.read(tenantId, (manager) =>
      manager.find(TenantKey, { where: { tenantId, state: Not('retired') }, order: { version: 'ASC' } }),
    );
  }

  /**
   * Up to `limit` tenants, behind `after`, that have an active key from before then, or one that has yet to be emptied.
   *
   * @param tenantId of that tenant alone; null for all of them
   */
  due(madeBefore: Date, tenantId: string | null, after: string, limit: number): Promise<string[]> {
    return this.transactions.read(EVERY_TENANT, async (manager) => {
      const query = manager
        .createQueryBuilder(TenantKey, 'k')
        .select('k.tenantId', 'tenantId')
        .distinct(true)
        .where(`(k.state = 'decrypt_only' OR (k.state = 'active' AND k.createdAt < :madeBefore))`, { madeBefore })
        .andWhere('k.tenantId > :after', { after })
        .orderBy('k.tenantId')
        .limit(limit);
      if (tenantId !== null) query.andWhere('k.tenantId = :tenantId', { tenantId });
      return (await query.getRawMany<KeyPosition>()).map((row) => row.tenantId);
    });
  }

  /** Retires what nothing is sealed under any more; its material is gone. Answers how many keys that were. */
  async retire(tenantId: string, columns: readonly SealedColumn[]): Promise<number> {
    const unused = columns.map((column) => `NOT EXISTS (SELECT FROM ${column.table} WHERE ${underKey(column)})`);
    const rows = await this.transactions.query(
      `UPDATE tenant_key AS k SET state = 'retired', wrapped = ''
        WHERE tenant_id = $1 AND state = 'decrypt_only' AND ${unused.join(' AND ')} RETURNING version`,
      [tenantId],
    );
    return rows.length;
  }

  in(tx: Tx) {
    return {
      insert: (key: Omit<TenantKey, 'state'>): Promise<unknown> =>
        tx.manager.insert(TenantKey, { ...key, state: 'active' }),
      /** The active one, in whose place no other comes until the transaction ends. */
      holdActive: async (tenantId: string): Promise<WrappedKey | null> => {
        const [, [row]] = await Promise.all([tx.query(hold, [tenantId]), tx.query(active, [tenantId])]);
        return row ? WRAPPED.toEntity(row) : null;
      },
      /** Waits for whoever holds the active one, `ms` at most; then nobody does until the transaction ends. */
      lock: async (tenantId: string, ms: number): Promise<void> => {
        tx.send(`SET LOCAL lock_timeout = ${ms}`);
        await tx.query('SELECT pg_advisory_xact_lock(tenant_key_lock($1))', [tenantId]);
      },
      /** Has an active key from before then seal nothing new; false when there is none. */
      stepDown: async (tenantId: string, madeBefore: Date): Promise<boolean> => {
        const older = { tenantId, state: 'active', createdAt: LessThan(madeBefore) } as const;
        const { affected } = await tx.manager.update(TenantKey, older, { state: 'decrypt_only' });
        return affected === 1;
      },
      lastVersion: async (tenantId: string): Promise<number> =>
        (await tx.manager.maximum(TenantKey, 'version', { tenantId })) ?? 0,
      /** The active one from now on, by the clock of the database. */
      takeOver: (key: Pick<TenantKey, 'tenantId' | 'version' | 'rootKeyId' | 'wrapped'>): Promise<unknown> =>
        tx.manager
          .createQueryBuilder()
          .insert()
          .into(TenantKey)
          .values({ ...key, state: 'active', createdAt: () => 'clock_timestamp()' })
          .execute(),
      /** Up to `limit` keys of any tenant under another root key than that one, behind `after`, locked. */
      notUnder: (rootKeyId: number, after: KeyPosition | null, limit: number): Promise<TenantKey[]> => {
        const query = tx.manager
          .createQueryBuilder(TenantKey, 'k')
          .where(`k.rootKeyId <> :rootKeyId AND k.state <> 'retired'`, { rootKeyId })
          .orderBy('k.tenantId')
          .addOrderBy('k.version')
          .limit(limit)
          .setLock('for_no_key_update');
        if (after !== null) {
          // By name, because a whole key would bring parameters of its own.
          const { tenantId, version } = after;
          query.andWhere('(k.tenantId, k.version) > (:tenantId, :version)', { tenantId, version });
        }
        return query.getMany();
      },
      rewrap: (rootKeyId: number, keys: readonly (KeyPosition & WrappedKey)[]): Promise<unknown> =>
        tx.query(rewrap, [
          rootKeyId,
          keys.map(({ tenantId }) => tenantId),
          keys.map(({ version }) => version),
          keys.map(({ wrapped }) => wrapped),
        ]),
    };
  }
}
