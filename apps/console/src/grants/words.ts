import { listed, type Word } from '../parts/words.ts';
import { type Grant } from './grants.ts';

/** Which calls a grant is for, in a sentence. */
export function alikeWords({
  arguments: names,
  free_arguments: free,
}: Pick<Grant, 'arguments' | 'free_arguments'>): Word[] {
  if (names.length === 0) return ['Calls without arguments'];
  const fixed = names.filter((name) => !free.includes(name));
  if (free.length === 0) return ['Calls with the same ', ...listed(fixed, 'and')];
  return [
    'Calls with any ',
    ...listed(free, 'and'),
    ...(fixed.length === 0 ? [] : [', and the same ', ...listed(fixed, 'and')]),
  ];
}
