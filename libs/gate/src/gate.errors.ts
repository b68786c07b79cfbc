import { HaldirError, InvalidInput } from '@haldir/kernel';

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

/** What is asked for is more than the session it is to be opened from has. */
export class SessionBeyondParent extends HaldirError {
  constructor(field: 'agent_id' | 'scopes' | 'ttl' | 'spend_limit', expected: string) {
    super('forbidden', `${field}: the parent session allows ${expected}`, {
      code: 'beyond_parent',
      details: { field },
    });
  }
}

export class DelegatedTooDeep extends InvalidInput {
  constructor(max: number) {
    super(`parent_session_id: expected one that descends from fewer than ${max} others`, 'delegated_too_deep');
  }
}

export class TooManyDescendants extends InvalidInput {
  constructor(max: number) {
    super(
      `parent_session_id: expected one of a tree in which fewer than ${max} living sessions descend from any`,
      'too_many_descendants',
    );
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
