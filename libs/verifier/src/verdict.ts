import { type Checkpoint } from './checkpoint.js';

/** What a check found out. Only `intact` is good news. */
export type Verdict =
  /** Every entry is as it was signed, and none is missing. The notice names what could not be checked. */
  | { outcome: 'intact'; entries: number; checkpoint: Checkpoint; notice?: string; decisions?: DecisionCount }
  /** The entry at `index`, counted from 0, is not what was signed, or not there. */
  | { outcome: 'broken'; index: number; reason: string }
  /** There is nothing in it that could be right or wrong. */
  | { outcome: 'nothing_to_check'; reason: string }
  /** It is not of a kind that can be checked, or not of the log whose key is at hand. */
  | { outcome: 'cannot_check'; reason: string };

/** What an export of a whole log has of decisions that a person signed. */
export interface DecisionCount {
  /** Those whose signature was checked, and is good; all others are signed by nobody. */
  signed: number;
  /** Those whose details were erased, so that nobody can tell. */
  erased: number;
}

export function broken(index: number, reason: string): Verdict {
  return { outcome: 'broken', index, reason };
}

export function nothing(reason: string): Verdict {
  return { outcome: 'nothing_to_check', reason };
}

export function cannot(reason: string): Verdict {
  return { outcome: 'cannot_check', reason };
}
