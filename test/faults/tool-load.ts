import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type RpcMessage } from '@haldir/test-support';
import { type Caller } from './caller.js';
import { type CallRecord, type History, type SessionRecord, type ToolUseRecord } from './history.js';
import { type Random } from './random.js';

/** Tools of the upstream `up`: one for nothing, one that has a price, one that a human has to approve. */
export const TOOLS = { free: 'do', priced: 'buy', guarded: 'pay' } as const;
/** Of each call of the priced one. */
export const PRICE_CENTS = 3;

/** The key of a call whose process died stays taken for longer than a seed lasts. */
const KNOWS_WITHIN_MS = 8_000;

/** What a call is known to have come to. After a crash in its middle nobody knows, and nobody may find out by calling again. */
type Answer = 'answered' | 'refused' | 'unknown' | { held: string };

interface Result {
  isError?: boolean;
  content?: { text?: string }[];
}

/** Calls tools as agents do, over REST and over `/mcp`, and writes down what was answered. */
export class ToolLoad {
  private labels = 0;

  constructor(
    private readonly history: History,
    private readonly random: Random,
    private readonly name: string,
  ) {}

  call(caller: Caller, session: SessionRecord): Promise<void> {
    return this.callOne(caller, session, this.random.pick([TOOLS.free, TOOLS.free, TOOLS.priced]));
  }

  callFree(caller: Caller, session: SessionRecord): Promise<void> {
    return this.callOne(caller, session, TOOLS.free);
  }

  private async callOne(caller: Caller, session: SessionRecord, tool: string): Promise<void> {
    const keyed = this.random.chance(0.6);
    const call: CallRecord = { label: this.label(), tool, session, keyed, outcome: null };
    this.history.calls.push(call);
    const answer = await this.ask(caller, session, tool, call.label, keyed);
    if (answer === 'answered' || answer === 'refused') call.outcome = answer;
    else if (typeof answer === 'object') this.history.violations.push(`a call of ${tool} waits for an approval`);
  }

  /** Held back, approved, and then tried by several at once. */
  async callWithApproval(caller: Caller, session: SessionRecord): Promise<void> {
    const use: ToolUseRecord = { label: this.label(), requestId: null, approved: null, answered: 0, known: true };
    this.history.toolUses.push(use);
    const held = await this.ask(caller, session, TOOLS.guarded, use.label, true);
    if (typeof held !== 'object') {
      if (held === 'answered') this.history.violations.push(`${use.label} was made without an approval`);
      return;
    }
    use.requestId = held.held;
    const path = `/v1/approvals/${use.requestId}/approve`;
    const approved = await caller.insist(this.random, 'POST', path, { decided_by: 'dana' });
    if (approved?.status !== 200) return;
    use.approved = true;
    const tries = Array.from({ length: this.random.between(1, 3) }, () =>
      this.ask(caller, session, TOOLS.guarded, use.label, true),
    );
    for (const answer of await Promise.all(tries)) {
      if (answer === 'answered') use.answered++;
      else if (answer === 'unknown') use.known = false;
    }
  }

  private label(): string {
    return `${this.name}-${++this.labels}`;
  }

  /** Asks until it knows, if it may: without a key, a second try could be a second call. */
  private async ask(
    caller: Caller,
    session: SessionRecord,
    tool: string,
    label: string,
    keyed: boolean,
  ): Promise<Answer> {
    const key = keyed ? randomUUID() : undefined;
    const tryOnce = this.random.chance(0.5)
      ? () => this.overRest(caller, session, tool, label, key)
      : () => this.overMcp(caller, session, tool, label, key);
    const deadline = performance.now() + KNOWS_WITHIN_MS;
    for (;;) {
      const answer = await tryOnce();
      if (answer !== null) return answer;
      if (!keyed || performance.now() > deadline) return 'unknown';
      caller.retries++;
      await pause(this.random.between(20, 300));
    }
  }

  private async overRest(
    caller: Caller,
    { id: session }: SessionRecord,
    tool: string,
    label: string,
    key: string | undefined,
  ): Promise<Answer | null> {
    const body = { tool: `up.${tool}`, arguments: { label }, session_id: session };
    const reply = await caller.once(this.random, 'POST', '/v1/proxy/call', body, key);
    if (!reply) return null;
    if (reply.body['code'] === 'outcome_unknown') return 'unknown';
    return reply.status === 200 ? this.toAnswer(tool, reply.body) : this.refusal(reply.status, reply.body);
  }

  private async overMcp(
    caller: Caller,
    { id: session }: SessionRecord,
    tool: string,
    label: string,
    key: string | undefined,
  ): Promise<Answer | null> {
    const headers = { accept: 'application/json', ...(key === undefined ? {} : { 'idempotency-key': key }) };
    const client = caller.mcp(this.random, session ?? '');
    const reply = await client.call(`up.${tool}`, { label }, headers).catch(() => null);
    if (!reply?.message) return null;
    const { result, error } = reply.message;
    if (result) return result.isError === true ? this.ownAnswer(result) : this.toAnswer(tool, result);
    const code = error?.data?.['code'];
    if (code === 'outcome_unknown') return 'unknown';
    if (reply.status >= 500 || reply.status === 429 || code === 'idempotency_in_progress') return null;
    return this.refusal(reply.status, { ...error?.data });
  }

  private toAnswer(tool: string, result: Result): Answer {
    return result.content?.[0]?.text === tool ? 'answered' : this.ownAnswer(result);
  }

  /** What Haldir says in place of the tool. */
  private ownAnswer({ content }: Result): Answer {
    const said = JSON.parse(content?.[0]?.text ?? '{}') as Record<string, unknown>;
    if (said['status'] === 'approval_required') return { held: String(said['request_id']) };
    if (said['code'] === 'insufficient_budget') return 'refused';
    this.history.violations.push(`instead of a call: ${JSON.stringify(said)}`);
    return 'unknown';
  }

  private refusal(status: number, body: RpcMessage['params']): Answer {
    const isExpected = status === 401 || ['invalid_session', 'insufficient_budget'].includes(String(body?.['code']));
    if (!isExpected) this.history.violations.push(`instead of a call: ${status} ${JSON.stringify(body)}`);
    return 'refused';
  }
}
