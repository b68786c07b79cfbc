import { UsageError } from '../command.js';

const REFERENCE = /\{\{vault:([^{}]+)\}\}/g;

/** The secrets that texts refer to as `{{vault:name}}`, each once. @throws UsageError for what looks like one and is none */
export function secretsIn(texts: Iterable<string>): string[] {
  const names = new Set<string>();
  for (const text of texts) {
    for (const [, name = ''] of text.matchAll(REFERENCE)) names.add(name);
    if (/\{\{\s*vault/i.test(text.replace(REFERENCE, '')))
      throw new UsageError('a secret is referred to as {{vault:name}}, in just these characters');
  }
  return [...names];
}

/** The text with each reference replaced by the secret's value. */
export function filled(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(REFERENCE, (reference, name: string) => values.get(name) ?? reference);
}

/** A line of a secret that is shorter tells nothing of it, and is in many texts. */
const MIN_LINE_CHARS = 6;

/** A line with no value of a secret in it, nor a line of one, whatever a server says on its standard error. */
export function withoutSecrets(line: string, values: ReadonlyMap<string, string>): string {
  const hidden = [...values].flatMap(([name, value]) => {
    const lines = value.split(/[\r\n]+/).filter((each) => each.length >= MIN_LINE_CHARS);
    return [...new Set([value, ...lines])].filter((text) => text !== '').map((text) => [name, text] as const);
  });
  // One may be part of another.
  hidden.sort(([, a], [, b]) => b.length - a.length);
  let shown = line;
  for (const [name, text] of hidden) shown = shown.replaceAll(text, () => `{{vault:${name}}}`);
  return shown;
}
