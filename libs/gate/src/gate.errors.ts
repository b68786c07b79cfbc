import { HaldirError } from '@haldir/kernel';

export class SessionNotFound extends HaldirError {
  readonly kind = 'not_found';
  constructor() {
    super('Session not found');
  }
}

/** The session named as a credential is unknown, expired or revoked. */
export class SessionInvalid extends HaldirError {
  readonly kind = 'unauthorized';
  constructor() {
    super('Session is unknown, expired or revoked');
  }
  override get code(): string {
    return 'invalid_session';
  }
}

/** An agent asks for a session that is more than its key may open. */
export class SessionBeyondCeiling extends HaldirError {
  readonly kind = 'forbidden';
  constructor(
    private readonly field: 'agent_id' | 'scopes' | 'ttl' | 'spend_limit',
    expected: string,
  ) {
    super(`${field}: the agent key allows ${expected}`);
  }
  override get code(): string {
    return 'beyond_ceiling';
  }
  override get details(): Readonly<Record<string, unknown>> {
    return { field: this.field };
  }
}

/** Somebody has stopped the agent. */
export class AgentFrozen extends HaldirError {
  readonly kind = 'forbidden';
  constructor() {
    super('This agent is frozen; nothing is done for it until an operator unfreezes it');
  }
  override get code(): string {
    return 'agent_frozen';
  }
}

export class ApiKeyNotFound extends HaldirError {
  readonly kind = 'not_found';
  constructor() {
    super('API key not found');
  }
}

/** A key may not make a key that is worth more than itself. */
export class KeyBeyondGrant extends HaldirError {
  readonly kind = 'forbidden';
  constructor(
    message: string,
    private readonly reason: 'tier_not_allowed' | 'scope_not_held',
  ) {
    super(message);
  }
  override get code(): string {
    return this.reason;
  }
}

export class BudgetNotFound extends HaldirError {
  readonly kind = 'not_found';
  constructor() {
    super('Budget not found');
  }
}

export class TooManyBudgets extends HaldirError {
  readonly kind = 'invalid';
  constructor(max: number) {
    super(`A tenant has at most ${max} budgets`);
  }
  override get code(): string {
    return 'too_many_budgets';
  }
}
