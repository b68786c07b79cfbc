import { type Transactions } from '@haldir/database';
import { type SealedColumn, underKey } from './sealed-column.js';

export interface KeyStatus {
  /** Root keys that wrap something, and how many keys each. */
  rootKeys: { id: number; keys: number }[];
  tenantKeys: Record<'active' | 'decrypt_only' | 'retired', number>;
  /** Values that are still under keys that seal nothing new. */
  valuesToMove: number;
  /** Rotations of tenant keys that were begun and not finished: of one tenant, or `*`. */
  unfinished: { scope: string; startedAt: Date }[];
}

/** How things stand with the keys of an installation; takes a look at every key, and opens none. */
export async function readKeyStatus(transactions: Transactions, columns: readonly SealedColumn[]): Promise<KeyStatus> {
  const rootKeys = await transactions.queryAll<{ id: string; keys: string }>({
    name: 'key_status.root_keys.v1',
    text: `SELECT root_key_id AS id, count(*) AS keys FROM (
             SELECT root_key_id FROM tenant_key WHERE state <> 'retired' UNION ALL SELECT root_key_id FROM system_key) AS wrapped
            GROUP BY 1 ORDER BY 1`,
  });
  const states = await transactions.queryAll<{ state: keyof KeyStatus['tenantKeys']; keys: string }>({
    name: 'key_status.tenant_keys.v1',
    text: 'SELECT state, count(*) AS keys FROM tenant_key GROUP BY 1',
  });
  const tenantKeys = { active: 0, decrypt_only: 0, retired: 0 };
  for (const { state, keys } of states) tenantKeys[state] = Number(keys);
  let valuesToMove = 0;
  for (const column of columns) {
    const [row] = await transactions.queryAll<{ values: string }>({
      name: `key_status.${column.table}.${column.column}.v1`,
      text: `SELECT count(*) AS values FROM tenant_key k JOIN ${column.table} ON ${underKey(column)} WHERE k.state = 'decrypt_only'`,
    });
    valuesToMove += Number(row?.values ?? 0);
  }
  const unfinished = await transactions.queryAll<{ scope: string; started_at: Date }>({
    name: 'key_status.rotations.v1',
    text: 'SELECT scope, started_at FROM key_rotation WHERE finished_at IS NULL ORDER BY id',
  });
  return {
    rootKeys: rootKeys.map(({ id, keys }) => ({ id: Number(id), keys: Number(keys) })),
    tenantKeys,
    valuesToMove,
    unfinished: unfinished.map((row) => ({ scope: row.scope, startedAt: row.started_at })),
  };
}

/** How many values there are, of one tenant or (`*`) of all. */
export async function countSealed(
  transactions: Transactions,
  columns: readonly SealedColumn[],
  scope: string,
): Promise<number> {
  let total = 0;
  for (const { table, column } of columns) {
    const [row] = await transactions.queryAll<{ values: string }>(
      {
        name: `sealed.${table}.${column}.count.v1`,
        text: `SELECT count(*) AS values FROM ${table} WHERE ($1 = '*' OR tenant_id = $1) AND length(${column}) > 0`,
      },
      [scope],
    );
    total += Number(row?.values ?? 0);
  }
  return total;
}
