import { HaldirError } from '@haldir/kernel';

/** The same key came with another body, path or query. */
export class IdempotencyMismatch extends HaldirError {
  constructor() {
    super('unprocessable', 'Idempotency-Key was used before with another request', { code: 'idempotency_mismatch' });
  }
}

/** The first request with the key is still being worked on. */
export class IdempotencyInProgress extends HaldirError {
  constructor() {
    super('conflict', 'A request with this Idempotency-Key is in progress', {
      code: 'idempotency_in_progress',
      retryAfterSeconds: 1,
    });
  }
}

/** The process that worked on the request died before it could write down how it went. */
export class OutcomeUnknown extends HaldirError {
  constructor() {
    super('bad_gateway', 'The outcome of the request with this Idempotency-Key is unknown; it is not repeated', {
      code: 'outcome_unknown',
    });
  }
}
