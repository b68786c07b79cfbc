import { HaldirError } from '@haldir/kernel';

export class TooManyUpstreams extends HaldirError {
  constructor(max: number) {
    super('invalid', `A tenant has at most ${max} upstreams`, { code: 'too_many_upstreams' });
  }
}
