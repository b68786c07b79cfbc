import { HaldirError, InvalidInput } from '@haldir/kernel';

export class ApprovalNotFound extends HaldirError {
  readonly kind = 'not_found';
  constructor() {
    super('Approval request not found');
  }
}

export class ApprovalRuleNotFound extends HaldirError {
  readonly kind = 'not_found';
  constructor() {
    super('Approval rule not found');
  }
}

/** Someone else was faster, or the same decision came twice. */
export class ApprovalAlreadyDecided extends HaldirError {
  readonly kind = 'invalid';
  constructor(status: 'approved' | 'denied') {
    super(`Approval request was already ${status}`);
  }
  override get code(): string {
    return 'already_decided';
  }
}

export class ApprovalExpired extends HaldirError {
  readonly kind = 'invalid';
  constructor() {
    super('Approval request has expired');
  }
  override get code(): string {
    return 'approval_expired';
  }
}

/** The tenant wants another key to decide than the one that asked or opened the session. */
export class SelfApproval extends HaldirError {
  readonly kind = 'forbidden';
  constructor() {
    super('The key that asked, or opened the session, may not decide');
  }
  override get code(): string {
    return 'self_approval';
  }
}

export class TooManyApprovalRules extends HaldirError {
  readonly kind = 'invalid';
  constructor(max: number) {
    super(`A tenant has at most ${max} approval rules`);
  }
  override get code(): string {
    return 'too_many_rules';
  }
}

/** What cannot be kept whole cannot be shown whole, and nobody is to approve what they cannot see. */
export class DetailsTooLong extends InvalidInput {
  constructor(max: number) {
    super(`details: expected at most ${max} characters, hidden ones counted as they are shown`, 'details_too_long');
  }
}
