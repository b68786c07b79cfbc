import { Injectable } from '@nestjs/common';
import { firstIdAt, type MicroUsd } from '@haldir/kernel';
import { columnsOf, Transactions, type Tx } from '@haldir/database';
import { IsNull, MoreThan, Not } from 'typeorm';
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

/** What people decided of one call by itself. */
interface DecidedApart {
  deniedAt: Date | null;
  isApproved: boolean;
}

/** A request waits for so long at most. */
const REQUEST_MAX_MS = 7 * 24 * 60 * 60_000;
const APPROVED_ALONE = `r.status = 'approved' AND r.consumedAt IS NULL AND r.grantId IS NULL AND r.expiresAt > :now`;

const COLUMNS = columnsOf(ApprovalGrant);

/** On the path of each call that waits for a human. */
const live = {
  name: 'approval_grant.live.v1',
  text: `SELECT ${COLUMNS.list} FROM approval_grant
          WHERE tenant_id = $1 AND agent_id = $2 AND basis = $3 AND revoked_at IS NULL AND expires_at > $4 AND used < uses
          ORDER BY id`,
};
const lock = {
  name: 'approval_grant.lock.v1',
  text: `SELECT ${COLUMNS.list} FROM approval_grant
          WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL AND expires_at > $3 AND used < uses
            AND spent_micros + $4 <= coalesce(total_micros, 0) FOR UPDATE`,
};
const revokeAll = `
  UPDATE approval_grant SET revoked_at = $3, revoked_key = $4
   WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM approval_grant
                              WHERE tenant_id = $1 AND ($2::text IS NULL OR agent_id = $2) AND revoked_at IS NULL
                                AND expires_at > $3 AND used < uses ORDER BY id FOR UPDATE)
  RETURNING id`;
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
        .andWhere('r.tool = :tool AND r.digest IS NOT NULL', { tool })
        // Ids are in the order of time, and the index has them.
        .andWhere('r.id >= :from', { from: firstIdAt('apr', since) })
        .orderBy('r.id', 'DESC')
        .limit(limit)
        .getMany(),
    );
  }

  in(tx: Tx) {
    return {
      insert: (grant: ApprovalGrant): Promise<unknown> => tx.manager.insert(ApprovalGrant, grant),
      /** How many let something through: of the tenant, or of one agent and basis. */
      countLive: (tenantId: string, now: Date, of: { agentId?: string; basis?: Buffer } = {}): Promise<number> =>
        tx.manager
          .createQueryBuilder(ApprovalGrant, 'g')
          .where({ tenantId, ...of, revokedAt: IsNull(), expiresAt: MoreThan(now) })
          .andWhere('g.used < g.uses')
          .getCount(),
      /** Those that may let a call through, oldest first. */
      live: async (tenantId: string, agentId: string, basis: Buffer, now: Date): Promise<ApprovalGrant[]> =>
        (await tx.query(live, [tenantId, agentId, basis, now])).map((row) => COLUMNS.toEntity(row)),
      /** One that still lets something of that amount through, locked: whoever else asks waits, and then sees what is left. */
      lock: async ({ tenantId, id }: ApprovalGrant, now: Date, amount: MicroUsd): Promise<ApprovalGrant | null> => {
        const [row] = await tx.query(lock, [tenantId, id, now, amount]);
        return row ? COLUMNS.toEntity(row) : null;
      },
      /** What people decided of exactly this call since then, by itself: when it was last denied, and whether it is approved and not made. */
      decidedApart: async (tenantId: string, digest: Buffer, since: Date, now: Date): Promise<DecidedApart> => {
        const found = await tx.manager
          .createQueryBuilder(ApprovalRequest, 'r')
          .select(`max(r.decidedAt) FILTER (WHERE r.status = 'denied')`, 'deniedAt')
          .addSelect(`coalesce(bool_or(${APPROVED_ALONE}), false)`, 'isApproved')
          .where({ tenantId, digest })
          .andWhere('r.id >= :from', { from: firstIdAt('apr', new Date(since.getTime() - REQUEST_MAX_MS)) })
          .setParameters({ now })
          .getRawOne<DecidedApart>();
        return found ?? { deniedAt: null, isApproved: false };
      },
      /** Whether the approval by which it was given was signed. */
      isSigned: ({ tenantId, requestId: id }: ApprovalGrant): Promise<boolean> =>
        tx.manager.existsBy(ApprovalRequest, { tenantId, id, signature: Not(IsNull()) }),
      /** Of one that the transaction has locked. */
      count: ({ tenantId, id }: ApprovalGrant, amount: MicroUsd): Promise<unknown> =>
        tx.query(count, [tenantId, id, amount]),
      /**
       * Requests for exactly the call, which is let through by the grant: one that waits is approved by it, and each that it approved is
       * used. Answers the ids of those.
       */
      settle: async (
        { tenantId, id: grantId, grantedBy, grantedKey }: ApprovalGrant,
        digest: Buffer,
        at: Date,
      ): Promise<string[]> => {
        await tx.manager.update(
          ApprovalRequest,
          { tenantId, digest, status: 'pending', expiresAt: MoreThan(at) },
          {
            status: 'approved',
            decidedAt: at,
            decidedBy: grantedBy,
            decisionNote: '',
            decidedKey: grantedKey,
            grantId,
          },
        );
        const { raw } = (await tx.manager
          .createQueryBuilder()
          .update(ApprovalRequest)
          .set({ consumedAt: at })
          .where({ tenantId, digest, status: 'approved', grantId, consumedAt: IsNull() })
          .returning('id')
          .execute()) as { raw: { id: string }[] };
        return raw.map(({ id }) => id);
      },
      /** Ends one; false when there is none of that id, or it was revoked before. */
      revoke: async (tenantId: string, id: string, at: Date, key: string): Promise<boolean> => {
        const ended = { revokedAt: at, revokedKey: key };
        const { affected } = await tx.manager.update(ApprovalGrant, { tenantId, id, revokedAt: IsNull() }, ended);
        return affected === 1;
      },
      /** Ends all that would let something through, of one agent if one is named; answers how many there were. */
      revokeAll: async (tenantId: string, agentId: string | null, at: Date, key: string): Promise<number> =>
        (await tx.query(revokeAll, [tenantId, agentId, at, key])).length,
      find: (tenantId: string, id: string): Promise<ApprovalGrant | null> =>
        tx.manager.findOneBy(ApprovalGrant, { tenantId, id }),
    };
  }
}
