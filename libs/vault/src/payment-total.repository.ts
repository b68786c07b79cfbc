import { Injectable } from '@nestjs/common';
import { type MicroUsd } from '@haldir/kernel';
import { columnsOf, Transactions } from '@haldir/database';
import { In } from 'typeorm';
import { PaymentTotal } from './payment-total.entity.js';
import { type PaymentFilter } from './payment.repository.js';

/** What an agent paid for a tool in a UTC day. */
export interface PaidDay {
  /** `YYYY-MM-DD` */
  day: string;
  agentId: string;
  /** `haldir.vault` for a payment that is no price of a call. */
  tool: string;
  count: number;
  total: MicroUsd;
}

const TOTAL = columnsOf(PaymentTotal);

// Every summary of what was spent asks for one of the first two, and one of the last three.
const readTotal = {
  name: 'payment_total.read.v3',
  text: `SELECT ${TOTAL.list} FROM payment_total
          WHERE tenant_id = $1 AND scope = $2 AND subject = $3 AND ($4::text IS NULL OR agent_id = $4)`,
};
const readAgents = {
  name: 'payment_total.read_agents.v3',
  text: `SELECT ${TOTAL.list} FROM payment_total WHERE tenant_id = $1 AND scope = 'agent'`,
};

const DAY = 'day, agent_id AS "agentId", tool, payments::float8 AS count, usd_micros AS total';
const BEHIND = `($2::text IS NULL OR (day, agent_id, tool) < ($2, $3, $4)) ORDER BY day DESC, agent_id DESC, tool DESC LIMIT $5`;
const daysOfAll = {
  name: 'payment_day.of_all.v2',
  text: `SELECT ${DAY} FROM payment_day WHERE tenant_id = $1 AND ${BEHIND}`,
};
const daysOfAgent = {
  name: 'payment_day.of_agent.v2',
  text: `SELECT ${DAY} FROM payment_day WHERE tenant_id = $1 AND agent_id = $6 AND ${BEHIND}`,
};
/** A session has no rows of its own: by its payments. */
const daysOfSession = {
  name: 'payment_by_day.of_session.v2',
  text: `SELECT ${DAY} FROM payment_by_day
          WHERE tenant_id = $1 AND session_id = $6 AND ($7::text IS NULL OR agent_id = $7) AND ${BEHIND}`,
};

/** What a period was paid for, by day and by agent or tool: rows of a day and a name, of either alone, and of neither. */
export interface SpendRow {
  /** `YYYY-MM-DD`; null for all days. */
  day: string | null;
  /** An agent or a tool; null for those that are not named, and in rows of all of them. */
  name: string | null;
  isOfAllNames: boolean;
  count: number;
  total: MicroUsd;
}

/** As many agents or tools are named, those that most was paid for; the others are one. */
const NAMED_MAX = 8;

const spendBy = (column: 'agent_id' | 'tool') => `
  WITH paid AS MATERIALIZED (
    SELECT day, ${column} AS name, payments, usd_micros FROM payment_day
     WHERE tenant_id = $1 AND day BETWEEN $2 AND $3 AND ($4::text IS NULL OR agent_id = $4)
  ), named AS (
    SELECT name FROM paid GROUP BY name ORDER BY sum(usd_micros) DESC, name LIMIT ${NAMED_MAX}
  )
  SELECT day, n.name, GROUPING(n.name) = 1 AS "isOfAllNames", coalesce(sum(payments), 0)::float8 AS count,
         coalesce(sum(usd_micros), 0)::text AS total
    FROM paid LEFT JOIN named n USING (name)
   GROUP BY GROUPING SETS ((day, n.name), (day), (n.name), ())
   ORDER BY day NULLS FIRST, sum(usd_micros) DESC, n.name`;
const SPEND_BY = { agent: spendBy('agent_id'), tool: spendBy('tool') };

/** Sums of payments; `PaymentRepository` adds to them. */
@Injectable()
export class PaymentTotalRepository {
  constructor(private readonly transactions: Transactions) {}

  /** One row, whatever was paid so far; null when nothing was. */
  async find(tenantId: string, { sessionId, agentId }: PaymentFilter): Promise<PaymentTotal | null> {
    const [scope, subject] =
      sessionId !== undefined ? ['session', sessionId] : agentId !== undefined ? ['agent', agentId] : ['tenant', ''];
    const [row] = await this.transactions.query(readTotal, [tenantId, scope, subject, agentId]);
    return row ? TOTAL.toEntity(row) : null;
  }

  /** Of every agent that has paid something. */
  async ofEveryAgent(tenantId: string): Promise<PaymentTotal[]> {
    return (await this.transactions.query(readAgents, [tenantId])).map((row) => TOTAL.toEntity(row));
  }

  /** Of those of these agents that have paid something. */
  ofAgents(tenantId: string, agentIds: readonly string[]): Promise<PaymentTotal[]> {
    return this.transactions.read(tenantId, (manager) =>
      manager.findBy(PaymentTotal, { tenantId, scope: 'agent', subject: In(agentIds) }),
    );
  }

  /** By day, agent and tool: up to `limit` of these, the last day first, behind `after`. */
  async days(
    tenantId: string,
    { sessionId, agentId }: PaymentFilter,
    limit: number,
    after: Pick<PaidDay, 'day' | 'agentId' | 'tool'> | null,
  ): Promise<PaidDay[]> {
    type Row = Omit<PaidDay, 'total'> & { total: string };
    const page: [string, ...unknown[]] = [tenantId, after?.day, after?.agentId, after?.tool, limit];
    const rows = await (sessionId !== undefined
      ? this.transactions.query<Row>(daysOfSession, [...page, sessionId, agentId])
      : agentId !== undefined
        ? this.transactions.query<Row>(daysOfAgent, [...page, agentId])
        : this.transactions.query<Row>(daysOfAll, page));
    return rows.map((row) => ({ ...row, total: BigInt(row.total) as MicroUsd }));
  }

  /** What was paid from one day to another, both included. @param agentId that agent's alone */
  async spend(
    tenantId: string,
    by: keyof typeof SPEND_BY,
    { from, to, agentId }: { from: string; to: string; agentId: string | undefined },
  ): Promise<SpendRow[]> {
    type Row = Omit<SpendRow, 'total'> & { total: string };
    const rows = await this.transactions.query<Row>(SPEND_BY[by], [tenantId, from, to, agentId]);
    return rows.map((row) => ({ ...row, total: BigInt(row.total) as MicroUsd }));
  }
}
