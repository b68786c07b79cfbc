import { HaldirError } from '@haldir/kernel';

export class ToolNotFound extends HaldirError {
  constructor() {
    super('not_found', 'Tool not found');
  }
}

/** What was looked at is not what would be accepted. */
export class OtherDefinition extends HaldirError {
  constructor() {
    super('conflict', 'fingerprint: the upstream defines the tool otherwise by now', { code: 'fingerprint_mismatch' });
  }
}

/** What an upstream says of a tool hides something. */
export class MisleadingDefinition extends HaldirError {
  /** @param reason why, of the tool */
  constructor(reason: string) {
    super('conflict', `The tool cannot be accepted: ${reason}`, { code: 'misleading_definition' });
  }
}

export class PriceNotFound extends HaldirError {
  constructor() {
    super('not_found', 'The tool has no price');
  }
}
