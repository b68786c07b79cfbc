import { compareDecimals, type Decimal, decimalOf, toDollars, toUnixSeconds } from '@haldir/kernel';
import { ceilMicroUsd } from './amount.js';
import { isAllowedBy, isMeantBy } from './subject-names.js';
import { isWithin, type Policy, type PolicySubject, type PolicyType } from './policy.js';

/** The smallest change after which a policy lets the call through: for programs, and with words for people. */
export type Remedy = { text: string } & (
  | { change: 'raise'; field: 'max' | 'max_per_minute'; to: number }
  | { change: 'add_tool'; tool: string }
  | { change: 'remove_tool'; tools: string[] }
  /** Nothing but time; Unix seconds. */
  | { change: 'wait'; until: number }
  | { change: 'remove_policy' }
);

/** A policy that refuses a call, why, and what would change that. */
export interface Refusal {
  policyId: string;
  type: PolicyType;
  reason: string;
  remedy: Remedy;
}

/** At least one. */
export type Refusals = readonly [Refusal, ...Refusal[]];

/** Rate limits that have no room for the call, by policy, with the time at which the first place is free (null: never). */
export type FullRates = ReadonlyMap<string, Date | null>;

const HOUR_MS = 3_600_000;
/** What a policy can be given at most. */
const MAX_AMOUNT = 1_000_000_000;
const MAX_EXPLAINED = 50;

/**
 * What each of the policies that refuse the call says, in their order. Rates depend on other calls, so whoever counts those says
 * which are full.
 *
 * @param refusing each `refuses` the call
 */
export function refusals(refusing: readonly Policy[], subject: PolicySubject, full: FullRates): Refusal[] {
  return refusing.map((policy) => refusalBy(policy, subject, full));
}

/** Whether a policy refuses the call, without the words. */
export function refuses({ id, rule }: Policy, subject: PolicySubject, full: Pick<FullRates, 'has'>): boolean {
  const { amount, at } = subject;
  switch (rule.type) {
    case 'spend_limit':
      return amount !== null && (amount === 'unclear' || isOver(amount, rule.max));
    case 'time_window':
      return !isWithin(at.getUTCHours(), rule.startHour, rule.endHour);
    case 'rate_limit':
      return full.has(id);
    case 'require_approval':
      return false;
    case 'block_tool':
      return isMeantBy(rule.tool, subject);
    case 'deny_list':
      return rule.tools.some((name) => isMeantBy(name, subject));
    case 'allow_list':
      return !isAllowedBy(rule.tools, subject);
  }
}

function isOver(amount: Decimal, max: number): boolean {
  const limit = decimalOf(max);
  return limit === null || compareDecimals(amount, limit) > 0;
}

function refusalBy({ id, rule }: Policy, subject: PolicySubject, full: FullRates): Refusal {
  const { allowedNames, amount, at } = subject;
  // With its upstream, where that is known.
  const name = allowedNames.reduce((longest, each) => (each.length > longest.length ? each : longest), '');
  const say = (reason: string, remedy: Remedy): Refusal => ({ policyId: id, type: rule.type, reason, remedy });
  const remove = (text: string): Remedy => ({ change: 'remove_policy', text });
  switch (rule.type) {
    case 'block_tool':
      return say('The tool is blocked', remove('Remove the policy, or take the call out of its scope'));
    case 'deny_list': {
      const tools = rule.tools.filter((each) => isMeantBy(each, subject));
      const text = `Take ${tools.join(' and ')} off the deny list`;
      return say('The tool is on a deny list', { change: 'remove_tool', tools, text });
    }
    case 'allow_list': {
      const text = `Add ${name} to the allow list`;
      return say('The tool is not on the allow list', { change: 'add_tool', tool: name, text });
    }
    case 'spend_limit': {
      if (amount === null || amount === 'unclear') {
        const reason = `The amount is no plain number, which a limit of ${rule.max} USD per call asks for`;
        return say(reason, remove('Write the amount as a plain number, or remove the policy'));
      }
      const reason = `The amount is over the limit of ${rule.max} USD per call`;
      const to = toDollars(ceilMicroUsd(amount));
      if (to > MAX_AMOUNT) return say(reason, remove(`Ask for at most ${rule.max} USD, or remove the policy`));
      const text = `Raise max to ${to}, or ask for at most ${rule.max} USD`;
      return say(reason, { change: 'raise', field: 'max', to, text });
    }
    case 'time_window': {
      const reason = `Calls are allowed from ${rule.startHour} to ${rule.endHour} UTC only`;
      const opens = nextHourWithin(at, rule.startHour, rule.endHour);
      if (opens === null) return say(reason, remove('The window is empty: remove the policy'));
      return say(reason, waitUntil(opens));
    }
    case 'rate_limit': {
      const reason = `Rate limit of ${rule.maxPerMinute} calls per minute reached`;
      const free = full.get(id);
      if (free) return say(reason, waitUntil(free));
      return say(reason, { change: 'raise', field: 'max_per_minute', to: 1, text: 'Raise max_per_minute to 1' });
    }
    case 'require_approval':
      throw new Error('a policy that asks for approval refuses nothing');
  }
}

function waitUntil(at: Date): Remedy {
  return { change: 'wait', until: toUnixSeconds(at), text: `Wait until ${at.toISOString()}` };
}

function nextHourWithin(at: Date, start: number, end: number): Date | null {
  const hour = at.getTime() - (at.getTime() % HOUR_MS);
  for (let i = 1; i <= 24; i++) {
    const next = new Date(hour + i * HOUR_MS);
    if (isWithin(next.getUTCHours(), start, end)) return next;
  }
  return null;
}

/** A refusal as callers and the log are told of it. */
export interface PolicyExplanation {
  policy_id: string;
  policy: PolicyType;
  reason: string;
  remedy: Remedy & { policy_id: string };
}

/** Every policy that refuses a call: the call is made once none of them refuses it. Beyond 50 they are only counted. */
export function explain(refused: readonly Refusal[]): { explanation: PolicyExplanation[]; unexplained?: number } {
  const explanation = refused.slice(0, MAX_EXPLAINED).map(({ policyId, type, reason, remedy }) => ({
    policy_id: policyId,
    policy: type,
    reason,
    remedy: { policy_id: policyId, ...remedy },
  }));
  return refused.length > MAX_EXPLAINED
    ? { explanation, unexplained: refused.length - MAX_EXPLAINED }
    : { explanation };
}
