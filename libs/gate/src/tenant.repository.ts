import { Injectable } from '@nestjs/common';
import { type Tx } from '@haldir/database';
import { Tenant } from './tenant.entity.js';

/** What a door is shut by: the first key, or the first person who signed in. */
export type DoorKind = 'key' | 'person';

const TENANT_LOCK = 7_247_411_004;

@Injectable()
export class TenantRepository {
  in(tx: Tx) {
    return {
      /** Serialises the making of tenants until the transaction ends, so that the first call of all is decided once. */
      hold: (): Promise<unknown> => tx.query('SELECT pg_advisory_xact_lock($1)', [TENANT_LOCK]),
      /** Whether the operator's tenant had a key, or a person who signed in; other tenants do not count. */
      operatorExists: async (): Promise<boolean> => {
        const [row] = await tx.query<{ exists: boolean }>('SELECT operator_exists() AS exists');
        return row?.exists !== false;
      },
      /** The operator's, before anybody is known to be of it. */
      operator: async (): Promise<Pick<Tenant, 'id' | 'tier'> | null> => {
        const [row] = await tx.query<Pick<Tenant, 'id' | 'tier'>>('SELECT id, tier FROM operator_tenant()');
        return row ?? null;
      },
      /** For good. */
      shutDoor: (tenantId: string, kind: DoorKind, now: Date): Promise<unknown> =>
        tx.query('INSERT INTO tenant_door (tenant_id, kind, shut_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [
          tenantId,
          kind,
          now,
        ]),
      isDoorShut: async (tenantId: string, kind: DoorKind): Promise<boolean> =>
        (await tx.query('SELECT FROM tenant_door WHERE tenant_id = $1 AND kind = $2', [tenantId, kind])).length > 0,
      insert: (tenant: Tenant): Promise<unknown> => tx.manager.insert(Tenant, tenant),
    };
  }
}
