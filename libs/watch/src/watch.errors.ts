import { HaldirError } from '@haldir/kernel';

export class AuditEntryNotFound extends HaldirError {
  readonly kind = 'not_found';
  constructor() {
    super('Audit entry not found');
  }
}

export class AuditRuleNotFound extends HaldirError {
  readonly kind = 'not_found';
  constructor() {
    super('Audit rule not found');
  }
}

/** The entry has no details, or they were erased before, or it is the record of an erasure. */
export class NothingToErase extends HaldirError {
  readonly kind = 'conflict';
  constructor() {
    super('The entry has no details that can be erased');
  }
  override get code(): string {
    return 'nothing_to_erase';
  }
}
