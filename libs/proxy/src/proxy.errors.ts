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

export class PriceNotFound extends HaldirError {
  readonly kind = 'not_found';
  constructor() {
    super('The tool has no price');
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

export class ToolNotFound extends HaldirError {
  readonly kind = 'not_found';
  constructor() {
    super('Tool not found');
  }
}

/** What was looked at is not what would be accepted. */
export class OtherDefinition extends HaldirError {
  readonly kind = 'conflict';
  constructor() {
    super('fingerprint: the upstream defines the tool otherwise by now');
  }
  override get code(): string {
    return 'fingerprint_mismatch';
  }
}

/** What an upstream says of a tool hides something. */
export class MisleadingDefinition extends HaldirError {
  readonly kind = 'conflict';
  /** @param reason why, of the tool */
  constructor(reason: string) {
    super(`The tool cannot be accepted: ${reason}`);
  }
  override get code(): string {
    return 'misleading_definition';
  }
}
