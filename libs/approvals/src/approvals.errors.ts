import { HaldirError, InvalidInput } from '@haldir/kernel';

export class ApprovalNotFound extends HaldirError {
  constructor() {
    super('not_found', 'Approval request not found');
  }
}

export class ApprovalRuleNotFound extends HaldirError {
  constructor() {
    super('not_found', 'Approval rule not found');
  }
}

/** Someone else was faster, or the same decision came twice. */
export class ApprovalAlreadyDecided extends HaldirError {
  constructor(status: 'approved' | 'denied') {
    super('invalid', `Approval request was already ${status}`, { code: 'already_decided' });
  }
}

export class ApprovalExpired extends HaldirError {
  constructor() {
    super('invalid', 'Approval request has expired', { code: 'approval_expired' });
  }
}

/** The tenant wants another key to decide than the one that asked or opened the session. */
export class SelfApproval extends HaldirError {
  constructor() {
    super('forbidden', 'Whoever asked, or opened the session, may not decide', { code: 'self_approval' });
  }
}

export class TooManyApprovalRules extends HaldirError {
  constructor(max: number) {
    super('invalid', `A tenant has at most ${max} approval rules`, { code: 'too_many_rules' });
  }
}

/** What cannot be kept whole cannot be shown whole, and nobody is to approve what they cannot see. */
export class DetailsTooLong extends InvalidInput {
  constructor(max: number) {
    super(`details: expected at most ${max} characters, hidden ones counted as they are shown`, 'details_too_long');
  }
}
