/**
 * A tool whose name holds one of these, anywhere and in any case, counts as destructive: what it does can hardly be taken back.
 * Part of the API: the documentation of the `destructive` rule lists them.
 */
export const DESTRUCTIVE_VERBS = [
  'delete', 'drop', 'remove', 'destroy', 'wipe', 'erase', 'purge', 'truncate', 'uninstall', 'terminate', 'revoke',
  'write', 'send', 'execute', 'transfer',
] as const; // prettier-ignore

/** Whether a tool is destructive: by its MCP annotation `destructiveHint`, or by its own name (without its upstream's). */
export function isDestructive(toolName: string, annotations?: Readonly<Record<string, unknown>> | null): boolean {
  if (annotations?.['destructiveHint'] === true) return true;
  const name = toolName.toLowerCase();
  return DESTRUCTIVE_VERBS.some((verb) => name.includes(verb));
}
