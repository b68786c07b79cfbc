import { HaldirError, InvalidInput } from '@haldir/kernel';

export class ApprovalNotFound extends HaldirError {
  constructor() {
    super('not_found', 'Approval request not found');
  }
}

export class GrantNotFound extends HaldirError {
  constructor() {
    super('not_found', 'Approval grant not found');
  }
}

/** This call may be approved, and no others with it. */
export class GrantNotPossible extends HaldirError {
  constructor(why: string) {
    super('invalid', why, { code: 'grant_not_possible' });
  }
}

export class TooManyGrants extends HaldirError {
  /** @param of whose they are, in words */
  constructor(max: number, of: string) {
    super('invalid', `${of} has at most ${max} grants that are not used up, over or revoked`, {
      code: 'too_many_grants',
    });
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

/** Nor does a sign-in: the tenant wants it signed. */
export class SignatureRequired extends HaldirError {
  constructor() {
    super(
      'forbidden',
      'This request is approved with a signature, which a person makes with a passkey on the page /approvals/{request_id}; no key approves it',
      { code: 'signature_required' },
    );
  }
}

/** It is of another decision, request, call, person or page, was used or is over, or nobody was verified; which of them nobody is told. */
export class SignatureNotGood extends InvalidInput {
  constructor() {
    super(
      'assertion: expected what navigator.credentials.get made by the options that were answered last for this decision, within five minutes',
      'signature_not_good',
    );
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
