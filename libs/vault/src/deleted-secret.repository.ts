import { Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';
import { MoreThan } from 'typeorm';
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
        const { raw } = (await tx.manager
          .createQueryBuilder()
          .update(Secret)
          .set({ name: null, deletedName: () => 'name', deletedAt: now, purgeAt })
          .where({ tenantId, name })
          .returning('id, version')
          .execute()) as { raw: { id: string; version: number }[] };
        return raw[0] ? { id: raw[0].id, versions: raw[0].version } : null;
      },
      /** Null when the tenant has no deleted secret of that id any more. @throws a unique violation when its name is taken */
      restore: async (tenantId: string, id: string, now: Date): Promise<{ name: string; version: number } | null> => {
        const { raw } = (await tx.manager
          .createQueryBuilder()
          .update(Secret)
          .set({ name: () => 'deleted_name', deletedName: null, deletedAt: null, purgeAt: null, updatedAt: now })
          .where({ tenantId, id, purgeAt: MoreThan(now) })
          .returning('name, version')
          .execute()) as { raw: { name: string; version: number }[] };
        return raw[0] ?? null;
      },
      /** Removes a deleted secret and its values; null when the tenant has none of that id any more. */
      purge: async (tenantId: string, id: string, now: Date): Promise<RemovedSecret | null> => {
        const { raw } = (await tx.manager
          .createQueryBuilder()
          .delete()
          .from(Secret)
          .where({ tenantId, id, purgeAt: MoreThan(now) })
          .returning('tenant_id, deleted_name AS name, version')
          .execute()) as { raw: RemovedRow[] };
        return raw[0] ? toRemoved(raw[0]) : null;
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
