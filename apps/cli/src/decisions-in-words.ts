import { type DecisionCount } from '@haldir/verifier';

/** What a check found of signed decisions. */
export function decisionsInWords({ signed, erased }: DecisionCount): string {
  const found = signed === 0 ? 'none, so none was checked' : `${signed} checked, and good`;
  return erased === 0 ? found : `${found}; of ${erased} decisions the details were erased, so nobody can tell`;
}
