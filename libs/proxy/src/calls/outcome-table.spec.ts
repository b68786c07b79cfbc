import { type HaldirError, keyActor, microUsd } from '@haldir/kernel';
import { type DetailsTooLong } from '@haldir/approvals';
import { UpstreamRpcError, UpstreamUnreachable } from '../mcp-client/index.js';
import { type CallOutcome, type PerformedCall } from './call-outcome.js';
import { attemptOf, decisionOf, endingOf, isPaid, isRefused, loggedOf, refusalOf } from './outcome-table.js';
import { TOOL_CALL_WORDS } from './tool-call.words.js';

const remedy = { change: 'remove_policy', text: 'Remove it' } as const;
const refusals = [{ policyId: 'pol_1', type: 'block_tool', reason: 'It is blocked', remedy }] as const;
const explanation = [
  { policy_id: 'pol_1', policy: 'block_tool', reason: 'It is blocked', remedy: { ...remedy, policy_id: 'pol_1' } },
];
const blocked = { policy_id: 'pol_1', policy: 'block_tool', explanation };
const revoked = { code: 'revoked', message: 'The key was revoked' } as HaldirError;
const unaffordable = { code: 'insufficient_budget', price_usd: 0.5 };
const denial = { reason: 'No budget', price: microUsd(0.5) };
const refusal = { code: 'secret_not_usable', message: 'No', facts: { secret: 'x' } } as const;
const request = {
  requestId: 'apr_1',
  reason: 'because',
  expiresAt: new Date(0),
  isNew: true,
  notified: 'pending' as const,
};
const unshowable = 'The call needs approval, and its arguments are too long to be shown to whoever decides';
const drifted =
  'The upstream has changed what it says of this tool; calls of it are held back until an operator accepts the change';
const noScope = 'The session holds none of the scopes execute, read';

interface Row {
  outcome: CallOutcome;
  /** Of the entry's action. */
  suffix: string;
  /** By metrics. */
  counted: string;
  /** In the entry's details. */
  logged: Record<string, unknown>;
  /** Over every door, of a call that Haldir itself does not make. */
  told?: Record<string, unknown>;
  isUndone?: true;
  isPaid?: true;
  ending?: string;
}
const row = (outcome: CallOutcome, suffix: string, counted: string, rest: Omit<Row, 'outcome' | 'suffix' | 'counted'>): Row =>
  ({ outcome, suffix, counted, ...rest }); // prettier-ignore
type Rest = Omit<Row, 'outcome' | 'suffix' | 'counted' | 'logged'>;
const refused = (outcome: CallOutcome, logged: object, rest: Rest = {}): Row =>
  row(outcome, '_blocked', 'denied', { logged: { decision: 'blocked', ...logged }, ...rest });
const allowed = (outcome: CallOutcome, logged: object, rest: Rest = {}): Row =>
  row(outcome, '', 'allowed', { logged: { decision: 'allowed', ...logged }, ...rest });

/** At least one of each kind. */
const ROWS: Row[] = [
  refused({ kind: 'no_session' }, { reason: 'The session is unknown, expired or revoked' }, { isUndone: true }),
  refused(
    { kind: 'no_scope' },
    { reason: noScope },
    { told: { code: 'missing_session_scope', message: noScope, facts: { required: ['execute', 'read'] }, logged: {} } },
  ),
  refused(
    { kind: 'no_key', error: revoked },
    { reason: 'The key was revoked', code: 'revoked' },
    {
      told: {
        code: 'revoked',
        message: 'The key was revoked',
        facts: { code: 'revoked' },
        logged: { code: 'revoked' },
      },
    },
  ),
  refused({ kind: 'mismatched' }, { reason: 'The Mcp-Param headers do not repeat the arguments as the tool asks' }),
  refused(
    { kind: 'blocked', refusals },
    { reason: 'It is blocked', ...blocked },
    {
      told: {
        ...{ code: 'blocked_by_policy', message: 'It is blocked' },
        ...{ facts: blocked, logged: blocked, explained: { explanation } },
      },
    },
  ),
  refused(
    { kind: 'unaffordable', denial: { ...denial, remaining: null } },
    { reason: 'No budget', ...unaffordable, remaining_budget: null },
    {
      told: {
        ...{ code: 'insufficient_budget', message: 'No budget' },
        facts: { ...unaffordable, remaining_budget: null },
        logged: { ...unaffordable, remaining_budget: null },
      },
    },
  ),
  refused(
    { kind: 'unaffordable', denial: { ...denial, remaining: microUsd(0.25) } },
    { reason: 'No budget', ...unaffordable, remaining_budget: 0.25 },
    {
      told: {
        ...{ code: 'insufficient_budget', message: 'No budget' },
        facts: { ...unaffordable, remaining_budget: 0.25 },
        logged: { ...unaffordable, remaining_budget: 0.25 },
      },
    },
  ),
  refused({ kind: 'unknown', upstreams: [] }, { reason: TOOL_CALL_WORDS.unknown }),
  refused({ kind: 'unknown', upstreams: ['a', 'b'] }, { reason: TOOL_CALL_WORDS.ambiguous }),
  refused(
    { kind: 'drifted', upstream: 'up', tool: 'pay' },
    { reason: drifted, code: 'tool_drift' },
    {
      told: {
        ...{ code: 'tool_drift', message: drifted, logged: { code: 'tool_drift' } },
        facts: { code: 'tool_drift', upstream: 'up', tool: 'pay' },
      },
    },
  ),
  refused(
    { kind: 'no_secret', refusal },
    { reason: 'No', code: 'secret_not_usable', secret: 'x' },
    {
      told: {
        ...{ code: 'secret_not_usable', message: 'No', facts: { code: 'secret_not_usable' } },
        logged: { code: 'secret_not_usable', secret: 'x' },
      },
    },
  ),
  refused(
    { kind: 'unshowable', error: { code: 'too_long' } as DetailsTooLong },
    { reason: unshowable, code: 'too_long' },
    {
      told: {
        ...{ code: 'too_long', message: unshowable },
        ...{ facts: { code: 'too_long' }, readFacts: {}, logged: { code: 'too_long' } },
      },
    },
  ),
  refused(
    { kind: 'unapprovable', reason: 'because' },
    { reason: 'because' },
    {
      told: {
        ...{ code: 'unapprovable', message: 'because' },
        ...{ facts: { code: 'unapprovable' }, readFacts: {}, logged: {} },
      },
    },
  ),
  row({ kind: 'held', request }, '_held', 'held', { logged: { decision: 'approval_required', request_id: 'apr_1' } }),
  row({ kind: 'denied', requestId: 'apr_1' }, '_blocked', 'denied', {
    logged: { decision: 'approval_denied', request_id: 'apr_1' },
  }),
  allowed({ kind: 'answered', result: { content: [] } }, { result: 'ok' }, { isPaid: true, ending: 'answered' }),
  allowed(
    { kind: 'answered', result: { content: [], isError: true } },
    { result: 'tool_error' },
    { isPaid: true, ending: 'tool_error' },
  ),
  allowed(
    { kind: 'asked', question: { resultType: 'input_required' } as never },
    { result: 'input_required' },
    { ending: 'answered' },
  ),
  allowed({ kind: 'refused', error: new UpstreamRpcError(-32602, 'no', 200) }, { result: 'refused', rpc_code: -32602 }),
  allowed(
    { kind: 'unreachable', error: new UpstreamUnreachable('timeout') },
    { result: 'unreachable', reason: 'timeout', sent: true },
  ),
  allowed(
    { kind: 'unreachable', error: new UpstreamUnreachable('connect', { sent: false }) },
    { result: 'unreachable', reason: 'connect', sent: false },
    { isUndone: true },
  ),
];

describe('what an outcome means', () => {
  it.each(ROWS.map((each): [string, Row] => [each.outcome.kind, each]))(
    '%s: its entry, its count, its price, its key, its words',
    (_, { outcome, suffix, counted, logged, told, ending = 'failed', ...rest }) => {
      expect(loggedOf(outcome, TOOL_CALL_WORDS)).toEqual({ suffix, facts: logged });
      expect(decisionOf(outcome)).toBe(counted);
      const performed = { actor: keyActor('ten_1', 'hld_x'), outcome, entry: {}, notes: null } as PerformedCall;
      expect(attemptOf(performed)).toEqual({ kind: rest.isUndone ? 'undone' : 'done', outcome: performed });
      expect([isPaid(outcome), endingOf(outcome, TOOL_CALL_WORDS)]).toEqual([rest.isPaid ?? false, ending]);
      expect(isRefused(outcome) ? refusalOf(outcome) : undefined).toEqual(told);
    },
  );
});
