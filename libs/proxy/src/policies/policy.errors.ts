import { HaldirError } from '@haldir/kernel';

export class PolicyNotFound extends HaldirError {
  constructor() {
    super('not_found', 'Policy not found');
  }
}

export class TooManyPolicies extends HaldirError {
  constructor(max: number) {
    super('invalid', `A tenant has at most ${max} policies`, { code: 'too_many_policies' });
  }
}
