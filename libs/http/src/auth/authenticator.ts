import { HaldirError } from '@haldir/kernel';
import { type Caller, grantsKeyScope, type KeyScope, type ScopeDemand } from './caller.js';

/** Knows API keys. Implemented by gate, so that `http` need not know it. */
export abstract class Authenticator {
  /** The caller behind a key as it was sent, or null when it is malformed, unknown or revoked. */
  abstract authenticate(key: string): Promise<Caller | null>;
}

export class Unauthenticated extends HaldirError {
  readonly kind = 'unauthorized';
  constructor(message = 'Missing, invalid, or revoked API key') {
    super(message);
  }
}

export class MissingKeyScope extends HaldirError {
  readonly kind = 'forbidden';
  constructor(
    private readonly required: KeyScope,
    private readonly refusal: ScopeDemand['refusal'] = {},
  ) {
    super(`The API key lacks the scope ${required}`);
  }
  override get code(): string {
    return 'insufficient_scope';
  }
  override get details(): Readonly<Record<string, unknown>> {
    return { required: this.required, ...this.refusal };
  }
}

/** An agent key acts; whatever is not open to it in so many words is closed to it, whatever its scopes. */
export class AgentKeyNotAllowed extends HaldirError {
  readonly kind = 'forbidden';
  constructor(what = 'This operation') {
    super(`${what} is closed to agent keys; an operator's key does it`);
  }
  override get code(): string {
    return 'agent_key_not_allowed';
  }
}

/**
 * @param scopes any of them is enough
 * @param refusal further members of the 403
 * @throws MissingKeyScope
 */
export function requireKeyScope(caller: Caller, scopes: ScopeDemand['scopes'], refusal?: ScopeDemand['refusal']): void {
  if (!scopes.some((scope) => grantsKeyScope(caller.scopes, scope))) throw new MissingKeyScope(scopes[0], refusal);
}
