import { HaldirError } from '@haldir/kernel';

export class UpstreamNotFound extends HaldirError {
  constructor() {
    super('not_found', 'Upstream not found');
  }
}
