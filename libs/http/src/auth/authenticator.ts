import { HaldirError } from '@haldir/kernel';
import { type Caller, grantsKeyScope, type KeyScope, type ScopeDemand } from './caller.js';

/** Knows API keys. Implemented by gate, so that `http` need not know it. */
export abstract class Authenticator {
  /**
   * The caller behind a key as it was sent, or null when it is malformed, unknown or revoked.
   *
   * @param isRequest whether it is counted as one of the key's requests
   */
  abstract authenticate(key: string, isRequest: boolean): Promise<Caller | null>;
}

/** Knows people who are signed in. Implemented by people, so that `http` need not know it. */
export abstract class PersonAuthenticator {
  /**
   * The caller behind a cookie, or null when it is unknown, over or ended, or the page's token is not the one it was given with.
   *
   * @param isRequest whether the person asks for something, so that the sign-in is in use
   */
  abstract authenticate(cookie: string, pageToken: string, isRequest: boolean): Promise<Caller | null>;
}

export class Unauthenticated extends HaldirError {
  constructor(message = 'Missing, invalid, or revoked API key') {
    super('unauthorized', message);
  }
}

export class MissingKeyScope extends HaldirError {
  constructor(required: KeyScope, refusal: ScopeDemand['refusal'] = {}, who = 'The API key') {
    super('forbidden', `${who} lacks the scope ${required}`, {
      code: 'insufficient_scope',
      details: { required, ...refusal },
    });
  }
}

/** An agent key acts; whatever is not open to it in so many words is closed to it, whatever its scopes. */
export class AgentKeyNotAllowed extends HaldirError {
  constructor(what = 'This operation') {
    super('forbidden', `${what} is closed to agent keys; an operator's key does it`, { code: 'agent_key_not_allowed' });
  }
}

/** A connector key stands for its upstream, and does nothing else. */
export class ConnectorKeyNotAllowed extends HaldirError {
  constructor() {
    super('forbidden', "This operation is closed to connector keys; an operator's key does it", {
      code: 'connector_key_not_allowed',
    });
  }
}

/** What connectors do, whatever scopes a key of another kind has. */
export class ConnectorKeyNeeded extends HaldirError {
  constructor() {
    super('forbidden', 'This operation needs a connector key', { code: 'connector_key_needed' });
  }
}

/** Programs act through keys; a person is not one of them. */
export class PersonNotAllowed extends HaldirError {
  constructor() {
    super('forbidden', 'This operation is closed to people; a key does it', { code: 'person_not_allowed' });
  }
}

/** What is a person's own, whatever scopes a key has. */
export class PersonNeeded extends HaldirError {
  constructor() {
    super('forbidden', 'This operation is for a person who is signed in', { code: 'person_needed' });
  }
}

/**
 * @param scopes any of them is enough
 * @param refusal further members of the 403
 * @throws MissingKeyScope
 */
export function requireKeyScope(caller: Caller, scopes: ScopeDemand['scopes'], refusal?: ScopeDemand['refusal']): void {
  if (scopes.some((scope) => grantsKeyScope(caller.scopes, scope))) return;
  throw new MissingKeyScope(scopes[0], refusal, caller.actor.kind === 'person' ? 'Your role' : undefined);
}
