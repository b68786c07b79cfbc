import { Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';
import { Secret } from './secret.entity.js';

/** A secret that is out of sight and can still be brought back. */
export interface DeletedSecret {
  id: string;
  name: string;
  /** How many values it has. */
  versions: number;
  deletedAt: Date;
  purgeAt: Date;
}

/** What was removed for good: a secret with that many versions, or the value of that version. */
export interface RemovedSecret {
  tenantId: string;
  name: string;
  version: number;
}

interface RemovedRow {
  tenant_id: string;
  name: string;
  version: number;
}

const purgeDue = `
  DELETE FROM secret s USING (
    SELECT tenant_id, id FROM secret WHERE purge_at <= $1 ORDER BY purge_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS due
   WHERE s.tenant_id = due.tenant_id AND s.id = due.id
  RETURNING s.tenant_id, s.deleted_name AS name, s.version`;
const emptyExpired = `
  UPDATE secret_version v SET wrapped_key = '', value = ''
    FROM (SELECT tenant_id, secret_id, version FROM secret_version
           WHERE expires_at <= $1 AND value <> '' ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS due,
         secret s
   WHERE v.tenant_id = due.tenant_id AND v.secret_id = due.secret_id AND v.version = due.version
     AND s.tenant_id = due.tenant_id AND s.id = due.secret_id
  RETURNING v.tenant_id, coalesce(s.name, s.deleted_name) AS name, v.version`;

/** Secrets on their way out: deleted ones, and values that expired. */
@Injectable()
export class DeletedSecretRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Up to `limit`, the last deleted first, behind `after`. */
  async list(
    tenantId: string,
    filter: { name: string | undefined; now: Date },
    limit: number,
    after: { deletedAt: Date; id: string } | null,
  ): Promise<DeletedSecret[]> {
    return this.transactions.read(tenantId, async (manager) => {
      const query = manager
        .createQueryBuilder(Secret, 's')
        .where('s.tenantId = :tenantId AND s.deletedAt IS NOT NULL AND s.purgeAt > :now', { tenantId, now: filter.now })
        .orderBy({ 's.deletedAt': 'DESC', 's.id': 'DESC' })
        .limit(limit);
      if (filter.name !== undefined) query.andWhere('s.deletedName = :name', { name: filter.name });
      if (after !== null) query.andWhere('(s.deletedAt, s.id) < (:deletedAt, :id)', after);
      return (await query.getMany()).map(({ id, deletedName, version, deletedAt, purgeAt }) => ({
        id,
        name: deletedName as string,
        versions: version,
        deletedAt: deletedAt as Date,
        purgeAt: purgeAt as Date,
      }));
    });
  }

  in(tx: Tx) {
    return {
      /** Puts the name out of sight; answers how many values it had, null when the tenant has no such secret. */
      delete: async (
        tenantId: string,
        name: string,
        now: Date,
        purgeAt: Date,
      ): Promise<{ id: string; versions: number } | null> => {
        const [row] = await tx.query<{ id: string; version: number }>(
          `UPDATE secret SET name = NULL, deleted_name = name, deleted_at = $3, purge_at = $4 WHERE tenant_id = $1 AND name = $2
           RETURNING id, version`,
          [tenantId, name, now, purgeAt],
        );
        return row ? { id: row.id, versions: row.version } : null;
      },
      /** Null when the tenant has no deleted secret of that id any more. @throws a unique violation when its name is taken */
      restore: async (tenantId: string, id: string, now: Date): Promise<{ name: string; version: number } | null> => {
        const [row] = await tx.query<{ name: string; version: number }>(
          `UPDATE secret SET name = deleted_name, deleted_name = NULL, deleted_at = NULL, purge_at = NULL, updated_at = $3 WHERE tenant_id = $1 AND id = $2 AND purge_at > $3
           RETURNING name, version`,
          [tenantId, id, now],
        );
        return row ?? null;
      },
      /** Removes a deleted secret and its values; null when the tenant has none of that id any more. */
      purge: async (tenantId: string, id: string, now: Date): Promise<RemovedSecret | null> => {
        const [row] = await tx.query<RemovedRow>(
          `DELETE FROM secret WHERE tenant_id = $1 AND id = $2 AND purge_at > $3 RETURNING tenant_id, deleted_name AS name, version`,
          [tenantId, id, now],
        );
        return row ? toRemoved(row) : null;
      },
      /** Removes up to `limit` secrets of any tenant whose time to be brought back is over. */
      purgeDue: async (now: Date, limit: number): Promise<RemovedSecret[]> =>
        (await tx.query<RemovedRow>(purgeDue, [now, limit])).map(toRemoved),
      /** Empties up to `limit` values of any tenant that expired before then. */
      emptyExpired: async (before: Date, limit: number): Promise<RemovedSecret[]> =>
        (await tx.query<RemovedRow>(emptyExpired, [before, limit])).map(toRemoved),
    };
  }
}

function toRemoved({ tenant_id: tenantId, name, version }: RemovedRow): RemovedSecret {
  return { tenantId, name, version };
}
