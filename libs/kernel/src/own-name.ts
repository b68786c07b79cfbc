/** Letters that people take for those of the name; case is folded before. */
const LOOK_ALIKES: Readonly<Record<string, string>> = {
  l: 'i', '1': 'i', '|': 'i', '!': 'i', ı: 'i', і: 'i', ӏ: 'i', ι: 'i', ᛁ: 'i', ꙇ: 'i', ǀ: 'i', ɩ: 'i', ɪ: 'i', ʟ: 'i',
  а: 'a', α: 'a', ɑ: 'a', ᴀ: 'a', '4': 'a', '@': 'a', һ: 'h', ʜ: 'h', հ: 'h', н: 'h',
  ԁ: 'd', ɗ: 'd', ᴅ: 'd', ꓒ: 'd', г: 'r', ʀ: 'r', ꭇ: 'r', ꭈ: 'r',
}; // prettier-ignore
/** As `haldir` reads once look-alikes are folded. */
const OWN = 'haidir';

/**
 * Whether a name reads as one of Haldir's own, `haldir` or `haldir.…`, whatever its case, its separators, what hides in it or
 * which alphabet its letters are from: under such names Haldir alone writes.
 */
export function readsAsOwn(name: string): boolean {
  const letters = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\p{M}\p{C}\p{DI}\s\u2800]/gu, '')
    .replace(/^[^\p{L}\p{N}|!@]+/u, '');
  let at = 0;
  for (const letter of letters) {
    if (at === OWN.length) return !/[\p{L}\p{N}]/u.test(letter);
    if ((LOOK_ALIKES[letter] ?? letter) !== OWN[at]) return false;
    at++;
  }
  return at === OWN.length;
}
