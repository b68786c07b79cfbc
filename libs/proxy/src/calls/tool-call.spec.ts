import { decimalOf, JsonNumber, keyActor, microUsd } from '@haldir/kernel';
import { type Session } from '@haldir/gate';
import { digestOfArguments } from './call-digest.js';
import { type CallNotes } from './call-decision.js';
import { toEntry as entryOf } from './call-entry.js';
import { type CallOutcome } from './call-outcome.js';
import { type NewCall } from './tool-call.js';
import { TOOL_CALL_WORDS } from './tool-call.words.js';
import { type ToolTarget } from '../catalogue/tool-target.repository.js';
import { CLOSED } from '../upstreams/circuit.js';
import { NO_LIMITS } from '../upstreams/upstream-limits.js';
import { UpstreamRpcError, UpstreamUnreachable } from '../mcp-client/index.js';

const call: NewCall = {
  actor: keyActor('ten_1', 'hld_x'),
  sessionId: 'ses_1',
  tool: 'echo',
  arguments: { password: 'mellon' },
};
const session = { id: 'ses_1', agentId: 'agent' } as Session;
const target: ToolTarget = {
  ...{ ...NO_LIMITS, ...CLOSED },
  tenantId: 'ten_1',
  name: 'up',
  url: 'https://example.com/',
  revision: 'upr_1',
  headers: null,
  tool: 'echo',
  destructive: false,
  goesByOwnName: true,
  repeatable: false,
  mirrored: [],
  fingerprint: '00'.repeat(32),
  pending: null,
  confirmedAt: null,
  toolsMaxAgeSeconds: 20,
  healthy: true,
  price: null,
};

const toEntry = (
  asked: NewCall,
  of: Session | null,
  to: ToolTarget | null,
  outcome: CallOutcome,
  latencyMs: number,
  notes: CallNotes | null = null,
) => entryOf(TOOL_CALL_WORDS, asked, { session: of, target: to, outcome, latencyMs, notes });

const outcomes: [CallOutcome, string, Record<string, unknown>][] = [
  [{ kind: 'no_scope' }, 'tool_call_blocked', { decision: 'blocked' }],
  [
    {
      kind: 'blocked',
      refusals: [
        {
          ...{ policyId: 'pol_1', type: 'deny_list', reason: 'The tool is on a deny list' },
          remedy: { change: 'remove_tool', tools: ['echo'], text: 'Take echo off the deny list' },
        },
      ],
    },
    'tool_call_blocked',
    { decision: 'blocked', policy_id: 'pol_1', policy: 'deny_list', reason: 'The tool is on a deny list' },
  ],
  [
    {
      kind: 'held',
      request: { requestId: 'apr_1', reason: 'because', expiresAt: new Date(0), isNew: true, notified: 'pending' },
    },
    'tool_call_held',
    { decision: 'approval_required', request_id: 'apr_1' },
  ],
  [{ kind: 'denied', requestId: 'apr_1' }, 'tool_call_blocked', { decision: 'approval_denied', request_id: 'apr_1' }],
  [{ kind: 'answered', result: { content: [] } }, 'tool_call', { decision: 'allowed', result: 'ok' }],
  [
    { kind: 'answered', result: { content: [{ type: 'text', text: 'mellon' }], isError: true } },
    'tool_call',
    { decision: 'allowed', result: 'tool_error' },
  ],
  [
    { kind: 'refused', error: new UpstreamRpcError(-32602, 'mellon is no password', 200) },
    'tool_call',
    { decision: 'allowed', result: 'refused', rpc_code: -32602 },
  ],
  [
    { kind: 'unreachable', error: new UpstreamUnreachable('timeout') },
    'tool_call',
    { decision: 'allowed', result: 'unreachable', reason: 'timeout', sent: true },
  ],
];

describe('the entry of a call', () => {
  it.each(outcomes)(
    '%j says what was decided, how long it took, and nothing of the arguments',
    (outcome, action, facts) => {
      const entry = toEntry(call, session, target, outcome, 12.3456);
      expect(entry).toMatchObject({ source: 'proxy', sessionId: 'ses_1', agentId: 'agent', tool: 'up.echo', action });
      expect(entry.details).toMatchObject({
        ...facts,
        latency_ms: 12.35,
        arguments_sha256: digestOfArguments(call.arguments),
      });
      expect(JSON.stringify(entry)).not.toContain('mellon');
    },
  );

  it('says what it takes to decide the call again, and what log_only policies made of it', () => {
    const notes: CallNotes = {
      decidedAt: new Date(1_700_000_000_123),
      ratedAt: new Date(1_700_000_000_150),
      amount: decimalOf('1e400'),
      approvalId: 'apr_1',
      started: null,
      masked: false,
      answers: [],
      charge: { tenantId: 'ten_1', paymentId: 'pay_1', price: microUsd(0.5) },
      wouldBlock: [
        { policyId: 'pol_1', type: 'block_tool', reason: 'so', remedy: { change: 'remove_policy', text: '' } },
      ],
      wouldHold: [],
    };
    const { details } = toEntry(call, session, target, { kind: 'answered', result: { content: [] } }, 1, notes);
    expect(details).toMatchObject({
      ...{
        upstream: 'up',
        amount: new JsonNumber(`1${'0'.repeat(400)}`),
        decided_at: 1_700_000_000.123,
        rated_at: 1_700_000_000.15,
      },
      ...{
        price_usd: 0.5,
        authorization_id: 'pay_1',
        approval: 'apr_1',
        would_block: [{ policy_id: 'pol_1', type: 'block_tool', reason: 'so' }],
      },
    });
    expect(details).not.toHaveProperty('would_hold');
  });

  it('names a tool that is not known as it was called, and no session that is not known', () => {
    expect(toEntry(call, session, null, { kind: 'unknown', upstreams: [] }, 1)).toMatchObject({ tool: 'echo' });
    const entry = toEntry({ ...call, sessionId: 'a password by mistake' }, null, null, { kind: 'no_session' }, 1);
    expect(entry).not.toHaveProperty('sessionId');
    expect(JSON.stringify(entry)).not.toContain('mistake');
  });
});
