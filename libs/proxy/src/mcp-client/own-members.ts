import { isObject, type JsonObject, META } from '@haldir/mcp';

/** Without one of these, in whatever escapes, a text has no member that Haldir says of itself. */
const MAY_HAVE = /haldir|serverInfo|\\u|\\\/|[^\0-\x7f]/i;
const OWN = 'haldir/';

/**
 * The message without what only Haldir says: members of `_meta` under its name, wherever they stand, who the server is, and that
 * it was Haldir that refused. What a tool hands over as its own data (`structuredContent`) stays as it is.
 */
export function withoutOwnMembers(message: unknown, text: string): unknown {
  if (!MAY_HAVE.test(text)) return message;
  const cleaned = clean(message);
  const error = isObject(cleaned) ? cleaned['error'] : undefined;
  if (!isObject(cleaned) || !isObject(error) || !isObject(error['data']) || error['data']['blocked_by'] !== 'haldir')
    return cleaned;
  const { blocked_by: _, ...data } = error['data'];
  return { ...cleaned, error: { ...error, data } };
}

/** Whether only Haldir may call something this, however it is written. */
export function isOwnName(name: string): boolean {
  return name.normalize('NFKC').toLowerCase().startsWith(OWN);
}

/** The same value where nothing is taken out. */
function clean(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(clean);
    return items.every((item, i) => item === value[i]) ? value : items;
  }
  if (!isObject(value)) return value;
  let changed: JsonObject | null = null;
  for (const [key, member] of Object.entries(value)) {
    if (key === 'structuredContent') continue;
    const cleaned = key === '_meta' && isObject(member) ? ofOthers(member) : clean(member);
    if (cleaned !== member) changed = { ...(changed ?? value), [key]: cleaned };
  }
  return changed ?? value;
}

function ofOthers(meta: JsonObject): JsonObject {
  const names = Object.keys(meta);
  const others = names.filter((name) => !isOwnName(name) && name !== META.serverInfo);
  return others.length === names.length ? meta : Object.fromEntries(others.map((name) => [name, meta[name]]));
}
