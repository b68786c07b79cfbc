/** Null where nobody knows whether it took effect. */
type Acknowledged<T> = T | null;

export interface SessionRecord {
  agent: string;
  tenant: number;
  /** Null: no limit. */
  limitCents: number | null;
  id: Acknowledged<string>;
  revoked: boolean;
}

export interface PaymentRecord {
  kind: 'payment' | 'hold';
  /** Unlike any other's: finds its row. */
  description: string;
  session: SessionRecord;
  cents: number;
  outcome: Acknowledged<'authorized' | 'denied' | 'refused'>;
  id: string | null;
}

/** An end of a hold, as one caller asked for it. */
export interface SettlementRecord {
  hold: PaymentRecord;
  kind: 'captured' | 'voided';
  cents: number;
  outcome: Acknowledged<'done' | 'refused'>;
}

export interface ActionRecord {
  action: string;
  tenant: number;
  /** Sent under an Idempotency-Key, so at most once in the log however often it was sent. */
  keyed: boolean;
  entryId: Acknowledged<string>;
}

export interface ApprovalRecord {
  tenant: number;
  action: string;
  id: Acknowledged<string>;
  /** Which of two that decided at once was told that it did. */
  decided: ('approved' | 'denied')[];
  /** No decision is in doubt. */
  known: boolean;
}

/** A payment that waits for a human, and is tried several times at once after the approval. */
export interface UseRecord {
  description: string;
  requestId: string | null;
  approved: Acknowledged<boolean>;
  authorized: string[];
  /** No try is in doubt. */
  known: boolean;
}

/** A call of a tool; the upstream knows it by its label. */
export interface CallRecord {
  label: string;
  tool: string;
  session: SessionRecord;
  keyed: boolean;
  outcome: Acknowledged<'answered' | 'refused'>;
}

/** A call that waits for a human, and is tried several times at once after the approval. */
export interface ToolUseRecord {
  label: string;
  requestId: string | null;
  approved: Acknowledged<boolean>;
  answered: number;
  /** No try is in doubt. */
  known: boolean;
}

/** Everything that was asked and answered, to be compared with what is there afterwards. */
export class History {
  readonly sessions: SessionRecord[] = [];
  readonly payments: PaymentRecord[] = [];
  readonly settlements: SettlementRecord[] = [];
  readonly actions: ActionRecord[] = [];
  readonly approvals: ApprovalRecord[] = [];
  readonly uses: UseRecord[] = [];
  readonly calls: CallRecord[] = [];
  readonly toolUses: ToolUseRecord[] = [];
  readonly secrets = new Map<string, string>();
  /** Checkpoints as they were answered, by tenant, oldest first. */
  readonly checkpoints: string[][] = [[], []];
  /** Answers that were asked for again, under the same key. */
  replays = 0;
  /** What was wrong already when it was answered. */
  readonly violations: string[] = [];

  acknowledged(): Record<string, number> {
    const count = <T>(list: readonly T[], holds: (one: T) => boolean): number => list.filter(holds).length;
    return {
      sessions: count(this.sessions, ({ id }) => id !== null),
      payments: count(this.payments, ({ outcome }) => outcome !== null),
      settlements: count(this.settlements, ({ outcome }) => outcome !== null),
      entries: count(this.actions, ({ entryId }) => entryId !== null),
      approvals: count(this.approvals, ({ id }) => id !== null),
      uses: count(this.uses, ({ known }) => known),
      calls: count(this.calls, ({ outcome }) => outcome !== null),
      'approved calls': count(this.toolUses, ({ known, approved }) => known && approved === true),
      secrets: this.secrets.size,
      replays: this.replays,
    };
  }
}
