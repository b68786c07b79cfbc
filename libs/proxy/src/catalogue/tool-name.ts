/** `upstream.tool`: how people, rules and the log speak of a tool. */
export function qualifiedName({ name, tool }: { name: string; tool: string }): string {
  return `${name}.${tool}`;
}

/** `upstream.tool` in its parts; null for a name without a dot that could divide them. */
export function splitToolName(name: string): { upstream: string; tool: string } | null {
  const [, upstream, tool] = /^([A-Za-z0-9_-]{1,64})\.(.+)$/s.exec(name) ?? [];
  return upstream === undefined || tool === undefined ? null : { upstream, tool };
}
