import { Injectable } from '@nestjs/common';
import { Batcher } from '@haldir/kernel';
import { Transactions, type Tx } from '@haldir/database';
import { type Caller } from '@haldir/http';
import { publicIdOfPrefix } from './api-key-format.js';
import { ApiKey } from './api-key.entity.js';
import { type KeyGrant } from './grants.js';
import { type KeyGrantRow, toKeyGrant } from './key-grant-row.js';

/** A key as authentication needs it. */
export interface KeyRecord extends KeyGrant {
  mac: Buffer | null;
  session: Caller['session'];
}

// Before a key is known to be good, nothing is known of its tenant: a function that sees all keys answers about those asked for.
const liveKeys = {
  name: 'api_key.live.v4',
  text: `SELECT tenant_id, public_id, tier, scopes, hash, tenant_tier, is_operator, agent_id, agent_scopes, agent_ttl_seconds,
                agent_spend_limit_micros, agent_spend_period, agent_upstreams, principal_id, expires_at, mac, session_id, session_expires_at
           FROM api_key_live($1::text[])`,
};

interface LiveKeyRow extends KeyGrantRow {
  mac: Buffer | null;
  session_id: string | null;
  session_expires_at: Date | null;
}

export const API_KEY_STATUSES = ['active', 'expired', 'revoked'] as const;

export interface ApiKeyFilter {
  kind?: 'key' | 'agent' | undefined;
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
      if (kind !== undefined) query.andWhere(`k.agentId IS ${kind === 'agent' ? 'NOT ' : ''}NULL`);
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
        tx.query(
          'UPDATE api_key SET expires_at = $3, mac = $4, expiry_announced_at = $5 WHERE tenant_id = $1 AND public_id = $2',
          [tenantId, publicId, expiresAt, mac, now],
        ),
      /** Ends a key; false when the tenant has none of that id. An ended one stays as it was. */
      revoke: async (tenantId: string, publicId: string, now: Date): Promise<boolean> => {
        const rows = await tx.query(
          'UPDATE api_key SET revoked_at = coalesce(revoked_at, $3) WHERE tenant_id = $1 AND public_id = $2 RETURNING 1 AS done',
          [tenantId, publicId, now],
        );
        return rows.length > 0;
      },
    };
  }

  private async load(publicIds: string[]): Promise<(KeyRecord | null)[]> {
    const rows = await this.transactions.queryAll<LiveKeyRow>(liveKeys, [[...new Set(publicIds)]]);
    const byId = new Map(
      rows.map((row): [string, KeyRecord] => [
        row.public_id,
        {
          ...toKeyGrant(row),
          mac: row.mac,
          session:
            row.session_id === null || row.session_expires_at === null
              ? null
              : { id: row.session_id, expiresAt: row.session_expires_at },
        },
      ]),
    );
    return publicIds.map((id) => byId.get(id) ?? null);
  }
}
