import { InvalidInput } from '@haldir/kernel';
import { holdsScope, parseScopes } from './session-scopes.js';

it('turns spend:N into spend and a budget', () => {
  expect(parseScopes(['read', 'spend:12.50'])).toEqual({ scopes: ['read', 'spend'], budget: 12_500_000n });
  expect(parseScopes([`spend:${3 * 1.1}`])).toEqual({ scopes: ['spend'], budget: 3_300_000n });
});

it.each(['spend:abc', 'spend:-5', 'spend:', 'spend:1.005', 'spend:1e3', 'spend:Infinity'])('refuses %s', (scope) => {
  expect(() => parseScopes([scope])).toThrow(InvalidInput);
});

it('keeps every other scope whole, so that stripe:refund is no stripe:charge', () => {
  const { scopes } = parseScopes(['stripe:refund']);
  expect(holdsScope(scopes, 'stripe:refund')).toBe(true);
  expect(holdsScope(scopes, 'stripe:charge')).toBe(false);
  expect(holdsScope(scopes, 'stripe')).toBe(false);
});

it('lets admin and the part before the colon hold everything below them', () => {
  expect(holdsScope(['admin'], 'anything:at:all')).toBe(true);
  expect(holdsScope(['stripe'], 'stripe:charge:eu')).toBe(true);
  expect(holdsScope(['read'], 'write')).toBe(false);
});
