import {
  decimalOf,
  fromMinorUnits,
  InvalidInput,
  isNumber,
  type JsonNumber,
  nearestUnits,
  settledUnits,
} from '@haldir/kernel';
import { z } from 'zod';

/** A whole page is at most this long. */
export const MAX_LIMIT = 1000;

/** An integer in a query string. */
export function queryInt(min: number, max: number) {
  return z
    .string()
    .regex(/^-?\d{1,15}$/, `expected an integer from ${min} to ${max}`)
    .transform(Number)
    .pipe(
      z
        .number()
        .min(min, `expected an integer from ${min} to ${max}`)
        .max(max, `expected an integer from ${min} to ${max}`),
    )
    .meta({ override: { type: 'integer', minimum: min, maximum: max } });
}

/** `limit` and `cursor` of a list. */
export const pageQuery = {
  limit: queryInt(1, MAX_LIMIT).default(100).describe('Max entries to return'),
  cursor: z.string().min(1).max(1000).optional().describe('The next_cursor of the page before'),
};

/** The same for a list that the contract knows without pages: whoever has never heard of cursors gets as much as one page can hold. */
export const longPageQuery = {
  ...pageQuery,
  limit: queryInt(1, MAX_LIMIT).default(MAX_LIMIT).describe('Max entries to return'),
};

/** What a page says of the next one. */
export const nextCursor = z.string().nullable().describe('Pass as cursor for the next page; null on the last');

/**
 * An exact decimal number: at least `min`, at most `max`, with at most `decimals` places. One within a billionth of such a number, as
 * computing with doubles leaves it, is that number; with `rounds`, every number is the nearest one, half to even.
 */
export function decimal(options: {
  decimals: number;
  min: number;
  max: number;
  exclusiveMin?: boolean;
  rounds?: boolean;
}) {
  const { decimals, min, max, exclusiveMin = false, rounds = false } = options;
  const expected = `expected a number ${exclusiveMin ? 'over' : 'from'} ${min} to ${max}${rounds ? '' : ` with at most ${decimals} decimals`}`;
  const settled = (value: number | JsonNumber): number => {
    const exact = decimalOf(value);
    const units = rounds && exact ? nearestUnits(exact, decimals).units : settledUnits(value, decimals);
    return units === null ? NaN : fromMinorUnits(units, decimals);
  };
  return z.preprocess(
    (value) => (isNumber(value) ? settled(value) : value),
    z.number(expected).refine((value) => (exclusiveMin ? value > min : value >= min) && value <= max, expected),
  );
}

const TIME_EXPECTED = 'expected Unix seconds or an ISO 8601 time, which is UTC without an offset';

const UNIX_SECONDS = /^\d{1,11}(\.\d{1,9})?$/;
const ISO_DAY = /^\d{4}-\d{2}-\d{2}$/;
const ISO_TIME = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:?\d{2})?$/;

/** A time as it is written; without an offset it is UTC, wherever the server stands. */
function readTime(given: string | number, context: z.RefinementCtx): Date {
  const text = String(given);
  const time = UNIX_SECONDS.test(text) ? new Date(Number(text) * 1000) : readIso(text);
  if (Number.isNaN(time.getTime())) context.addIssue({ code: 'custom', message: TIME_EXPECTED });
  return time;
}

function readIso(text: string): Date {
  const [, day = '', clock = '', offset = 'Z'] =
    ISO_TIME.exec(text) ?? (ISO_DAY.test(text) ? [text, text, '00:00'] : []);
  return isDay(day) ? new Date(`${day}T${clock}${offset.replace(/(\d{2})(\d{2})$/, '$1:$2')}`) : new Date(NaN);
}

/** Whether the calendar has the day: a `Date` would make the 2nd of March of the 30th of February. */
function isDay(day: string): boolean {
  const midnight = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
}

/** A time in a query: Unix seconds or ISO 8601. */
export const queryTime = z
  .string()
  .transform(readTime)
  .meta({ override: { type: 'string' } });

/** A time in a body: Unix seconds as a number, or ISO 8601. */
export const bodyTime = z
  .union([z.number(TIME_EXPECTED), z.string(TIME_EXPECTED)], TIME_EXPECTED)
  .transform(readTime)
  .meta({ override: { type: ['number', 'string'] } });

/** A time in a body, or null: Unix seconds as a number, or ISO 8601. */
export const nullableTime = z
  .union([z.number(TIME_EXPECTED), z.string(TIME_EXPECTED), z.null()], TIME_EXPECTED)
  .transform((given, context) => (given === null ? null : readTime(given, context)))
  .meta({ override: { type: ['number', 'string', 'null'] } });

interface Issue {
  message: string;
  path?: readonly (PropertyKey | { key: PropertyKey })[] | undefined;
}

/** The refusal for what a schema found: it names the field and what it expects, and never holds what was sent. */
export function invalidInput(issues: readonly Issue[]): InvalidInput {
  const [issue] = issues;
  const path = (issue?.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
  const message = issue?.message ?? 'expected something else';
  return new InvalidInput(path === '' ? 'request body: expected a JSON object' : `${path}: ${message}`);
}
