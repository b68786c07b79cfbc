import { HaldirError } from '@haldir/kernel';

/** The key stands for another upstream than the one that the path names. */
export class ConnectorKeyElsewhere extends HaldirError {
  constructor(upstream: string) {
    super('forbidden', `This connector key is for the upstream ${JSON.stringify(upstream)}, and for no other`, {
      code: 'other_upstream',
      details: { upstream },
    });
  }
}

/** The instance has no lease, or none any more. */
export class LeaseLost extends HaldirError {
  constructor() {
    super('conflict', 'The instance has no lease (any more); make it again', { code: 'lease_lost' });
  }
}

/** What has the name is no upstream of connectors. */
export class UpstreamExists extends HaldirError {
  constructor() {
    super('conflict', 'An upstream of that name is registered with a URL of its own; remove it first', {
      code: 'upstream_exists',
    });
  }
}

/** Somebody has removed the upstream while the instance had a lease. */
export class ConnectedUpstreamRemoved extends HaldirError {
  constructor() {
    super('conflict', 'The upstream was removed; start the connector again to register it anew', {
      code: 'upstream_removed',
    });
  }
}

export class TooManyInstances extends HaldirError {
  constructor(max: number) {
    super('limited', `An upstream has at most ${max} connectors at once`, {
      code: 'too_many_connectors',
      retryAfterSeconds: 30,
    });
  }
}

export class TooManyClaims extends HaldirError {
  constructor() {
    super('limited', 'As many claims of it wait already as may at once', {
      code: 'too_many_claims',
      retryAfterSeconds: 1,
    });
  }
}

export class TooManyAnswers extends HaldirError {
  constructor() {
    super('limited', 'As many parts of answers of the tenant are on their way already as may at once', {
      code: 'too_many_answers',
      retryAfterSeconds: 1,
    });
  }
}

/** Whether there are such secrets is not said, nor what they were called. */
export class SecretNotAllowed extends HaldirError {
  /** @param positions of their names in `names` */
  constructor(positions: readonly number[]) {
    const members = positions.map((position) => `names[${position}]`).join(', ');
    super('forbidden', `${members}: not among the secrets that the connector key was given`, {
      code: 'secret_not_allowed',
    });
  }
}

/** A secret that the key was given cannot be told. */
export class SecretUnusable extends HaldirError {
  constructor(name: string, reason: string) {
    super(
      'unprocessable',
      `The secret ${JSON.stringify(name)}, which the connector key was given, cannot be told: ${reason}`,
      {
        code: 'secret_unusable',
        details: { name, reason },
      },
    );
  }
}
