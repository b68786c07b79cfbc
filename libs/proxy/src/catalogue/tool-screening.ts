import { stringifyJson, Turns, visibleText } from '@haldir/kernel';
import { fingerprintOf, type ListedDefinition } from './tool-definition.js';
import { MAX_DEFINITION_CHARS, type RefusedDefinition, type ToolList, type UpstreamTool } from '../mcp-client/index.js';

export interface ScreenedTools {
  /** Those that may be taken, and those that are pinned: what is refused of one of these is a change of it. */
  tools: ListedDefinition[];
  refused: RefusedDefinition[];
}

/** Shows as nothing or as a space, or is no character that everybody can show. */
const MISLEADING_IN_NAME = /[\p{C}\p{DI}\u2800]|(?! )\p{Z}|^ | $/u;
/** Turns text around, or is read by models and shown to nobody; a flag or an emoji hides three in a row at most. */
const MISLEADING_IN_TEXT = /[\p{Bidi_C}\u{e0000}-\u{e007f}]|\p{DI}{4}/u;

/**
 * Sorts out the tools of a list that would mislead whoever reads them: names or texts that hide characters, names that differ
 * only in what nobody sees (NFKC and lower case are equal). Of such names the one that is pinned counts; else none. In turns.
 * What no client could read was refused before, and is among the refused.
 *
 * @param pinned names of the registration's tools, those included that it no longer offers
 */
export async function screenTools(list: ToolList, pinned: readonly string[]): Promise<ScreenedTools> {
  const { tools: listed, refused } = list;
  const turns = new Turns();
  const known = new Set(pinned);
  const holders = new Map<string, Set<string>>();
  for (const name of [...listed.map((tool) => tool.name), ...pinned]) {
    if (turns.isOver) await turns.next();
    const folded = foldedName(name);
    const names = holders.get(folded);
    if (names) names.add(name);
    else holders.set(folded, new Set([name]));
  }
  const collides = (name: string): boolean => !known.has(name) && (holders.get(foldedName(name))?.size ?? 0) > 1;
  const screened: ScreenedTools = { tools: [], refused: [...refused] };
  for (const tool of listed) {
    if (turns.isOver) await turns.next();
    const reason = reasonAgainst(tool, collides);
    if (reason === null || known.has(tool.name)) screened.tools.push({ tool, fingerprint: fingerprintOf(tool) });
    if (reason !== null) screened.refused.push({ name: visibleText(tool.name), reason });
  }
  return screened;
}

/** Whether a name or a text hides something from whoever reads it, or turns it around. */
export function isMisleading(name: string, text: string): boolean {
  return text.length > MAX_DEFINITION_CHARS || MISLEADING_IN_NAME.test(name) || MISLEADING_IN_TEXT.test(text);
}

/** What names have in common that look alike to people and models. */
export function foldedName(name: string): string {
  return name.normalize('NFKC').toLowerCase();
}

function reasonAgainst(tool: UpstreamTool, collides: (name: string) => boolean): string | null {
  if (MISLEADING_IN_NAME.test(tool.name)) return 'its name has characters that do not show';
  if (collides(tool.name)) return 'its name looks like that of another tool of the upstream';
  return reasonAgainstDefinition(tool);
}

/** Why what an upstream says of a tool is not taken, whatever its name; null when nothing is against it. */
export function reasonAgainstDefinition(tool: UpstreamTool): string | null {
  const text = stringifyJson(tool);
  if (text.length > MAX_DEFINITION_CHARS) return `its definition is longer than ${MAX_DEFINITION_CHARS} characters`;
  return MISLEADING_IN_TEXT.test(text) ? 'its definition has characters that turn text around or do not show' : null;
}
