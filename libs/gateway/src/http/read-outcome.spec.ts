import { unwrapState } from './protocol/request-state.js';
import { resultOf } from './call-outcome.js';
import { toReadReply } from './read-outcome.js';

it('gives out what an upstream asks with a state that is taken back as it was', () => {
  for (const requestState of ['round-1', 'haldir:', 'haldir:e30']) {
    const result = { resultType: 'input_required', inputRequests: {}, requestState, ttlMs: 5 };
    const { ttlMs, ...given } = resultOf(toReadReply({ kind: 'answered', result }, 'stateless', 'resources/read', {}));
    expect([ttlMs, given]).toMatchObject([undefined, { resultType: 'input_required', inputRequests: {} }]);
    expect(unwrapState(String(given['requestState']))).toEqual({ state: requestState });
  }
});
