import { queryOptions } from '@tanstack/react-query';
import { answered, api } from '../api/client.ts';
import { type operations } from '../api/schema.ts';
import { csvOf } from '../parts/save.ts';
import { type SpendSearch } from './search.ts';

export type Spend = operations['getDailySpend']['responses'][200]['content']['application/json'];
export type By = Spend['by'];

const DAY_MS = 86_400_000;

export const spendQuery = ({ from, to, agent_id: agentId }: SpendSearch, by: By) =>
  queryOptions({
    queryKey: ['spend', by, from, to, agentId],
    queryFn: ({ signal }): Promise<Spend> => {
      const query = {
        by,
        ...(from !== undefined && { from }),
        ...(to !== undefined && { to }),
        ...(agentId !== undefined && { agent_id: agentId }),
      };
      return answered(api.GET('/v1/spend', { params: { query }, signal }));
    },
  });

/** The days up to one of them, that one included. @param seconds since 1970 */
export function lastDays(count: number, seconds: number): { from: string; to: string } {
  const day = (before: number): string => new Date(seconds * 1000 - before * DAY_MS).toISOString().slice(0, 10);
  return { from: day(count - 1), to: day(0) };
}

/** Every day of the period; the API leaves out those on which nothing was paid. */
export function everyDay({ from, to, days }: Pick<Spend, 'from' | 'to' | 'days'>): Spend['days'] {
  const paid = new Map(days.map((day) => [day.day, day]));
  const count = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
  return Array.from({ length: count }, (_, i) => {
    const day = new Date(Date.parse(from) + i * DAY_MS).toISOString().slice(0, 10);
    return paid.get(day) ?? { day, total_usd: 0, count: 0, names: [] };
  });
}

/** What is not named. */
export const OTHERS = 'all others';

/** A row for each day and name: the numbers of the table. */
export function spendCsv({ by, days }: Pick<Spend, 'by' | 'days'>): string {
  const rows = days.flatMap(({ day, names }) =>
    names.map(({ name, total_usd: total, count }) => [day, name ?? OTHERS, total.toFixed(6), String(count)]),
  );
  return csvOf([['day', by, 'total_usd', 'payments'], ...rows]);
}
