/** What the APIs of models take as a tool's name. */
const MODEL_NAME = /^[A-Za-z0-9_-]{1,64}$/;
export const MAX_MODEL_NAME = 64;

export function isModelName(name: string): boolean {
  return MODEL_NAME.test(name);
}

/** `upstream.tool`: how people, rules and the log speak of a tool. */
export function qualifiedName({ name, tool }: { name: string; tool: string }): string {
  return `${name}.${tool}`;
}

/** `upstream.tool` in its parts; null for a name without a dot that could divide them. */
export function splitToolName(name: string): { upstream: string; tool: string } | null {
  const [, upstream, tool] = /^([A-Za-z0-9_-]{1,64})\.(.+)$/s.exec(name) ?? [];
  return upstream === undefined || tool === undefined ? null : { upstream, tool };
}

/** Whether a name reads like that of a tool of an upstream that is or was there: `upstream.tool`, or as models call it. */
export function isOfUpstream(name: string, upstreams: ReadonlySet<string>): boolean {
  const prefix = splitToolName(name)?.upstream;
  if (prefix !== undefined && upstreams.has(prefix)) return true;
  for (let at = name.indexOf('__'); at >= 0; at = name.indexOf('__', at + 1))
    if (upstreams.has(name.slice(0, at))) return true;
  return false;
}
