import { readLossless } from '../parts/lossless-json.ts';

/** The details of a request as a human reads them. */
export interface ShownDetails {
  /** Members by name, where they are an object: of `arguments` where it has any, else its own. */
  rows: { name: string; value: string; isText: boolean }[];
  /** Of a call of a tool. */
  upstream: string | null;
  tool: string | null;
  /** What the agent's human had answered to the tool's questions. */
  answers: string | null;
}

type Members = Record<string, unknown>;

/**
 * Reads details that are the JSON text of an object; null for any other, and for one that does not survive being read: a member that
 * stands there twice, a number that JavaScript rounds. Those are shown as they were written.
 */
export function readDetails(details: string): ShownDetails | null {
  const value = readLossless(details);
  if (!isMembers(value)) return null;
  const { arguments: args, upstream, tool, answers } = value;
  const members = isMembers(args) ? args : value;
  return {
    rows: Object.entries(members).map(([name, member]) => ({ name, ...cellOf(member) })),
    upstream: typeof upstream === 'string' ? upstream : null,
    tool: typeof tool === 'string' ? tool : null,
    answers: isMembers(args) && answers !== undefined ? JSON.stringify(answers, null, 2) : null,
  };
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function cellOf(value: unknown): { value: string; isText: boolean } {
  return typeof value === 'string' ? { value, isText: true } : { value: JSON.stringify(value, null, 2), isText: false };
}

const IN_SENTENCE = 3;
const SHORT = 40;

/** `with a = 1, b = "two"` where that is short, else how many there are. */
export function inSentence(rows: ShownDetails['rows']): string {
  if (rows.length === 0) return 'without arguments';
  const isShort = rows.length <= IN_SENTENCE && rows.every(({ name, value }) => (name + value).length <= SHORT && !value.includes('\n')); // prettier-ignore
  if (!isShort) return `with ${rows.length} argument${rows.length === 1 ? '' : 's'}`;
  return `with ${rows.map(({ name, value, isText }) => `${name} = ${isText ? JSON.stringify(value) : value}`).join(', ')}`;
}
