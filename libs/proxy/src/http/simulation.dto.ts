import { toUnixSeconds } from '@haldir/kernel';
import { nullableTime } from '@haldir/http';
import { z } from 'zod';
import { explain } from '../policies/policy-refusal.js';
import { POLICY_MODES, POLICY_TYPES } from '../policies/policy.js';
import { type SimulationRequest, type SimulationResult } from '../simulation/simulation.service.js';
import { AddProxyPolicy, toNewPolicy } from './policy.dto.js';
import { Explanation } from './proxy-call.dto.js';

const MAX_POLICIES = 500;
const MAX_CHANGED = 1_000;
const POLICIES_EXPECTED = `expected a list of at most ${MAX_POLICIES} policies`;
const AGENT_EXPECTED = 'expected an agent ID of 1 to 128 characters';
const TIME_EXPECTED = 'expected Unix seconds or an ISO 8601 time, which is UTC without an offset';
const LIMIT_EXPECTED = `expected a whole number from 0 to ${MAX_CHANGED}`;

/** As elsewhere, but that a text is a date. */
const time = z
  .union([z.number(TIME_EXPECTED), z.string(TIME_EXPECTED).includes('-', TIME_EXPECTED), z.null()], TIME_EXPECTED)
  .pipe(nullableTime)
  .meta({ override: { type: ['number', 'string', 'null'] } });

export const SimulatePolicies = z.object({
  policies: z
    .array(AddProxyPolicy, POLICIES_EXPECTED)
    .max(MAX_POLICIES, POLICIES_EXPECTED)
    .optional()
    .describe('The policies to try, as they would be added; absent: those that stand'),
  from: time.optional().describe('Calls logged from then on: Unix seconds or ISO 8601'),
  to: time.optional().describe('Calls logged before then: Unix seconds or ISO 8601'),
  agent_id: z
    .string(AGENT_EXPECTED)
    .min(1, AGENT_EXPECTED)
    .max(128, AGENT_EXPECTED)
    .optional()
    .describe('Calls of one agent only'),
  limit: z
    .int(LIMIT_EXPECTED)
    .min(0, LIMIT_EXPECTED)
    .max(MAX_CHANGED, LIMIT_EXPECTED)
    .default(100)
    .describe('Max changed calls to name; all are counted'),
});
export type SimulatePolicies = z.infer<typeof SimulatePolicies>;

/** Proposed policies are called `proposed_1`, `proposed_2` and so on. @throws InvalidInput for a policy that lacks a parameter */
export function toSimulationRequest({ policies, from, to, agent_id, limit }: SimulatePolicies): SimulationRequest {
  const proposed = policies?.map((body, i) => ({ id: `proposed_${i + 1}`, ...toNewPolicy(body) }));
  return {
    policies: proposed?.sort((one, other) => other.priority - one.priority) ?? null,
    from: from ?? null,
    to: to ?? null,
    agentId: agent_id ?? null,
    maxChanged: limit,
  };
}

const Verdict = z.enum(['allowed', 'blocked', 'held']);

export const SimulatedPolicies = z.object({
  calls: z.int(),
  verdicts: z.object({
    allowed: z.int(),
    blocked: z.int(),
    held: z.int().describe('For approval'),
    undecidable: z.int().describe('Their entries do not say enough: details were erased, or are older than this'),
  }),
  changes: z.int().describe('How many calls would be decided otherwise than they were'),
  changed: z.array(
    z.object({
      entry_id: z.string(),
      at: z.number().describe('Unix seconds'),
      agent_id: z.string(),
      tool: z.string(),
      was: Verdict,
      would_be: Verdict,
      explanation: z.array(Explanation).optional().describe('Of a call that would be blocked'),
      held_by: z.string().optional().describe('The policy or approval rule, of a call that would be held'),
    }),
  ),
  by_policy: z.record(
    z.string(),
    z.object({ type: z.enum(POLICY_TYPES), mode: z.enum(POLICY_MODES), blocked: z.int(), held: z.int() }),
  ),
  truncated: z
    .boolean()
    .describe('Whether there was more than is decided at once (a million calls): go on with `from`'),
  covered_until: z.number().optional().describe('Of a truncated answer: when the last call that was read was logged'),
});
export type SimulatedPolicies = z.infer<typeof SimulatedPolicies>;

export function toSimulatedPolicies(result: SimulationResult): SimulatedPolicies {
  const { calls, verdicts, changes, truncatedAt } = result;
  return {
    calls,
    verdicts,
    changes,
    changed: result.changed.map(({ call, wouldBe, refusals, heldBy }) => ({
      entry_id: call.entryId,
      at: toUnixSeconds(call.at),
      agent_id: call.agentId,
      tool: call.tool,
      was: call.was,
      would_be: wouldBe,
      ...(refusals.length === 0 ? {} : { explanation: explain(refusals).explanation }),
      ...(heldBy === null ? {} : { held_by: heldBy }),
    })),
    by_policy: Object.fromEntries(result.byPolicy),
    truncated: truncatedAt !== null,
    ...(truncatedAt === null ? {} : { covered_until: toUnixSeconds(truncatedAt) }),
  };
}
