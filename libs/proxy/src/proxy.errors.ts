import { HaldirError } from '@haldir/kernel';

export class UpstreamNotFound extends HaldirError {
  readonly kind = 'not_found';
  constructor() {
    super('Upstream not found');
  }
}

export class PolicyNotFound extends HaldirError {
  readonly kind = 'not_found';
  constructor() {
    super('Policy not found');
  }
}

export class TooManyPolicies extends HaldirError {
  readonly kind = 'invalid';
  constructor(max: number) {
    super(`A tenant has at most ${max} policies`);
  }
  override get code(): string {
    return 'too_many_policies';
  }
}

export class TooManyUpstreams extends HaldirError {
  readonly kind = 'invalid';
  constructor(max: number) {
    super(`A tenant has at most ${max} upstreams`);
  }
  override get code(): string {
    return 'too_many_upstreams';
  }
}
