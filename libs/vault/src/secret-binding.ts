/** Tools that a secret may be sent to, without anyone seeing it: one of an upstream, or all of it. */
export interface SecretBinding {
  upstream: string;
  /** The tool's own name; `*` for every tool, and for what Haldir itself sends to the upstream. */
  tool: string;
}

export const EVERY_TOOL = '*';

/** Bindings as they are kept and sealed: `upstream.tool`, each once, in the order of their code units. */
export type Bindings = readonly string[];

export function toBindings(bindings: readonly SecretBinding[]): Bindings {
  return [...new Set(bindings.map(({ upstream, tool }) => `${upstream}.${tool}`))].sort();
}

export function fromBindings(bindings: Bindings): SecretBinding[] {
  return bindings.map((binding) => {
    // Tool names may contain dots, upstream names may not.
    const dot = binding.indexOf('.');
    return { upstream: binding.slice(0, dot), tool: binding.slice(dot + 1) };
  });
}

/** @param tool null for what concerns all tools, such as a header of the upstream */
export function bindsTo(bindings: Bindings, upstream: string, tool: string | null): boolean {
  return bindings.includes(`${upstream}.${EVERY_TOOL}`) || (tool !== null && bindings.includes(`${upstream}.${tool}`));
}

/** What both allow. */
export function inBoth(one: Bindings, other: Bindings): Bindings {
  const within = (some: Bindings, all: Bindings): SecretBinding[] =>
    fromBindings(some).filter(({ upstream, tool }) => bindsTo(all, upstream, tool === EVERY_TOOL ? null : tool));
  return toBindings([...within(one, other), ...within(other, one)]);
}
