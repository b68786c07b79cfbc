import { HaldirError } from '@haldir/kernel';

/** A command, as clients are given that start servers themselves, stands where the URL of an upstream should. */
export class CommandGiven extends HaldirError {
  constructor() {
    super(
      'invalid',
      'url: expected the http or https URL of a server that runs; Haldir starts no command: run it behind a bridge from stdio to Streamable HTTP, and register the URL of the bridge',
      { code: 'egress_refused', details: { field: 'url' } },
    );
  }
}

/** The address of an upstream that connectors stand for, which nobody registers. */
export class ConnectorUrlGiven extends HaldirError {
  constructor() {
    super('invalid', 'url: expected an http or https URL; `haldir connect` registers an upstream of its own', {
      code: 'egress_refused',
      details: { field: 'url' },
    });
  }
}

export class TooManyUpstreams extends HaldirError {
  constructor(max: number) {
    super('invalid', `A tenant has at most ${max} upstreams`, { code: 'too_many_upstreams' });
  }
}
