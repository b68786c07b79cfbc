import { HaldirError } from '@haldir/kernel';

export class SessionNotFound extends HaldirError {
  constructor() {
    super('not_found', 'Session not found');
  }
}

/** The session named as a credential is unknown, expired or revoked. */
export class SessionInvalid extends HaldirError {
  constructor() {
    super('unauthorized', 'Session is unknown, expired or revoked', { code: 'invalid_session' });
  }
}

/** An agent asks for a session that is more than its key may open. */
export class SessionBeyondCeiling extends HaldirError {
  constructor(field: 'agent_id' | 'scopes' | 'ttl' | 'spend_limit', expected: string) {
    super('forbidden', `${field}: the agent key allows ${expected}`, { code: 'beyond_ceiling', details: { field } });
  }
}

/** Somebody has stopped the agent. */
export class AgentFrozen extends HaldirError {
  constructor() {
    super('forbidden', 'This agent is frozen; nothing is done for it until an operator unfreezes it', {
      code: 'agent_frozen',
    });
  }
}

export class ApiKeyNotFound extends HaldirError {
  constructor() {
    super('not_found', 'API key not found');
  }
}

/** A key may not make a key that is worth more than itself. */
export class KeyBeyondGrant extends HaldirError {
  constructor(message: string, reason: 'tier_not_allowed' | 'scope_not_held') {
    super('forbidden', message, { code: reason });
  }
}

export class BudgetNotFound extends HaldirError {
  constructor() {
    super('not_found', 'Budget not found');
  }
}

export class TooManyBudgets extends HaldirError {
  constructor(max: number) {
    super('invalid', `A tenant has at most ${max} budgets`, { code: 'too_many_budgets' });
  }
}
