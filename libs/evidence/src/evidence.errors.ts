import { HaldirError } from '@haldir/kernel';

export class EvidenceNotFound extends HaldirError {
  constructor() {
    super('not_found', 'Evidence not found');
  }
}

/** It is still made, or was not made. */
export class EvidenceNotReady extends HaldirError {
  constructor() {
    super(
      'conflict',
      'The evidence cannot be downloaded; getEvidencePackage says how far it is, or why there is none',
      {
        code: 'evidence_not_ready',
      },
    );
  }
}

/** More is made for the tenant, or kept, than may be. */
export class TooMuchEvidence extends HaldirError {
  constructor(what: string) {
    super('conflict', `${what}; delete one that is not needed, or wait`, { code: 'too_much_evidence' });
  }
}

/** Whoever makes it has it no more: it was deleted, or taken up by another. */
export class EvidenceTaken extends Error {}

/** The process ends, and leaves it to another. */
export class EvidenceLeft extends Error {}

/** A package is no longer than this. */
export class EvidenceTooLong extends HaldirError {
  constructor(maxBytes: number) {
    super('too_large', `The package would be longer than ${maxBytes} bytes`);
  }
}
