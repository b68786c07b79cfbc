import { InvalidInput, type MicroUsd, minorToMicros, settledUnits } from '@haldir/kernel';

/** Session scopes as they are stored, and the budget that `spend:N` among them grants. */
export interface ParsedScopes {
  scopes: string[];
  /** Null when no `spend:N` was asked for. */
  budget: MicroUsd | null;
}

/** As programs compute it, too: 3.3000000000000003 is 3.30. */
const AMOUNT = /^\d{1,10}(?:\.\d{1,20})?$/;

/**
 * `spend:N` becomes `spend` and a budget of N US dollars (the largest, if several); every other scope is kept whole.
 *
 * @throws InvalidInput when N is not an amount with at most two decimals
 */
export function parseScopes(requested: readonly string[]): ParsedScopes {
  const scopes: string[] = [];
  let budget: MicroUsd | null = null;
  for (const scope of requested) {
    let name = scope;
    if (scope.startsWith('spend:')) {
      const text = scope.slice('spend:'.length);
      const cents = AMOUNT.test(text) ? settledUnits(text, 2) : null;
      if (cents === null) throw new InvalidInput('scopes: expected spend:N with N an amount of at most two decimals');
      const amount = minorToMicros(cents, 2) as MicroUsd;
      if (budget === null || amount > budget) budget = amount;
      name = 'spend';
    }
    if (!scopes.includes(name)) scopes.push(name);
  }
  return { scopes, budget };
}

/** Whether scopes hold `required`: through `admin`, itself, or its part before the first colon. */
export function holdsScope(scopes: readonly string[], required: string): boolean {
  if (scopes.includes('admin') || scopes.includes(required)) return true;
  const colon = required.indexOf(':');
  return colon > 0 && scopes.includes(required.slice(0, colon));
}
