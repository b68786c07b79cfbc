import { EVERY_TENANT, type Transactions, type Tx } from '@haldir/database';
import { type SealedColumn } from './sealed-column.js';

/** Columns of the key as text, by their names, and the value. */
export type SealedColumnRow = Record<string, string> & { sealed: Buffer | null };
export type SealedValueRow = SealedColumnRow & { sealed: Buffer };

/** Matches the version in front of a sealed value against a `tenant_key` row `k`. */
export function underKey({ table, column }: SealedColumn): string {
  return `${table}.tenant_id = k.tenant_id AND substr(${table}.${column}, 2, 4) = int4send(k.version)`;
}

/** Values of the columns that are sealed under tenant keys, whichever tables those are in. */
export class SealedColumnRepository {
  constructor(private readonly transactions: Transactions) {}

  /** How many values there are, of one tenant or (null) of all. */
  count({ table, column }: SealedColumn, tenantId: string | null): Promise<number> {
    return this.transactions.read(EVERY_TENANT, async (manager) => {
      const query = manager
        .createQueryBuilder()
        .select('count(*)::float8', 'values')
        .from(table, 'v')
        .where(`length(v.${column}) > 0`);
      if (tenantId !== null) query.andWhere('v.tenant_id = :tenantId', { tenantId });
      return (await query.getRawOne<{ values: number }>())?.values ?? 0;
    });
  }

  /** How many are under keys that seal nothing new. */
  async countToMove(column: SealedColumn): Promise<number> {
    const [row] = await this.transactions.queryAll<{ values: number }>(
      `SELECT count(*)::float8 AS values FROM tenant_key k JOIN ${column.table} ON ${underKey(column)} WHERE k.state = 'decrypt_only'`,
    );
    return row?.values ?? 0;
  }

  in(tx: Tx, { table, column, key }: SealedColumn) {
    const names = key.map(({ name }) => name).join(', ');
    return {
      /**
       * Up to `limit` rows behind `after`, in the order of an index, whatever they are sealed under: each is looked at once. What
       * others hold is skipped, so that nobody waits for a rotation that waits for somebody else.
       */
      hold: (tenantId: string, after: readonly string[], limit: number): Promise<SealedColumnRow[]> => {
        const position = key.map(({ type }, i) => `$${i + 3}::${type}`).join(', ');
        return tx.query<SealedColumnRow>(
          `SELECT ${key.map(({ name }) => `${name}::text AS ${name}`).join(', ')}, ${column} AS sealed FROM ${table}
            WHERE tenant_id = $1 AND (${names}) > (${position})
            ORDER BY ${key.map(({ name }) => `${table}.${name}`).join(', ')} LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED`,
          [tenantId, limit, ...after],
        );
      },
      /** Puts fresh values in place of those that are still what they were; answers how many. */
      replace: async (tenantId: string, moved: readonly { row: SealedValueRow; fresh: Buffer }[]): Promise<number> => {
        const columns = key.map(({ type }, i) => `$${i + 4}::${type}[]`).join(', ');
        const updated = await tx.query(
          `UPDATE ${table} AS t SET ${column} = w.fresh
             FROM unnest($2::bytea[], $3::bytea[], ${columns}) AS w(sealed, fresh, ${names})
            WHERE t.tenant_id = $1 AND t.${column} = w.sealed AND ${key.map(({ name }) => `t.${name} = w.${name}`).join(' AND ')}
           RETURNING 1 AS done`,
          [
            tenantId,
            moved.map(({ row }) => row.sealed),
            moved.map(({ fresh }) => fresh),
            ...key.map(({ name }) => moved.map(({ row }) => row[name])),
          ],
        );
        return updated.length;
      },
    };
  }
}
