import { toDollars } from '@haldir/kernel';
import { type Share } from '@haldir/audit-log';
import { type Cursors, nextCursor, pageQuery } from '@haldir/http';
import { type PaidDay } from '@haldir/vault';
import { z } from 'zod';
import { type SpendService, type SpendSummary } from '../spend.service.js';
import { auditFilters } from './audit-filter.dto.js';

export const SpendQuery = z.object({
  session_id: auditFilters.session_id,
  agent_id: auditFilters.agent_id,
  ...pageQuery,
});
export type SpendQuery = z.infer<typeof SpendQuery>;

export const SpendAnswer = z.object({
  total_usd: z.number().describe('Cost that entries report'),
  action_count: z.int().describe('Entries'),
  by_tool: z.record(z.string(), z.number()),
  by_agent: z.record(z.string(), z.number()).describe('What entries report, and what was paid, together'),
  payments: z
    .object({
      total_usd: z.number(),
      count: z.int(),
      rows: z
        .array(
          z.object({
            day: z.string().describe('UTC day on which the budget was charged, YYYY-MM-DD'),
            agent_id: z.string(),
            tool: z.string().describe('The priced tool that was called, or haldir.vault for any other payment'),
            total_usd: z.number(),
            count: z.int(),
          }),
        )
        .describe('By day, agent and tool, the last day first; a page of them'),
    })
    .describe('Payments authorized, converted to USD'),
  next_cursor: nextCursor,
});
export type SpendAnswer = z.infer<typeof SpendAnswer>;

/** A page of the summary, which differs from the next one in its rows alone. */
export async function spendPage(
  spending: SpendService,
  cursors: Cursors,
  tenantId: string,
  { session_id: sessionId, agent_id: agentId, limit, cursor }: SpendQuery,
): Promise<SpendAnswer> {
  const identity = { tenantId, list: 'spend', filters: { sessionId, agentId } };
  const [day = '', agent = '', tool = ''] = cursor === undefined ? [] : cursors.decode(identity, cursor).map(String);
  const after = cursor === undefined ? null : { day, agentId: agent, tool };
  const summary = await spending.summary(tenantId, { sessionId, agentId }, limit + 1, after);
  const { items, nextCursor: next } = cursors.page(identity, summary.payments.days, limit, (row) => [
    ...[row.day, row.agentId, row.tool],
  ]);
  return toSpendAnswer(summary, items, next);
}

function toSpendAnswer(summary: SpendSummary, days: readonly PaidDay[], next: string | null): SpendAnswer {
  const { entries, cost, byTool, byAgent, payments } = summary;
  return {
    total_usd: toDollars(cost),
    action_count: entries,
    by_tool: dollarsByName(byTool),
    by_agent: Object.fromEntries([...byAgent].map(([agentId, spent]) => [agentId, toDollars(spent)])),
    payments: {
      total_usd: toDollars(payments.total),
      count: payments.count,
      rows: days.map(({ day, agentId, tool, total, count }) => ({
        day,
        agent_id: agentId,
        tool,
        count,
        total_usd: toDollars(total),
      })),
    },
    next_cursor: next,
  };
}

function dollarsByName(shares: readonly Share[]): Record<string, number> {
  return Object.fromEntries(shares.map(({ name, cost }) => [name, toDollars(cost)]));
}
