export type Annotations = Readonly<Record<string, unknown>> | null;

/** The same as of the API's rule `destructive`, which lists them in its documentation. */
const DESTRUCTIVE_VERBS = [
  'delete', 'drop', 'remove', 'destroy', 'wipe', 'erase', 'purge', 'truncate', 'uninstall', 'terminate', 'revoke',
  'write', 'send', 'execute', 'transfer',
] as const; // prettier-ignore

/** Whether a tool is destructive, as that rule has it: by its MCP annotation `destructiveHint`, or by its own name. */
export function isDestructive(toolName: string, annotations: Annotations | undefined): boolean {
  if (annotations?.['destructiveHint'] === true) return true;
  const name = toolName.toLowerCase();
  return DESTRUCTIVE_VERBS.some((verb) => name.includes(verb));
}
