import { Injectable } from '@nestjs/common';
import { type MicroUsd } from '@haldir/kernel';
import { columnsOf, Transactions, type Tx } from '@haldir/database';
import { IsNull, MoreThan } from 'typeorm';
import { ApprovalGrant } from './approval-grant.entity.js';
import { ApprovalRequest } from './approval-request.entity.js';

export interface GrantFilter {
  agentId?: string | undefined;
  /** Those that let something through, or the others. */
  state?: 'live' | 'ended' | undefined;
}

const WAITED = ['tenantId', 'id', 'amount', 'amountUnclear', 'ruleId', 'otherRuleIds', 'grantable'] as const;
/** What is known of a call that waited for a human. */
export type WaitedCall = Pick<ApprovalRequest, (typeof WAITED)[number]>;

const COLUMNS = columnsOf(ApprovalGrant);
/** Of one agent and basis at most so many are looked through; more of the same would be of no use to anybody. */
const MAX_LOOKED_THROUGH = 100;

/** On the path of each call that waits for a human. */
const lockLive = {
  name: 'approval_grant.lock_live.v1',
  text: `SELECT ${COLUMNS.list} FROM approval_grant
          WHERE tenant_id = $1 AND agent_id = $2 AND basis = $3 AND revoked_at IS NULL AND expires_at > $4 AND used < uses
          ORDER BY id LIMIT ${MAX_LOOKED_THROUGH} FOR UPDATE`,
};
const count = {
  name: 'approval_grant.count.v1',
  text: `UPDATE approval_grant SET used = used + 1, spent_micros = spent_micros + $3 WHERE tenant_id = $1 AND id = $2`,
};

@Injectable()
export class ApprovalGrantRepository {
  constructor(private readonly transactions: Transactions) {}

  find(tenantId: string, id: string): Promise<ApprovalGrant | null> {
    return this.transactions.read(tenantId, (manager) => manager.findOneBy(ApprovalGrant, { tenantId, id }));
  }

  /** Up to `limit` of the tenant's grants, newest first, behind the one with id `before`. */
  list(
    tenantId: string,
    { agentId, state }: GrantFilter,
    now: Date,
    limit: number,
    before: string | null,
  ): Promise<ApprovalGrant[]> {
    return this.transactions.read(tenantId, (manager) => {
      const query = manager
        .createQueryBuilder(ApprovalGrant, 'g')
        .where('g.tenantId = :tenantId', { tenantId })
        .orderBy('g.id', 'DESC')
        .limit(limit);
      if (agentId !== undefined) query.andWhere('g.agentId = :agentId', { agentId });
      const isLive = 'g.revokedAt IS NULL AND g.used < g.uses AND g.expiresAt > :now';
      if (state !== undefined) query.andWhere(state === 'live' ? isLive : `NOT (${isLive})`, { now });
      if (before !== null) query.andWhere('g.id < :before', { before });
      return query.getMany();
    });
  }

  /** An agent's calls of a tool that waited since then, up to `limit`, newest first. */
  waitedSince(
    { tenantId, agentId, tool }: Pick<ApprovalRequest, 'tenantId' | 'agentId' | 'tool'>,
    since: Date,
    limit: number,
  ): Promise<WaitedCall[]> {
    return this.transactions.read(tenantId, (manager) =>
      manager
        .createQueryBuilder(ApprovalRequest, 'r')
        .select(WAITED.map((property) => `r.${property}`))
        .where('r.tenantId = :tenantId AND r.agentId = :agentId', { tenantId, agentId })
        .andWhere('r.tool = :tool AND r.digest IS NOT NULL AND r.createdAt >= :since', { tool, since })
        .orderBy('r.id', 'DESC')
        .limit(limit)
        .getMany(),
    );
  }

  in(tx: Tx) {
    return {
      insert: (grant: ApprovalGrant): Promise<unknown> => tx.manager.insert(ApprovalGrant, grant),
      countLive: (tenantId: string, now: Date): Promise<number> =>
        tx.manager
          .createQueryBuilder(ApprovalGrant, 'g')
          .where('g.tenantId = :tenantId AND g.revokedAt IS NULL AND g.used < g.uses AND g.expiresAt > :now', {
            tenantId,
            now,
          })
          .getCount(),
      /** Those that may let a call through, oldest first, locked: whoever else asks waits, and then sees what is left. */
      lockLive: async (tenantId: string, agentId: string, basis: Buffer, now: Date): Promise<ApprovalGrant[]> =>
        (await tx.query(lockLive, [tenantId, agentId, basis, now])).map((row) => COLUMNS.toEntity(row)),
      /** Of one that the transaction has locked. */
      count: ({ tenantId, id }: ApprovalGrant, amount: MicroUsd): Promise<unknown> =>
        tx.query(count, [tenantId, id, amount]),
      /** Approves the pending request for the exact call, if there is one, as the call is let through by the grant. */
      settle: ({ tenantId, id: grantId, grantedBy, grantedKey }: ApprovalGrant, digest: Buffer, at: Date) =>
        tx.manager.update(
          ApprovalRequest,
          { tenantId, digest, status: 'pending', expiresAt: MoreThan(at) },
          {
            ...{ status: 'approved', decidedAt: at, decidedBy: grantedBy, decisionNote: '', decidedKey: grantedKey },
            grantId,
          },
        ),
      /** Ends one; false when there is none of that id, or it was revoked before. */
      revoke: async (tenantId: string, id: string, at: Date, key: string): Promise<boolean> => {
        const ended = { revokedAt: at, revokedKey: key };
        const { affected } = await tx.manager.update(ApprovalGrant, { tenantId, id, revokedAt: IsNull() }, ended);
        return affected === 1;
      },
      /** Ends all that would let something through, of one agent if one is named; answers how many there were. */
      revokeAll: async (tenantId: string, agentId: string | null, at: Date, key: string): Promise<number> => {
        const query = tx.manager
          .createQueryBuilder()
          .update(ApprovalGrant)
          .set({ revokedAt: at, revokedKey: key })
          .where({ tenantId, revokedAt: IsNull(), expiresAt: MoreThan(at) })
          .andWhere('used < uses');
        if (agentId !== null) query.andWhere({ agentId });
        return (await query.execute()).affected ?? 0;
      },
      find: (tenantId: string, id: string): Promise<ApprovalGrant | null> =>
        tx.manager.findOneBy(ApprovalGrant, { tenantId, id }),
    };
  }
}
