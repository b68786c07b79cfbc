/** A part of a sentence: words of ours, or a name that somebody gave. */
export type Word = string | { name: string };

/** `a`, `a and b`, `a, b and c`. */
export function listed(names: readonly string[], last: 'and' | 'or'): Word[] {
  return names.flatMap((name, at): Word[] => {
    const before = at === 0 ? [] : [at === names.length - 1 ? ` ${last} ` : ', '];
    return [...before, { name }];
  });
}
