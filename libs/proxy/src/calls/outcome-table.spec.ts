import { type HaldirError, keyActor, microUsd } from '@haldir/kernel';
import { type DetailsTooLong } from '@haldir/approvals';
import { UpstreamRpcError, UpstreamUnreachable } from '../mcp-client/index.js';
import { type CallOutcome, type PerformedCall } from './call-outcome.js';
import { attemptOf, decisionOf, endingOf, isPaid, isRefused, loggedOf, refusalOf } from './outcome-table.js';
import { TOOL_CALL_WORDS } from './tool-call.words.js';

const refusal = { policyId: 'pol_1', type: 'block_tool', reason: 'The tool is blocked' } as const;
const remedy = { change: 'remove_policy', text: 'Remove it' } as const;
const unsent = new UpstreamUnreachable('connect', { sent: false });
const error = { code: 'revoked', message: 'The key was revoked' } as HaldirError;
const request = { requestId: 'apr_1', reason: 'because', expiresAt: new Date(0), isNew: true };

type Row = [outcome: CallOutcome, action: string, counted: string, rest: Record<string, unknown>];

/** At least one of each kind; the log's details are those of `logged`. */
const ROWS: Row[] = [
  [{ kind: 'no_session' }, '_blocked', 'denied', { undone: true }],
  [{ kind: 'no_scope' }, '_blocked', 'denied', { code: 'missing_session_scope' }],
  [{ kind: 'no_key', error }, '_blocked', 'denied', { code: 'revoked' }],
  [{ kind: 'mismatched' }, '_blocked', 'denied', {}],
  [
    { kind: 'blocked', refusals: [{ ...refusal, remedy }] },
    ...(['_blocked', 'denied'] as const),
    { code: 'blocked_by_policy' },
  ],
  [
    { kind: 'unaffordable', denial: { reason: 'No budget', price: microUsd(1), remaining: null } },
    ...(['_blocked', 'denied'] as const),
    { code: 'insufficient_budget' },
  ],
  [{ kind: 'unknown', upstreams: [] }, '_blocked', 'denied', {}],
  [{ kind: 'drifted', upstream: 'up', tool: 'pay' }, '_blocked', 'denied', { code: 'tool_drift' }],
  [
    { kind: 'no_secret', refusal: { code: 'secret_not_usable', message: 'No', facts: { secret: 'x' } } },
    ...(['_blocked', 'denied'] as const),
    { code: 'secret_not_usable' },
  ],
  [
    { kind: 'unshowable', error: { code: 'too_long' } as DetailsTooLong },
    '_blocked',
    'denied',
    { code: 'too_long', readFacts: {} },
  ],
  [
    { kind: 'unapprovable', reason: 'because' },
    ...(['_blocked', 'denied'] as const),
    { code: 'unapprovable', readFacts: {} },
  ],
  [{ kind: 'held', request }, '_held', 'held', {}],
  [{ kind: 'denied', requestId: 'apr_1' }, '_blocked', 'denied', {}],
  [{ kind: 'answered', result: { content: [] } }, '', 'allowed', { paid: true, ending: 'answered' }],
  [{ kind: 'answered', result: { content: [], isError: true } }, '', 'allowed', { paid: true, ending: 'tool_error' }],
  [{ kind: 'asked', question: { resultType: 'input_required' } as never }, '', 'allowed', { ending: 'answered' }],
  [{ kind: 'refused', error: new UpstreamRpcError(-32602, 'no', 200) }, '', 'allowed', {}],
  [{ kind: 'unreachable', error: new UpstreamUnreachable('timeout') }, '', 'allowed', {}],
  [{ kind: 'unreachable', error: unsent }, '', 'allowed', { undone: true }],
];

describe('what an outcome means', () => {
  it.each(ROWS.map((row): [string, ...Row] => [row[0].kind, ...row]))(
    '%s: its entry, its count, its price, its key',
    (_, outcome, action, counted, rest) => {
      const { undone = false, paid = false, ending = 'failed', ...told } = rest;
      expect([loggedOf(outcome, TOOL_CALL_WORDS).suffix, decisionOf(outcome)]).toEqual([action, counted]);
      const performed = { actor: keyActor('ten_1', 'hld_x'), outcome, entry: {}, notes: null } as PerformedCall;
      expect(attemptOf(performed)).toEqual({ kind: undone === true ? 'undone' : 'done', outcome: performed });
      expect([isPaid(outcome), endingOf(outcome, TOOL_CALL_WORDS)]).toEqual([paid, ending]);
      expect(isRefused(outcome) ? refusalOf(outcome) : {}).toMatchObject(told);
      expect(isRefused(outcome)).toBe('code' in told);
    },
  );

  it('is in the log with what callers are told, and with what only the log is', () => {
    const about = (outcome: CallOutcome): object => loggedOf(outcome, TOOL_CALL_WORDS).facts;
    expect(about({ kind: 'blocked', refusals: [{ ...refusal, remedy }] })).toEqual({
      ...{ decision: 'blocked', reason: 'The tool is blocked', policy_id: 'pol_1', policy: 'block_tool' },
      explanation: [expect.objectContaining({ policy_id: 'pol_1' })],
    });
    const facts = { secret: 'x' };
    const outcome = { kind: 'no_secret', refusal: { code: 'secret_not_usable', message: 'No', facts } } as const;
    expect(about(outcome)).toEqual({ decision: 'blocked', reason: 'No', code: 'secret_not_usable', secret: 'x' });
    expect(refusalOf(outcome).facts).toEqual({ code: 'secret_not_usable' });
    expect(about({ kind: 'unreachable', error: unsent })).toEqual({
      ...{ decision: 'allowed', result: 'unreachable', reason: 'connect', sent: false },
    });
  });
});
