import { InvalidInput, type MicroUsd, toDollars } from '@haldir/kernel';
import { z } from 'zod';
import { type SpendRow } from '../payment-total.repository.js';

const DAY_MS = 86_400_000;
/** A week, today included. */
const DEFAULT_DAYS = 7;
const MAX_DAYS = 366;
const DAY_EXPECTED = 'expected a day as YYYY-MM-DD';
const GROUPINGS = ['agent', 'tool'] as const;

const day = z
  .string(DAY_EXPECTED)
  .regex(/^\d{4}-\d{2}-\d{2}$/, DAY_EXPECTED)
  .refine((text) => isDay(text), DAY_EXPECTED);

export const DailySpendQuery = z.object({
  from: day.optional().describe('First UTC day; by default so that there are seven'),
  to: day.optional().describe(`Last UTC day, itself included; by default today. ${MAX_DAYS} days at most`),
  by: z
    .enum(GROUPINGS, `expected one of ${GROUPINGS.join(', ')}`)
    .default('agent')
    .describe('What each day is divided by'),
  agent_id: z
    .string('expected one agent id')
    .max(128, 'expected one agent id')
    .optional()
    .describe('Payments of that agent alone'),
});
export type DailySpendQuery = z.infer<typeof DailySpendQuery>;

/** @throws InvalidInput for a period that ends before it begins, or is too long */
export function toPeriod({ from, to, agent_id: agentId }: DailySpendQuery, now: Date) {
  const last = to ?? dayOf(now);
  const first = from ?? dayOf(new Date(Date.parse(last) - (DEFAULT_DAYS - 1) * DAY_MS));
  const days = (Date.parse(last) - Date.parse(first)) / DAY_MS + 1;
  if (!(days >= 1 && days <= MAX_DAYS))
    throw new InvalidInput(`${from === undefined ? 'to' : 'from'}: expected 1 to ${MAX_DAYS} days up to the last`);
  return { from: first, to: last, agentId };
}

const name = z.string().nullable().describe('An agent, or a tool (haldir.vault for a payment that is no price of a call); null for all others together'); // prettier-ignore
const sum = { total_usd: z.number(), count: z.int().describe('Payments') };

export const DailySpend = z.object({
  from: z.string(),
  to: z.string(),
  by: z.enum(GROUPINGS),
  ...sum,
  names: z.array(z.object({ name, ...sum })).describe('What each agent, or tool, comes to, the most first; at most 8 are named'), // prettier-ignore
  days: z
    .array(
      z.object({ day: z.string().describe('UTC, YYYY-MM-DD'), ...sum, names: z.array(z.object({ name, ...sum })) }),
    )
    .describe('Days on which something was paid, the first first'),
});
export type DailySpend = z.infer<typeof DailySpend>;

export function toDailySpend(
  rows: readonly SpendRow[],
  { from, to }: { from: string; to: string },
  by: DailySpend['by'],
): DailySpend {
  const all = rows.find((row) => row.day === null && row.isOfAllNames);
  const named = (day: string | null) =>
    rows
      .filter((row) => row.day === day && !row.isOfAllNames)
      // The others are last, whatever they come to.
      .sort((one, other) => Number(one.name === null) - Number(other.name === null))
      .map((row) => ({ name: row.name, ...toSum(row) }));
  return {
    from,
    to,
    by,
    ...toSum(all ?? { total: 0n as MicroUsd, count: 0 }),
    names: named(null),
    days: rows.flatMap((row) =>
      row.day !== null && row.isOfAllNames ? [{ day: row.day, ...toSum(row), names: named(row.day) }] : [],
    ),
  };
}

const toSum = ({ total, count }: Pick<SpendRow, 'total' | 'count'>) => ({ total_usd: toDollars(total), count });

const dayOf = (time: Date): string => time.toISOString().slice(0, 10);

/** Of the calendar: there is no 31st of February, and PostgreSQL knows days of these years. */
function isDay(text: string): boolean {
  const time = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(time.getTime()) && dayOf(time) === text && text >= '1970-01-01';
}
