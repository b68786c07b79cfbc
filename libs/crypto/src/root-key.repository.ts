import { type Tx } from '@haldir/database';
import { RootKey } from './root-key.entity.js';

const wrapping = `
  SELECT root_key_id AS id, count(*) AS keys FROM (
    SELECT root_key_id FROM tenant_key WHERE state <> 'retired' UNION ALL SELECT root_key_id FROM system_key) AS wrapped
   GROUP BY 1 ORDER BY 1`;

export class RootKeyRepository {
  in(tx: Tx) {
    return {
      /** The ids of those without which something does not open. */
      inUse: async (): Promise<number[]> =>
        (await tx.query<{ id: string }>('SELECT id FROM root_keys_in_use() AS id ORDER BY 1')).map(({ id }) =>
          Number(id),
        ),
      /** Those that wrap something, and how many keys each. */
      wrapping: async (): Promise<{ id: number; keys: number }[]> =>
        (await tx.query<{ id: string; keys: string }>(wrapping)).map(({ id, keys }) => ({
          id: Number(id),
          keys: Number(keys),
        })),
      known: (): Promise<RootKey[]> => tx.manager.find(RootKey, { order: { id: 'ASC' } }),
      /** One that is known stays as it is. */
      remember: (key: RootKey): Promise<unknown> =>
        tx.manager.createQueryBuilder().insert().into(RootKey).values(key).orIgnore().execute(),
    };
  }
}
