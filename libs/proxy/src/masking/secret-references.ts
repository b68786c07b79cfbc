import { isObject } from '@haldir/mcp';
import { isSecretName } from '@haldir/vault';

/** Of a call. */
export type Arguments = Readonly<Record<string, unknown>>;

/** A text in its parts: what stands there, and names of secrets. */
type Part = string | { secret: string };

/** What a call refers to, or the place of a text that looks like a reference and is none. */
export type References = { names: string[] } | { malformed: string };

/** What its writer may have meant as a reference: it is one, is escaped, or is a mistake. */
const LOOKS_LIKE_ONE = /\{\{[\s!]*vault\s*:/giu;
const OPENING = '{{vault:';
const CLOSING = '}}';
/** `{{!vault:` stands for `{{vault:` as a text; one ! of several goes. */
const ESCAPED = /^\{\{!+vault:$/;

const MAX_PLACE = 200;

/** The secrets that texts of the arguments refer to as `{{vault:name}}`, each once; names of members are no such texts. */
export function referencesIn(args: Arguments): References {
  const names = new Set<string>();
  const malformed = visit(args, (text) => {
    const parts = partsOf(text);
    for (const part of parts ?? []) if (typeof part !== 'string') names.add(part.secret);
    return parts !== null;
  });
  return malformed === null ? { names: [...names] } : { malformed: `arguments${malformed}`.slice(0, MAX_PLACE) };
}

/** Whether anything in the arguments has to be replaced, be it only an escape. */
export function mentionsSecrets(args: Arguments): boolean {
  return visit(args, (text) => !isMention(text)) !== null;
}

/**
 * The arguments with each reference replaced by what `valueOf` answers for its name, and each escape by what it stands for.
 *
 * @param args of which `referencesIn` said nothing malformed
 */
export function withReferences(args: Arguments, valueOf: (name: string) => string): Record<string, unknown> {
  return replaced(args, valueOf) as Record<string, unknown>;
}

function replaced(value: unknown, valueOf: (name: string) => string): unknown {
  if (typeof value === 'string') {
    const parts = partsOf(value) ?? [value];
    return parts.map((part) => (typeof part === 'string' ? part : valueOf(part.secret))).join('');
  }
  if (Array.isArray(value)) return value.map((item) => replaced(item, valueOf));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, replaced(member, valueOf)]));
}

/** The place within `value` of the first text that `isFine` denies; null when there is none. */
function visit(value: unknown, isFine: (text: string) => boolean): string | null {
  if (typeof value === 'string') return isFine(value) ? null : '';
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const found = visit(value[i], isFine);
      if (found !== null) return `[${i}]${found}`;
    }
  } else if (isObject(value)) {
    for (const key of Object.keys(value)) {
      const found = visit(value[key], isFine);
      if (found !== null) return `.${key}${found}`;
    }
  }
  return null;
}

function isMention(text: string): boolean {
  if (!text.includes('{{')) return false;
  LOOKS_LIKE_ONE.lastIndex = 0;
  return LOOKS_LIKE_ONE.test(text);
}

/** Null when something in it looks like a reference and is none. */
function partsOf(text: string): Part[] | null {
  if (!text.includes('{{')) return [text];
  const parts: Part[] = [];
  let at = 0;
  LOOKS_LIKE_ONE.lastIndex = 0;
  for (let found = LOOKS_LIKE_ONE.exec(text); found; found = LOOKS_LIKE_ONE.exec(text)) {
    const [opening] = found;
    const from = found.index + opening.length;
    parts.push(text.slice(at, found.index));
    if (ESCAPED.test(opening)) {
      parts.push(opening.replace('!', ''));
      at = from;
      continue;
    }
    const end = text.indexOf(CLOSING, from);
    const name = text.slice(from, end);
    if (opening !== OPENING || end === -1 || !canBeReferredTo(name)) return null;
    parts.push({ secret: name });
    at = end + CLOSING.length;
    LOOKS_LIKE_ONE.lastIndex = at;
  }
  parts.push(text.slice(at));
  return parts;
}

/** What a secret may be called beyond that, it cannot be referred to by. */
function canBeReferredTo(name: string): boolean {
  return isSecretName(name) && name.trim() === name && !name.includes('{{');
}
