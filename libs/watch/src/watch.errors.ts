import { HaldirError } from '@haldir/kernel';

export class AuditEntryNotFound extends HaldirError {
  constructor() {
    super('not_found', 'Audit entry not found');
  }
}

export class AuditRuleNotFound extends HaldirError {
  constructor() {
    super('not_found', 'Audit rule not found');
  }
}

/** The entry has no details, or they were erased before, or it is the record of an erasure. */
export class NothingToErase extends HaldirError {
  constructor() {
    super('conflict', 'The entry has no details that can be erased', { code: 'nothing_to_erase' });
  }
}

/** More streams of events are open than may be. */
export class TooManyTails extends HaldirError {
  constructor() {
    super('limited', 'Too many streams of events are open; close one, or read the log page by page', {
      code: 'too_many_streams',
      retryAfterSeconds: 15,
    });
  }
}
