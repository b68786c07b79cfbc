import { readLossless } from '../parts/lossless-json.ts';

/** The details of a request as a human reads them. */
export interface ShownDetails {
  /** Members by name: those of `arguments`, where they are the details of a call, else the details' own, all of them. */
  rows: { name: string; value: string; isText: boolean }[];
  isCall: boolean;
  /** What the agent's human had answered to the tool's questions, with a call. */
  answers: string | null;
}

type Members = Record<string, unknown>;

/** What Haldir writes of a call beside its arguments; that is in the name of the tool, or shown by itself. */
const BESIDE_ARGUMENTS = ['upstream', 'tool', 'method', 'subject', 'answers'];

/**
 * Reads details that are the JSON text of an object; null for any other, and for one that does not survive being read: a member that
 * stands there twice, a number that JavaScript rounds. Those are shown as they were written.
 *
 * @param digest of the call that is held; null for what an agent wrote of its own accord, which may name its members as a call does
 */
export function readDetails(details: string, digest: string | null): ShownDetails | null {
  const value = readLossless(details);
  if (!isMembers(value)) return null;
  const { arguments: args, ...beside } = value;
  const isCall = digest !== null && isMembers(args) && Object.keys(beside).every((name) => BESIDE_ARGUMENTS.includes(name)); // prettier-ignore
  const { answers } = beside;
  return {
    rows: Object.entries(isCall ? args : value).map(([name, member]) => ({ name, ...cellOf(member) })),
    isCall,
    answers: isCall && answers !== undefined ? JSON.stringify(answers, null, 2) : null,
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
  const texts = rows.map(({ name, value, isText }) => `${named(name)} = ${isText ? JSON.stringify(value) : value}`);
  return `with ${texts.join(', ')}`;
}

/** A name that could be read as more than one is written as a text. */
function named(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : JSON.stringify(name);
}
