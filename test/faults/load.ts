import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Caller, type Settled } from './caller.js';
import { type History, type PaymentRecord, type SessionRecord, type UseRecord } from './history.js';
import { type Random } from './random.js';
import { ToolLoad } from './tool-load.js';

type Json = Record<string, unknown>;

/** Two tenants: the first spends freely within its budgets, at the second every payment waits for a human. */
export interface Tenants {
  free: Caller;
  careful: Caller;
}

let numbers = 0;
const unique = (what: string): string => `${what}-${++numbers}`;
const dollars = (cents: number): number => cents / 100;
const retried = (status: number): boolean => status >= 200 && status < 300;

/** Somebody who does one thing after the other until it is told to stop, and writes down what was answered. */
export class Actor {
  private holds: PaymentRecord[] = [];
  private readonly tools: ToolLoad;

  constructor(
    private readonly tenants: Tenants,
    private readonly history: History,
    private readonly random: Random,
  ) {
    this.tools = new ToolLoad(history, random.fork(), unique('call'));
  }

  async run(ending: AbortSignal): Promise<void> {
    while (!ending.aborted) {
      const work = this.random.pick(this.works);
      await work();
      await pause(this.random.between(0, 40));
    }
  }

  /** Calls a tool again and again, so that many calls are under way whenever something dies. */
  async rush(ending: AbortSignal): Promise<void> {
    while (!ending.aborted) {
      const session = await this.someSession();
      if (session) await this.tools.callFree(this.tenants.free, session);
    }
  }

  /** The mix: the more often it stands here, the more often it is done. */
  private readonly works: readonly (() => Promise<void>)[] = [
    async () => void (await this.openSession()),
    ...Array.from({ length: 5 }, () => () => this.pay()),
    ...Array.from({ length: 3 }, () => () => this.hold()),
    ...Array.from({ length: 3 }, () => () => this.settle()),
    ...Array.from({ length: 4 }, () => () => this.log()),
    ...Array.from({ length: 2 }, () => () => this.askForApproval()),
    ...Array.from({ length: 2 }, () => () => this.payWithApproval()),
    ...Array.from({ length: 5 }, () => () => this.callTool()),
    ...Array.from({ length: 2 }, () => () => this.callToolWithApproval()),
    () => this.keepSecret(),
    () => this.revoke(),
    () => this.pinCheckpoint(),
  ];

  private async openSession(tenant = 0): Promise<SessionRecord> {
    const limitCents = tenant === 0 ? this.random.between(500, 6_000) : null;
    const session: SessionRecord = { agent: unique('agent'), tenant, limitCents, id: null, revoked: false };
    this.history.sessions.push(session);
    const body = {
      agent_id: session.agent,
      scopes: ['read', 'spend'],
      spend_limit: limitCents === null ? null : dollars(limitCents),
    };
    const reply = await this.write(this.callerOf(tenant), '/v1/sessions', body);
    if (reply?.status === 201) session.id = String(reply.body['session_id']);
    else if (reply) this.wrong('a session', reply);
    return session;
  }

  private async pay(): Promise<void> {
    const session = await this.someSession();
    if (session) await this.tryToPay('payment', session);
  }

  private async hold(): Promise<void> {
    const session = await this.someSession();
    if (!session) return;
    const hold = await this.tryToPay('hold', session);
    if (hold.outcome === 'authorized') this.holds.push(hold);
  }

  private async tryToPay(kind: 'payment' | 'hold', session: SessionRecord): Promise<PaymentRecord> {
    const cents = this.random.between(1, 900);
    const payment: PaymentRecord = { kind, description: unique(kind), session, cents, outcome: null, id: null };
    this.history.payments.push(payment);
    const wasRevoked = session.revoked;
    const body = {
      session_id: session.id,
      amount: dollars(cents),
      description: payment.description,
      ...(kind === 'hold' ? { ttl: 3_600 } : {}),
    };
    const reply = await this.write(
      this.tenants.free,
      kind === 'hold' ? '/v1/payments/hold' : '/v1/payments/authorize',
      body,
    );
    if (!reply) return payment;
    payment.outcome = reply.status === 200 ? 'authorized' : reply.status === 403 ? 'denied' : 'refused';
    payment.id = reply.status === 200 ? String(reply.body['authorization_id']) : null;
    if (![200, 401, 403].includes(reply.status)) this.wrong(`a ${kind}`, reply);
    if (wasRevoked && reply.status !== 401) this.wrong(`a ${kind} of a revoked session`, reply);
    return payment;
  }

  /** Captures or voids a hold, sometimes both at once. */
  private async settle(): Promise<void> {
    const hold = this.holds.shift();
    if (!hold) return;
    const kinds = this.random.pick([
      ['captured'],
      ['voided'],
      ['captured', 'captured'],
      ['captured', 'voided'],
    ] as const);
    await Promise.all(
      kinds.map(async (kind) => {
        const cents = kind === 'captured' ? this.random.between(1, hold.cents) : 0;
        const settlement = { hold, kind, cents, outcome: null as 'done' | 'refused' | null };
        this.history.settlements.push(settlement);
        const path = `/v1/payments/${hold.id}/${kind === 'captured' ? 'capture' : 'void'}`;
        const reply = await this.write(this.tenants.free, path, kind === 'captured' ? { amount: dollars(cents) } : {});
        if (!reply) return;
        settlement.outcome = reply.status === 200 ? 'done' : 'refused';
        if (reply.status !== 200 && (reply.status < 400 || reply.status === 404))
          this.wrong(`a hold to be ${kind}`, reply);
      }),
    );
  }

  private async log(): Promise<void> {
    const session = await this.someSession();
    if (!session) return;
    const keyed = this.random.chance(0.6);
    const action = { action: unique('action'), tenant: 0, keyed, entryId: null as string | null };
    this.history.actions.push(action);
    const body = {
      session_id: session.id,
      tool: 'browser',
      action: action.action,
      details: 'x'.repeat(this.random.between(0, 300)),
      cost_usd: this.random.between(0, 5_000) / 1_000_000,
    };
    const reply = keyed
      ? await this.write(this.tenants.free, '/v1/audit', body)
      : await this.tenants.free.once(this.random, 'POST', '/v1/audit', body);
    if (reply?.status === 201) action.entryId = String(reply.body['entry_id']);
    else if (reply && reply.status !== 401) this.wrong('an action', reply);
  }

  /** Asks a human, of whom two answer at once. */
  private async askForApproval(): Promise<void> {
    const session = await this.someSession();
    if (!session) return;
    const approval = {
      tenant: 0,
      action: unique('ask'),
      id: null as string | null,
      decided: [] as ('approved' | 'denied')[],
      known: true,
    };
    this.history.approvals.push(approval);
    const asked = await this.write(this.tenants.free, '/v1/approvals/request', {
      session_id: session.id,
      action: approval.action,
    });
    if (asked?.status !== 201) {
      if (asked && asked.status !== 401) this.wrong('a request for approval', asked);
      return;
    }
    approval.id = String(asked.body['request_id']);
    await Promise.all(
      (['approved', 'denied'] as const).map(async (decision) => {
        const path = `/v1/approvals/${approval.id}/${decision === 'approved' ? 'approve' : 'deny'}`;
        const reply = await this.write(this.tenants.free, path, { decided_by: 'dana' });
        if (!reply) approval.known = false;
        else if (reply.status === 200) approval.decided.push(decision);
        else if (reply.status !== 400) this.wrong('a decision', reply);
      }),
    );
  }

  /** A payment of the careful tenant: held back, approved, and then tried by several at once. */
  private async payWithApproval(): Promise<void> {
    const careful = this.tenants.careful;
    const session = await this.openSession(1);
    if (session.id === null) return;
    const use: UseRecord = { description: unique('use'), requestId: null, approved: null, authorized: [], known: true };
    this.history.uses.push(use);
    const body = { session_id: session.id, amount: dollars(this.random.between(1, 900)), description: use.description };
    const first = await this.write(careful, '/v1/payments/authorize', body);
    if (!first) return;
    if (first.status !== 403 || typeof first.body['request_id'] !== 'string')
      return this.wrong('a payment that waits', first);
    use.requestId = first.body['request_id'];
    const approved = await this.write(careful, `/v1/approvals/${use.requestId}/approve`, { decided_by: 'dana' });
    if (!approved) return;
    if (approved.status !== 200) return this.wrong('an approval', approved);
    use.approved = true;
    const tries = await Promise.all(
      Array.from({ length: this.random.between(1, 3) }, () => this.write(careful, '/v1/payments/authorize', body)),
    );
    for (const reply of tries) {
      if (!reply) use.known = false;
      else if (reply.status === 200) use.authorized.push(String(reply.body['authorization_id']));
      else if (reply.status !== 403) this.wrong('an approved payment', reply);
    }
  }

  private async callTool(): Promise<void> {
    const session = await this.someSession();
    if (session) await this.tools.call(this.tenants.free, session);
  }

  private async callToolWithApproval(): Promise<void> {
    const session = await this.openSession(1);
    if (session.id !== null) await this.tools.callWithApproval(this.tenants.careful, session);
  }

  private async keepSecret(): Promise<void> {
    const [name, value] = [unique('secret'), randomUUID()];
    const stored = await this.write(this.tenants.free, '/v1/secrets', { name, value });
    if (stored?.status === 201) this.history.secrets.set(name, value);
    else if (stored) this.wrong('a secret', stored);
  }

  /** Ends a session; whoever asks from then on, wherever, finds it ended. */
  private async revoke(): Promise<void> {
    const session = await this.someSession();
    if (!session || this.random.chance(0.5)) return;
    const path = `/v1/sessions/${session.id}`;
    const reply = await this.tenants.free.insist(this.random, 'DELETE', path);
    if (!reply) return;
    // 404: an earlier try of ours, or another actor, was there first.
    if (reply.status !== 200 && reply.status !== 404) return this.wrong('a revocation', reply);
    session.revoked = true;
    for (let i = 0; i < 3; i++) {
      const check = await this.tenants.free.once(this.random, 'POST', `${path}/check`, { scope: 'read' });
      if (check && check.body['allowed'] !== false) this.wrong('a check of a revoked session', check);
    }
  }

  private async pinCheckpoint(): Promise<void> {
    const tenant = this.random.between(0, 1);
    const reply = await this.callerOf(tenant).once(this.random, 'GET', '/v1/audit/tree-head');
    if (reply?.status === 200) this.history.checkpoints[tenant]?.push(String(reply.body['checkpoint']));
    else if (reply) this.wrong('a tree head', reply);
  }

  /** Asks until the answer is known, and sometimes once more: the answer must be the same. */
  private async write(caller: Caller, path: string, body: Json): Promise<Settled | null> {
    const key = randomUUID();
    const reply = await caller.insist(this.random, 'POST', path, body, key);
    if (!reply || !retried(reply.status) || !this.random.chance(0.15)) return reply;
    const again = await caller.once(this.random, 'POST', path, body, key);
    if (again) {
      this.history.replays++;
      if (again.status !== reply.status || JSON.stringify(again.body) !== JSON.stringify(reply.body))
        this.wrong(`the same answer as ${JSON.stringify(reply.body)}`, again);
    }
    const other = await caller.once(this.random, 'POST', path, { ...body, details: 'other' }, key);
    // A session that was revoked meanwhile is found first.
    if (other && other.status !== 422 && other.status !== 401) this.wrong('a key that was used before', other);
    return reply;
  }

  /** A session of the free tenant, of anyone's; mostly one that lives, sometimes one that was revoked. */
  private async someSession(): Promise<SessionRecord | null> {
    const open = this.history.sessions.filter(({ tenant, id }) => tenant === 0 && id !== null).slice(-12);
    const live = open.filter(({ revoked }) => !revoked);
    if (live.length < 6) {
      const session = await this.openSession();
      return session.id === null ? null : session;
    }
    return this.random.pick(this.random.chance(0.05) ? open : live);
  }

  private callerOf(tenant: number): Caller {
    return tenant === 0 ? this.tenants.free : this.tenants.careful;
  }

  private wrong(expected: string, { status, body }: Settled): void {
    this.history.violations.push(`instead of ${expected}: ${status} ${JSON.stringify(body)}`);
  }
}
