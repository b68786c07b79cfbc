const MAX_DEPTH = 256;

/**
 * Parses JSON of strangers. Nesting is bounded, because what is parsed will be walked and written again by recursion.
 *
 * @throws SyntaxError when it is no JSON, or nested more than 256 deep
 */
export function parseBounded(text: string): unknown {
  // Shorter text cannot nest deeper than anyone's stack; most answers are shorter.
  if (text.length > 2 * MAX_DEPTH && !isShallow(text)) throw new SyntaxError('nested too deeply');
  return JSON.parse(text);
}

function isShallow(text: string): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === 34) {
      i = endOfString(text, i + 1);
    } else if (char === 91 || char === 123) {
      if (++depth > MAX_DEPTH) return false;
    } else if (char === 93 || char === 125) {
      depth--;
    }
  }
  return true;
}

/** The index of the quote that ends the string whose contents begin at `from`. */
function endOfString(text: string, from: number): number {
  let quote = text.indexOf('"', from);
  while (quote !== -1) {
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === 92) backslashes++;
    if (backslashes % 2 === 0) return quote;
    quote = text.indexOf('"', quote + 1);
  }
  return text.length;
}
