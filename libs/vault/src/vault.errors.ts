import { HaldirError } from '@haldir/kernel';

/** The tenant has no such secret, or one whose sealed value does not open where it stands. */
export class SecretNotFound extends HaldirError {
  readonly kind = 'not_found';
  constructor() {
    super('Secret not found');
  }
}

/** The session is live, and does not hold the scope that the secret asks for. */
export class SecretScopeMissing extends HaldirError {
  readonly kind = 'forbidden';
  constructor(private readonly required: string) {
    super('The session lacks the scope that the secret requires');
  }
  override get code(): string {
    return 'missing_scope';
  }
  override get details(): Readonly<Record<string, unknown>> {
    return { required: this.required };
  }
}
