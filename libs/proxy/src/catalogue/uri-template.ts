/** A template's texts, and between them its expressions. */
interface Parts {
  literals: string[];
  /** Whether each expression stands for something without `/`, `?` and `#`, as the simple `{name}` does. */
  simple: boolean[];
}

const SEPARATORS = /[/?#]/;

/**
 * Whether a URI can come of an RFC 6570 template. Each expression is taken for the shortest text that lets what follows it
 * match, in time that grows with the lengths and no faster, whoever wrote the template; so a few URIs are not recognised.
 */
export function matchesTemplate(template: string, uri: string): boolean {
  const { literals, simple } = partsOf(template);
  const [first = ''] = literals;
  if (simple.length === 0 || !uri.startsWith(first)) return false;
  let at = first.length;
  for (const [i, isSimple] of simple.entries()) {
    const literal = literals[i + 1] ?? '';
    const isLast = i === simple.length - 1;
    const from = isSimple ? at + 1 : at;
    const end = isLast ? uri.length - literal.length : uri.indexOf(literal, from);
    if (end < from || !uri.startsWith(literal, end)) return false;
    if (isSimple && SEPARATORS.test(uri.slice(at, end))) return false;
    at = end + literal.length;
  }
  return at === uri.length;
}

function partsOf(template: string): Parts {
  const parts: Parts = { literals: [], simple: [] };
  let at = 0;
  for (const { 0: expression, index } of template.matchAll(/\{[^{}]*\}/g)) {
    parts.literals.push(template.slice(at, index));
    parts.simple.push(/^\{[\w%.,:*]+\}$/.test(expression) && !expression.startsWith('{.'));
    at = index + expression.length;
  }
  parts.literals.push(template.slice(at));
  return parts;
}
