import { Injectable } from '@nestjs/common';
import { type EntityManager, type SelectQueryBuilder } from 'typeorm';
import { type MicroUsd } from '@haldir/kernel';
import { type Collector, Transactions, type Tx } from '@haldir/database';
import { ApprovalRequest, type ApprovalStatus, VIEW_DETAILS_CHARS } from './approval-request.entity.js';
import { type ApprovalSubject } from './approval-subject.js';

export interface ApprovalFilter {
  agentId?: string | undefined;
  tool?: string | undefined;
  ruleId?: string | undefined;
  status?: ApprovalStatus | undefined;
}

export interface Decision {
  status: 'approved' | 'denied';
  at: Date;
  by: string;
  note: string;
  key: string;
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

/** What an audit entry about a request says of it. */
export type RequestFacts = Pick<
  ApprovalRequest,
  'tenantId' | 'id' | 'sessionId' | 'agentId' | 'tool' | 'action' | 'amount' | 'expiresAt' | 'digest'
>;

interface FactsRow {
  tenant_id: string;
  id: string;
  session_id: string;
  agent_id: string;
  tool: string;
  action: string;
  amount_micros: string;
  expires_at: Date;
  digest: Buffer | null;
  reason: string;
}

interface DetailsRow {
  part: string;
  total: number;
  sha256: string;
  digest: Buffer | null;
  requested_key: string | null;
}

interface NewestRow {
  id: string;
  status: ApprovalStatus;
  decided_at: Date | null;
}

const FACTS = 'tenant_id, id, session_id, agent_id, tool, action, amount_micros, expires_at, digest, reason';

const insert = {
  name: 'approval_request.insert.v3',
  text: `INSERT INTO approval_request (tenant_id, id, session_id, agent_id, tool, action, amount_micros, reason, details, digest,
                                       requested_key, status, created_at, expires_at, rule_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'pending', $12, $13, $14)
           ON CONFLICT (tenant_id, digest) WHERE status = 'pending' AND digest IS NOT NULL DO NOTHING RETURNING id`,
};
const lockPending = {
  name: 'approval_request.lock_pending.v2',
  text: `SELECT ${FACTS} FROM approval_request
          WHERE tenant_id = $1 AND digest = $2 AND status = 'pending' FOR UPDATE`,
};
const lockApproved = {
  name: 'approval_request.lock_approved.v2',
  text: `SELECT ${FACTS} FROM approval_request
          WHERE tenant_id = $1 AND digest = $2 AND status = 'approved' AND consumed_at IS NULL AND expires_at > $3
          ORDER BY id LIMIT 1 FOR UPDATE`,
};
const newest = {
  name: 'approval_request.newest.v2',
  text: `SELECT id, status, decided_at FROM approval_request
          WHERE tenant_id = $1 AND digest = $2 ORDER BY id DESC LIMIT 1`,
};
const consume = {
  name: 'approval_request.consume.v1',
  text: `UPDATE approval_request SET consumed_at = $3
          WHERE tenant_id = $1 AND id = $2 AND status = 'approved' AND consumed_at IS NULL RETURNING id`,
};
const decide = {
  name: 'approval_request.decide.v1',
  text: `UPDATE approval_request SET status = $3, decided_at = $4, decided_by = $5, decision_note = $6, decided_key = $7
          WHERE tenant_id = $1 AND id = $2 AND status = 'pending' AND expires_at > $4 RETURNING ${FACTS}`,
};
const denyAll = {
  name: 'approval_request.deny_all.v1',
  text: `UPDATE approval_request SET status = 'denied', decided_at = $3, decided_by = $4, decision_note = $5, decided_key = $6
          WHERE tenant_id = $1 AND ($2::text IS NULL OR agent_id = $2) AND status = 'pending' AND expires_at > $3 RETURNING 1 AS done`,
};
const readDetails = {
  name: 'approval_request.read_details.v1',
  text: `SELECT substring(d.details FROM $3::integer + 1 FOR $4::integer) AS part, length(d.details) AS total,
                encode(sha256(convert_to(d.details, 'UTF8')), 'hex') AS sha256, r.digest, r.requested_key
           FROM approval_request r CROSS JOIN LATERAL (SELECT coalesce(r.details, '') AS details) d
          WHERE r.tenant_id = $1 AND r.id = $2`,
};
const expire = {
  name: 'approval_request.expire.v1',
  text: `UPDATE approval_request SET status = 'expired'
          WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM approval_request WHERE status = 'pending' AND expires_at <= $1
                                     ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
          RETURNING ${FACTS}`,
};
const expireOne = {
  name: 'approval_request.expire_one.v1',
  text: `UPDATE approval_request SET status = 'expired' WHERE tenant_id = $1 AND id = $2 AND status = 'pending'`,
};
const addTotals = {
  name: 'approval_total.add.v1',
  text: `INSERT INTO approval_total (tenant_id, requests) SELECT t, count(*) FROM unnest($1::text[]) AS w(t) GROUP BY t ORDER BY t
           ON CONFLICT (tenant_id) DO UPDATE SET requests = approval_total.requests + excluded.requests`,
};
const counts = {
  name: 'approval_request.counts.v1',
  text: `SELECT (SELECT count(*) FROM approval_request WHERE tenant_id = $1 AND status = 'pending' AND expires_at > $2)::integer AS pending,
                coalesce((SELECT requests FROM approval_total WHERE tenant_id = $1), 0)::float8 AS total`,
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
  async readDetails(tenantId: string, id: string, offset: number, limit: number): Promise<DetailsPart | null> {
    const [row] = await this.transactions.query<DetailsRow>(readDetails, [tenantId, id, offset, limit]);
    if (!row) return null;
    const { part: text, total, sha256, digest, requested_key: requestedKey } = row;
    return { text, offset, total, sha256, digest, requestedKey };
  }

  async counts(tenantId: string, now: Date): Promise<{ pending: number; total: number }> {
    const [row] = await this.transactions.query<{ pending: number; total: number }>(counts, [tenantId, now]);
    return row ?? { pending: 0, total: 0 };
  }

  in(tx: Tx) {
    return {
      /** False, and nothing written, when a request for the same exact call is pending already. */
      insert: async (request: ApprovalRequest): Promise<boolean> => {
        const { tenantId, id, sessionId, agentId, tool, action, reason, details, digest, requestedKey } = request;
        const amount = request.amount.toString();
        const { createdAt, expiresAt, ruleId } = request;
        const values = [
          tenantId,
          id,
          sessionId,
          agentId,
          tool,
          action,
          amount,
          reason,
          details,
          digest,
          requestedKey,
          createdAt,
          expiresAt,
          ruleId,
        ];
        const inserted = (await tx.query(insert, values)).length === 1;
        if (inserted) tx.collect(totals, tenantId);
        return inserted;
      },
      /** The pending request for an exact call, locked; it may have expired without anyone having noted it. */
      lockPending: async ({ actor, digest }: ExactCall): Promise<(RequestFacts & { reason: string }) | null> => {
        const [row] = await tx.query<FactsRow>(lockPending, [actor.tenantId, digest]);
        return row ? { ...toFacts(row), reason: row.reason } : null;
      },
      /** The approval that lets an exact call through, locked. */
      lockApproved: async ({ actor, digest }: ExactCall, now: Date): Promise<RequestFacts | null> => {
        const [row] = await tx.query<FactsRow>(lockApproved, [actor.tenantId, digest, now]);
        return row ? toFacts(row) : null;
      },
      /** The newest request for an exact call, whatever became of it. */
      newest: async ({
        actor,
        digest,
      }: ExactCall): Promise<Pick<ApprovalRequest, 'id' | 'status' | 'decidedAt'> | null> => {
        const [row] = await tx.query<NewestRow>(newest, [actor.tenantId, digest]);
        return row ? { id: row.id, status: row.status, decidedAt: row.decided_at } : null;
      },
      /** False when it was not there to be used. */
      consume: async (tenantId: string, id: string, now: Date): Promise<boolean> =>
        (await tx.query(consume, [tenantId, id, now])).length === 1,
      /** Decides a pending, unexpired request; null when there is none of that id. */
      decide: async (
        tenantId: string,
        id: string,
        { status, at, by, note, key }: Decision,
      ): Promise<RequestFacts | null> => {
        const [row] = await tx.query<FactsRow>(decide, [tenantId, id, status, at, by, note, key]);
        return row ? toFacts(row) : null;
      },
      /** Denies every pending, unexpired request, of one agent if one is named; answers how many there were. */
      denyAll: async (tenantId: string, agentId: string | null, { at, by, note, key }: Omit<Decision, 'status'>) =>
        (await tx.query(denyAll, [tenantId, agentId, at, by, note, key])).length,
      find: (tenantId: string, id: string): Promise<ApprovalRequest | null> => findIn(tx.manager, tenantId, id),
      /** Ends up to `limit` requests whose time is up, leaving those that someone else is at. */
      expire: async (now: Date, limit: number): Promise<RequestFacts[]> =>
        (await tx.query<FactsRow>(expire, [now, limit])).map(toFacts),
      /** Ends one, which the caller has locked. */
      expireOne: ({ tenantId, id }: RequestFacts): void => tx.send(expireOne, [tenantId, id]),
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

function toFacts(row: FactsRow): RequestFacts {
  return {
    tenantId: row.tenant_id,
    id: row.id,
    sessionId: row.session_id,
    agentId: row.agent_id,
    tool: row.tool,
    action: row.action,
    amount: BigInt(row.amount_micros) as MicroUsd,
    expiresAt: row.expires_at,
    digest: row.digest,
  };
}
