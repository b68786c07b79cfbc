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
