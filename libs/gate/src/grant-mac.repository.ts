import { columnsOf, type Tx } from '@haldir/database';
import { type KeyGrant } from './grants.js';
import { GRANTING_COLUMNS, type KeyTenantRow, toKeyGrant } from './key-grant-row.js';
import { Session } from './session.entity.js';

/** What finds a row. */
export interface Place {
  tenantId: string;
  id: string;
}

const SESSION = columnsOf(Session);

/** MACs over what keys and sessions of an earlier version grant; for the owner of the schema. */
export class GrantMacRepository {
  in(tx: Tx) {
    return {
      /** Nobody writes keys, sessions or tenants until the transaction ends. */
      lock: (): Promise<unknown> => tx.query('LOCK TABLE api_key, session, tenant IN EXCLUSIVE MODE'),
      /** Up to `limit` keys in the order of their places, behind `after`. */
      keys: async (after: Place | undefined, limit: number): Promise<KeyGrant[]> => {
        const rows = await tx.query<KeyTenantRow>(
          `SELECT ${GRANTING_COLUMNS.of('k')}, t.tier AS tenant_tier, t.is_operator
             FROM api_key k JOIN tenant t ON t.id = k.tenant_id
            WHERE (k.tenant_id, k.public_id) > ($1, $2) ORDER BY k.tenant_id, k.public_id LIMIT $3`,
          [...positionOf(after), limit],
        );
        return rows.map((row) => toKeyGrant(GRANTING_COLUMNS.toEntity(row), row));
      },
      sessions: async (after: Place | undefined, limit: number): Promise<Session[]> => {
        const rows = await tx.query(
          `SELECT ${SESSION.list} FROM session WHERE (tenant_id, id) > ($1, $2) ORDER BY tenant_id, id LIMIT $3`,
          [...positionOf(after), limit],
        );
        return rows.map((row) => SESSION.toEntity(row));
      },
      put: (table: 'api_key' | 'session', macs: readonly (Place & { mac: Buffer })[]): Promise<unknown> =>
        tx.query(
          `UPDATE ${table} r SET mac = w.mac FROM unnest($1::text[], $2::text[], $3::bytea[]) AS w(tenant_id, id, mac)
            WHERE r.tenant_id = w.tenant_id AND r.${table === 'api_key' ? 'public_id' : 'id'} = w.id`,
          [macs.map(({ tenantId }) => tenantId), macs.map(({ id }) => id), macs.map(({ mac }) => mac)],
        ),
      /** From now on there is no row without one. */
      require: async (): Promise<void> => {
        await tx.query('ALTER TABLE api_key ALTER COLUMN mac SET NOT NULL');
        await tx.query('ALTER TABLE session ALTER COLUMN mac SET NOT NULL');
      },
    };
  }
}

function positionOf(after: Place | undefined): [string, string] {
  return [after?.tenantId ?? '', after?.id ?? ''];
}
