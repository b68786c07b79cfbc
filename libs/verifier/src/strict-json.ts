/**
 * A JSON object whose members, at any depth, are named once each: `JSON.parse` takes the last of two, so that what one reader
 * shows another may never have seen.
 *
 * @throws SyntaxError for anything else
 */
export function parseStrictObject(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new SyntaxError('not a JSON object');
  // As our own lines are; a member that stood twice would be in it once.
  if (JSON.stringify(value) === text) return value as Record<string, unknown>;
  const open: Set<string>[] = [];
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '{' || char === '[') open.push(new Set());
    else if (char === '}' || char === ']') open.pop();
    if (char !== '"') continue;
    const start = at++;
    for (; text[at] !== '"'; at++) if (text[at] === '\\') at++;
    let next = at + 1;
    while (/^[ \t\r\n]$/.test(text.charAt(next))) next++;
    if (text[next] !== ':') continue;
    const name = JSON.parse(text.slice(start, at + 1)) as string;
    if (open.at(-1)?.has(name)) throw new SyntaxError(`the member ${JSON.stringify(name)} stands twice`);
    open.at(-1)?.add(name);
  }
  return value as Record<string, unknown>;
}
