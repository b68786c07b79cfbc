import { Injectable } from '@nestjs/common';
import { type EntityManager, MoreThan, type SelectQueryBuilder } from 'typeorm';
import { type Collector, columnsOf, Transactions, type Tx } from '@haldir/database';
import { type DecisionSignature } from '@haldir/verifier';
import { ApprovalRequest, type ApprovalStatus, VIEW_DETAILS_CHARS } from './approval-request.entity.js';
import { type ApprovalSubject } from './approval-subject.js';

export interface ApprovalFilter {
  agentId?: string | undefined;
  tool?: string | undefined;
  ruleId?: string | undefined;
  status?: ApprovalStatus | undefined;
}

/** A request that is decided or has expired. */
type EndedRequest = Pick<ApprovalRequest, 'tenantId' | 'id' | 'status'>;

export interface Decision {
  status: 'approved' | 'denied';
  at: Date;
  by: string;
  note: string;
  key: string;
  /** The grant that was given along; null for an approval of this call alone. */
  grantId: string | null;
}

/** Offsets and lengths count characters (code points). */
export interface DetailsPart {
  text: string;
  offset: number;
  /** Of all of the details. */
  total: number;
  /** Of all of the details, hex, of their UTF-8. */
  sha256: string;
  digest: Buffer | null;
  requestedKey: string | null;
}

/** The digest says whose it is, too. */
type ExactCall = Pick<ApprovalSubject, 'actor' | 'digest'>;

export const FACTS = [
  'tenantId',
  'id',
  'sessionId',
  'agentId',
  'tool',
  'action',
  'amount',
  'expiresAt',
  'digest',
] as const;
/** What an audit entry about a request says of it. */
export type RequestFacts = Pick<ApprovalRequest, (typeof FACTS)[number]>;
/** And who has decided. */
export type EndedFacts = RequestFacts & Pick<ApprovalRequest, 'decidedKey'>;
/** And what decides whether the decision has to be signed. */
export type DecidedRequest = RequestFacts &
  Pick<ApprovalRequest, 'ruleId' | 'otherRuleIds' | 'amountUnclear' | 'grantable'>;

const COLUMNS = columnsOf(ApprovalRequest);
const WITH_FACTS = COLUMNS.only(...FACTS);
const PENDING = COLUMNS.only(...FACTS, 'decidedKey', 'reason');
const DECIDED = COLUMNS.only(...FACTS, 'ruleId', 'otherRuleIds', 'amountUnclear', 'grantable');
const ENDED = COLUMNS.only('tenantId', 'id', 'status');
const NEWEST = COLUMNS.only('id', 'status', 'decidedAt');

const insert = {
  name: 'approval_request.insert.v7',
  text: `INSERT INTO approval_request (${COLUMNS.list}) VALUES (${COLUMNS.parameters})
           ON CONFLICT (tenant_id, digest) WHERE status = 'pending' AND digest IS NOT NULL DO NOTHING RETURNING id`,
};
const lockPending = {
  name: 'approval_request.lock_pending.v4',
  text: `SELECT ${PENDING.list} FROM approval_request
          WHERE tenant_id = $1 AND digest = $2 AND status = 'pending' FOR UPDATE`,
};
const lockApproved = {
  name: 'approval_request.lock_approved.v4',
  text: `SELECT ${WITH_FACTS.list} FROM approval_request
          WHERE tenant_id = $1 AND digest = $2 AND status = 'approved' AND consumed_at IS NULL AND grant_id IS NULL AND expires_at > $3
          ORDER BY id LIMIT 1 FOR UPDATE`,
};
const newest = {
  name: 'approval_request.newest.v3',
  text: `SELECT ${NEWEST.list} FROM approval_request
          WHERE tenant_id = $1 AND digest = $2 ORDER BY id DESC LIMIT 1`,
};
const consume = {
  name: 'approval_request.consume.v2',
  text: `UPDATE approval_request SET consumed_at = $3
          WHERE tenant_id = $1 AND id = $2 AND status = 'approved' AND consumed_at IS NULL AND grant_id IS NULL RETURNING id`,
};
const statuses = {
  name: 'approval_request.statuses.v1',
  text: `SELECT ${ENDED.list} FROM approval_request
          WHERE tenant_id = ANY ($1) AND (tenant_id, id) IN (SELECT * FROM unnest($1::text[], $2::text[])) AND status <> 'pending'`,
};
const addTotals = {
  name: 'approval_total.add.v1',
  text: `INSERT INTO approval_total (tenant_id, requests) SELECT t, count(*) FROM unnest($1::text[]) AS w(t) GROUP BY t ORDER BY t
           ON CONFLICT (tenant_id) DO UPDATE SET requests = approval_total.requests + excluded.requests`,
};
/** Written in tenant order just before commit, so that transactions with several tenants' requests cannot lock each other out. */
const totals: Collector<string> = {
  rank: 40,
  async flush(tx, tenantIds) {
    await tx.query(addTotals, [tenantIds]);
  },
};

@Injectable()
export class ApprovalRequestRepository {
  constructor(private readonly transactions: Transactions) {}

  find(tenantId: string, id: string): Promise<ApprovalRequest | null> {
    return this.transactions.read(tenantId, (manager) => findIn(manager, tenantId, id));
  }

  /** Up to `limit` of the tenant's requests, newest first, behind the one with id `before`. */
  list(
    tenantId: string,
    filter: ApprovalFilter,
    now: Date,
    limit: number,
    before: string | null,
  ): Promise<ApprovalRequest[]> {
    return this.transactions.read(tenantId, async (manager) => {
      const query = requestsOf(manager)
        .where('r.tenantId = :tenantId', { tenantId })
        .orderBy('r.id', 'DESC')
        .limit(limit);
      if (filter.agentId !== undefined) query.andWhere('r.agentId = :agentId', filter);
      if (filter.tool !== undefined) query.andWhere('r.tool = :tool', filter);
      if (filter.ruleId !== undefined) query.andWhere('r.ruleId = :ruleId', filter);
      if (filter.status === 'pending') query.andWhere(`r.status = 'pending' AND r.expiresAt > :now`, { now });
      else if (filter.status === 'expired') {
        query.andWhere(`(r.status = 'expired' OR (r.status = 'pending' AND r.expiresAt <= :now))`, { now });
      } else if (filter.status !== undefined) query.andWhere('r.status = :status', filter);
      if (before !== null) query.andWhere('r.id < :before', { before });
      return withBeginnings(query);
    });
  }

  /** A part of the details, whoever asked; null without such a request. */
  readDetails(tenantId: string, id: string, offset: number, limit: number): Promise<DetailsPart | null> {
    return this.transactions.read(tenantId, async (manager) => {
      const row = await manager
        .createQueryBuilder(ApprovalRequest, 'r')
        .select(`substring(coalesce(r.details, '') FROM :from::integer FOR :limit::integer)`, 'text')
        .addSelect(`length(coalesce(r.details, ''))`, 'total')
        .addSelect(`encode(sha256(convert_to(coalesce(r.details, ''), 'UTF8')), 'hex')`, 'sha256')
        .addSelect('r.digest', 'digest')
        .addSelect('r.requestedKey', 'requestedKey')
        .where({ tenantId, id })
        .setParameters({ from: offset + 1, limit })
        .getRawOne<Omit<DetailsPart, 'offset'>>();
      return row ? { ...row, offset } : null;
    });
  }

  counts(tenantId: string, now: Date): Promise<{ pending: number; total: number }> {
    return this.transactions.read(tenantId, async (manager) => {
      const pending = await manager.countBy(ApprovalRequest, {
        tenantId,
        status: 'pending',
        expiresAt: MoreThan(now),
      });
      const made = await manager
        .createQueryBuilder()
        .select('t.requests', 'requests')
        .from('approval_total', 't')
        .where('t.tenant_id = :tenantId', { tenantId })
        .getRawOne<{ requests: string }>();
      return { pending, total: Number(made?.requests ?? 0) };
    });
  }

  /** Of these requests those that are pending no more. */
  async decidedAmong(requests: readonly { tenantId: string; id: string }[]): Promise<EndedRequest[]> {
    const rows = await this.transactions.query(statuses, [
      requests.map(({ tenantId }) => tenantId),
      requests.map(({ id }) => id),
    ]);
    return rows.map((row) => ENDED.toEntity(row));
  }

  in(tx: Tx) {
    return {
      /** False, and nothing written, when a request for the same exact call is pending already. */
      insert: async (request: ApprovalRequest): Promise<boolean> => {
        const inserted = (await tx.query(insert, COLUMNS.toValues(request))).length === 1;
        if (inserted) tx.collect(totals, request.tenantId);
        return inserted;
      },
      /** The pending request for an exact call, locked; it may have expired without anyone having noted it. */
      lockPending: async ({ actor, digest }: ExactCall): Promise<(EndedFacts & { reason: string }) | null> => {
        const [row] = await tx.query(lockPending, [actor.tenantId, digest]);
        return row ? PENDING.toEntity(row) : null;
      },
      /** The approval that lets an exact call through, locked. */
      lockApproved: async ({ actor, digest }: ExactCall, now: Date): Promise<RequestFacts | null> => {
        const [row] = await tx.query(lockApproved, [actor.tenantId, digest, now]);
        return row ? WITH_FACTS.toEntity(row) : null;
      },
      /** The newest request for an exact call, whatever became of it. */
      newest: async ({
        actor,
        digest,
      }: ExactCall): Promise<Pick<ApprovalRequest, 'id' | 'status' | 'decidedAt'> | null> => {
        const [row] = await tx.query(newest, [actor.tenantId, digest]);
        return row ? NEWEST.toEntity(row) : null;
      },
      /** False when it was not there to be used. */
      consume: async (tenantId: string, id: string, now: Date): Promise<boolean> =>
        (await tx.query(consume, [tenantId, id, now])).length === 1,
      /** Decides a pending, unexpired request; null when there is none of that id. */
      decide: async (
        tenantId: string,
        id: string,
        { status, ...decision }: Decision,
      ): Promise<DecidedRequest | null> => {
        const { raw } = (await tx.manager
          .createQueryBuilder()
          .update(ApprovalRequest)
          .set({ status, ...toDecided(decision) })
          .where({ tenantId, id, status: 'pending', expiresAt: MoreThan(decision.at) })
          .returning(DECIDED.list)
          .execute()) as { raw: object[] };
        return raw[0] ? DECIDED.toEntity(raw[0]) : null;
      },
      /** Of one that was decided in the same transaction. */
      sign: ({ tenantId, id }: RequestFacts, signature: DecisionSignature): Promise<unknown> =>
        tx.manager.update(ApprovalRequest, { tenantId, id }, { signature }),
      /** Denies every pending, unexpired request, of one agent if one is named; answers how many there were. */
      denyAll: async (
        tenantId: string,
        agentId: string | null,
        decision: Omit<Decision, 'status' | 'grantId'>,
      ): Promise<number> => {
        const { affected } = await tx.manager.update(
          ApprovalRequest,
          {
            tenantId,
            ...(agentId === null ? {} : { agentId }),
            status: 'pending',
            expiresAt: MoreThan(decision.at),
          },
          { status: 'denied', ...toDecided({ ...decision, grantId: null }) },
        );
        return affected ?? 0;
      },
      find: (tenantId: string, id: string): Promise<ApprovalRequest | null> => findIn(tx.manager, tenantId, id),
      /** Ends one, which the caller has locked. */
      expireOne: ({ tenantId, id }: RequestFacts): Promise<unknown> =>
        tx.manager.update(
          ApprovalRequest,
          { tenantId, id, status: 'pending' },
          { status: 'expired', outcome: 'expired' },
        ),
    };
  }
}

/** Requests without their details, and the beginning of these beside. */
function requestsOf(manager: EntityManager): SelectQueryBuilder<ApprovalRequest> {
  const columns = manager.connection
    .getMetadata(ApprovalRequest)
    .columns.filter(({ propertyName }) => propertyName !== 'details')
    .map(({ propertyName }) => `r.${propertyName}`);
  return manager
    .createQueryBuilder(ApprovalRequest, 'r')
    .select(columns)
    .addSelect(`left(r.details, ${VIEW_DETAILS_CHARS + 1})`, 'beginning');
}

async function withBeginnings(query: SelectQueryBuilder<ApprovalRequest>): Promise<ApprovalRequest[]> {
  const { entities, raw } = await query.getRawAndEntities<{ beginning: string | null }>();
  return entities.map((request, i) => Object.assign(request, { details: raw[i]?.beginning ?? null }));
}

async function findIn(manager: EntityManager, tenantId: string, id: string): Promise<ApprovalRequest | null> {
  const [request = null] = await withBeginnings(requestsOf(manager).where({ tenantId, id }));
  return request;
}

function toDecided({ at, by, note, key, grantId }: Omit<Decision, 'status'>): Partial<ApprovalRequest> {
  return { decidedAt: at, decidedBy: by, decisionNote: note, decidedKey: key, grantId };
}
