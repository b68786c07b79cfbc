import { Injectable } from '@nestjs/common';
import { Batcher } from '@haldir/kernel';
import { columnsOf, Transactions, type Tx } from '@haldir/database';
import { type Caller } from '@haldir/http';
import { publicIdOfPrefix } from './api-key-format.js';
import { ApiKey } from './api-key.entity.js';
import { type KeyGrant } from './grants.js';
import { GRANTING_COLUMNS, type KeyTenantRow, toKeyGrant } from './key-grant-row.js';

/** A key as authentication needs it. */
export interface KeyRecord extends KeyGrant {
  mac: Buffer | null;
  session: Caller['session'];
}

const ENDING = columnsOf(ApiKey).only('tenantId', 'publicId', 'name', 'agentId', 'createdAt', 'expiresAt');

// Before a key is known to be good, nothing is known of its tenant: a function that sees all keys answers about those asked for.
const liveKeys = {
  name: 'api_key.live.v7',
  text: `SELECT ${GRANTING_COLUMNS.list}, tenant_tier, is_operator, session_id, session_expires_at
           FROM api_key_live($1::text[])`,
};
/** Every second, for the keys of all requests. */
const markUsed = {
  name: 'api_key.mark_used.v1',
  text: `UPDATE api_key k SET last_used_at = $3
           FROM unnest($1::text[], $2::text[]) AS u(tenant_id, public_id)
          WHERE k.tenant_id = u.tenant_id AND k.public_id = u.public_id
            AND (k.last_used_at IS NULL OR k.last_used_at < $3::timestamptz - interval '1 minute')`,
};
const takeEnding = `
  UPDATE api_key k SET expiry_announced_at = $1
    FROM (SELECT tenant_id, public_id FROM api_key
           WHERE expires_at IS NOT NULL AND expiry_announced_at IS NULL AND revoked_at IS NULL AND expires_at <= $2
           ORDER BY expires_at LIMIT $3 FOR UPDATE SKIP LOCKED) AS due
   WHERE k.tenant_id = due.tenant_id AND k.public_id = due.public_id
  RETURNING ${ENDING.of('k')}`;

interface LiveKeyRow extends KeyTenantRow {
  session_id: string | null;
  session_expires_at: Date | null;
}

/** A key that ends by itself. */
type EndingKey = Pick<ApiKey, 'tenantId' | 'publicId' | 'name' | 'agentId' | 'createdAt'> & { expiresAt: Date };

export const API_KEY_KINDS = ['key', 'agent', 'connector'] as const;
export const API_KEY_STATUSES = ['active', 'expired', 'revoked'] as const;

export interface ApiKeyFilter {
  kind?: (typeof API_KEY_KINDS)[number] | undefined;
  agentId?: string | undefined;
  prefix?: string | undefined;
  status?: (typeof API_KEY_STATUSES)[number] | undefined;
}

@Injectable()
export class ApiKeyRepository {
  private readonly loader = new Batcher<string, KeyRecord | null>({
    maxBatch: 512,
    maxInFlight: 2,
    maxQueued: 8192,
    run: (publicIds) => this.load(publicIds),
  });

  constructor(private readonly transactions: Transactions) {}

  /**
   * The key of that public id unless it is revoked. Look-ups that arrive together share one query, sent after the last
   * of them arrived: what was revoked before is seen revoked.
   */
  findLive(publicId: string): Promise<KeyRecord | null> {
    return this.loader.submit(publicId);
  }

  /** Up to `limit` of the tenant's keys, oldest first, behind the given one. */
  list(
    tenantId: string,
    filter: ApiKeyFilter,
    now: Date,
    limit: number,
    after: { createdAt: Date; publicId: string } | null,
  ): Promise<ApiKey[]> {
    return this.transactions.read(tenantId, async (manager) => {
      const query = manager
        .createQueryBuilder(ApiKey, 'k')
        .where('k.tenantId = :tenantId', { tenantId })
        .orderBy('k.createdAt')
        .addOrderBy('k.publicId')
        .limit(limit);
      const { kind, agentId, prefix, status } = filter;
      if (kind !== undefined) query.andWhere('k.kind = :kind', { kind });
      if (agentId !== undefined) query.andWhere('k.agentId = :agentId', { agentId });
      if (prefix !== undefined) query.andWhere('k.publicId = :publicId', { publicId: publicIdOfPrefix(prefix) });
      if (status === 'revoked') query.andWhere('k.revokedAt IS NOT NULL');
      else if (status !== undefined) {
        const hasEnded = status === 'expired' ? 'k.expiresAt <= :now' : '(k.expiresAt IS NULL OR k.expiresAt > :now)';
        query.andWhere(`k.revokedAt IS NULL AND ${hasEnded}`, { now });
      }
      if (after) query.andWhere('(k.createdAt, k.publicId) > (:createdAt, :publicId)', after);
      return query.getMany();
    });
  }

  /** Notes, to the minute, that keys were used. */
  async markUsed(keys: readonly Pick<ApiKey, 'tenantId' | 'publicId'>[], now: Date): Promise<void> {
    await this.transactions.query(markUsed, [
      keys.map(({ tenantId }) => tenantId),
      keys.map(({ publicId }) => publicId),
      now,
    ]);
  }

  /** Keys ever made, revoked ones included. */
  count(tenantId: string): Promise<number> {
    return this.transactions.read(tenantId, (manager) => manager.countBy(ApiKey, { tenantId }));
  }

  in(tx: Tx) {
    return {
      insert: (key: ApiKey): Promise<unknown> => tx.manager.insert(ApiKey, key),
      /** A key that is not revoked, with what only authentication reads, locked until the transaction ends. */
      lock: (tenantId: string, publicId: string): Promise<ApiKey | null> =>
        tx.manager
          .createQueryBuilder(ApiKey, 'k')
          .addSelect(['k.hash', 'k.mac'])
          .where({ tenantId, publicId })
          .andWhere('k.revokedAt IS NULL')
          .setLock('pessimistic_write')
          .getOne(),
      /** Writes when a key that was replaced ends; nobody is told again of that. */
      replace: ({ tenantId, publicId, expiresAt, mac }: ApiKey, now: Date): Promise<unknown> =>
        tx.manager.update(ApiKey, { tenantId, publicId }, { expiresAt, mac, expiryAnnouncedAt: now }),
      /** Ends a key; false when the tenant has none of that id. An ended one stays as it was. */
      revoke: async (tenantId: string, publicId: string, now: Date): Promise<boolean> => {
        const query = tx.manager
          .createQueryBuilder()
          .update(ApiKey)
          .set({ revokedAt: () => 'coalesce(revoked_at, :now)' })
          .where({ tenantId, publicId });
        return (await query.setParameter('now', now).execute()).affected === 1;
      },
      /** Up to `limit` keys of any tenant that end until then and were not told of; from now on they are. */
      takeEnding: async (now: Date, until: Date, limit: number): Promise<EndingKey[]> =>
        (await tx.query(takeEnding, [now, until, limit])).map((row) => ENDING.toEntity(row) as EndingKey),
    };
  }

  private async load(publicIds: string[]): Promise<(KeyRecord | null)[]> {
    const rows = await this.transactions.queryAll<LiveKeyRow>(liveKeys, [[...new Set(publicIds)]]);
    const byId = new Map(
      rows.map((row): [string, KeyRecord] => {
        const key = GRANTING_COLUMNS.toEntity(row);
        const { session_id: id, session_expires_at: expiresAt } = row;
        const session = id === null || expiresAt === null ? null : { id, expiresAt };
        return [key.publicId, Object.assign(toKeyGrant(key, row), { mac: key.mac, session })];
      }),
    );
    return publicIds.map((id) => byId.get(id) ?? null);
  }
}
