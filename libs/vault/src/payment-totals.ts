import { Injectable } from '@nestjs/common';
import { type MicroUsd } from '@haldir/kernel';
import { Transactions } from '@haldir/database';
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

interface TotalRow {
  agent_id: string;
  payments: string;
  usd_micros: string;
}

const readTotal = {
  name: 'payment_total.read.v2',
  text: `SELECT agent_id, payments, usd_micros FROM payment_total
          WHERE tenant_id = $1 AND scope = $2 AND subject = $3 AND ($4::text IS NULL OR agent_id = $4)`,
};
const readAgents = {
  name: 'payment_total.read_agents.v2',
  text: `SELECT agent_id, payments, usd_micros FROM payment_total WHERE tenant_id = $1 AND scope = 'agent'`,
};
const readSomeAgents = {
  name: 'payment_total.read_some_agents.v1',
  text: `${readAgents.text} AND subject = ANY ($2::text[])`,
};
const DAY = 'day, agent_id, tool, payments::float8 AS payments, usd_micros';
const BEHIND = `($2::text IS NULL OR (day, agent_id, tool) < ($2, $3, $4)) ORDER BY day DESC, agent_id DESC, tool DESC LIMIT $5`;
const daysOfAll = {
  name: 'payment_day.of_all.v1',
  text: `SELECT ${DAY} FROM payment_day WHERE tenant_id = $1 AND ${BEHIND}`,
};
const daysOfAgent = {
  name: 'payment_day.of_agent.v1',
  text: `SELECT ${DAY} FROM payment_day WHERE tenant_id = $1 AND agent_id = $6 AND ${BEHIND}`,
};
/** A session has no rows of its own: by its payments. */
const daysOfSession = {
  name: 'payment_by_day.of_session.v1',
  text: `SELECT ${DAY} FROM payment_by_day
          WHERE tenant_id = $1 AND session_id = $6 AND ($7::text IS NULL OR agent_id = $7) AND ${BEHIND}`,
};

/** What a tenant's agents have paid, at a cost that does not grow with the number of payments. */
@Injectable()
export class PaymentTotals {
  constructor(private readonly transactions: Transactions) {}

  /**
   * Payments authorized so far; filters combine. A payment in another currency counts with the dollars it was converted
   * to, and with nothing where no rate was configured (which only a session without limit allows).
   */
  async totals(tenantId: string, filter: PaymentFilter = {}): Promise<{ totalMicros: MicroUsd; count: number }> {
    const row = await this.total(tenantId, filter);
    return { totalMicros: BigInt(row?.usd_micros ?? 0) as MicroUsd, count: Number(row?.payments ?? 0) };
  }

  /** What each of the agents has paid, by agent; one that has paid nothing is left out. */
  async ofAgents(tenantId: string, agentIds: readonly string[]): Promise<Map<string, MicroUsd>> {
    return byAgent(await this.transactions.query<TotalRow>(readSomeAgents, [tenantId, agentIds]));
  }

  /** What each agent has paid of what the filter leaves, by agent; one that has paid nothing is left out. */
  async byAgent(tenantId: string, filter: PaymentFilter): Promise<Map<string, MicroUsd>> {
    if (filter.sessionId === undefined && filter.agentId === undefined)
      return byAgent(await this.transactions.query<TotalRow>(readAgents, [tenantId]));
    const row = await this.total(tenantId, filter);
    return byAgent(row ? [row] : []);
  }

  /** What was paid by day, agent and tool: up to `limit` of these, the last day first, behind `after`. */
  async days(
    tenantId: string,
    { sessionId, agentId }: PaymentFilter,
    limit: number,
    after: Pick<PaidDay, 'day' | 'agentId' | 'tool'> | null,
  ): Promise<PaidDay[]> {
    type Row = Omit<TotalRow, 'payments'> & { day: string; tool: string; payments: number };
    const page: [string, ...unknown[]] = [tenantId, after?.day, after?.agentId, after?.tool, limit];
    const rows = await (sessionId !== undefined
      ? this.transactions.query<Row>(daysOfSession, [...page, sessionId, agentId])
      : agentId !== undefined
        ? this.transactions.query<Row>(daysOfAgent, [...page, agentId])
        : this.transactions.query<Row>(daysOfAll, page));
    return rows.map(({ day, agent_id: agent, tool, payments: count, usd_micros: micros }) => ({
      ...{ day, agentId: agent, tool, count },
      total: BigInt(micros) as MicroUsd,
    }));
  }

  /** One row, whatever was paid so far. */
  private async total(tenantId: string, { sessionId, agentId }: PaymentFilter): Promise<TotalRow | undefined> {
    const [scope, subject] =
      sessionId !== undefined ? ['session', sessionId] : agentId !== undefined ? ['agent', agentId] : ['tenant', ''];
    const [row] = await this.transactions.query<TotalRow>(readTotal, [tenantId, scope, subject, agentId]);
    return row;
  }
}

function byAgent(rows: readonly TotalRow[]): Map<string, MicroUsd> {
  return new Map(rows.map((row) => [row.agent_id, BigInt(row.usd_micros) as MicroUsd]));
}
