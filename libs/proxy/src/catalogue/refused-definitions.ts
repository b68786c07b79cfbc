import { type Tx } from '@haldir/database';
import { type Log } from '@haldir/runtime';
import { type RefusedDefinition, type RefusedResources, type ResourceKind } from '../mcp-client/index.js';
import { type RefusedByKind, type RefusedDefinitions } from '../upstreams/upstream.entity.js';

/** Kept of the tools of an upstream, and of each of its other lists. */
const MAX_TOOLS = 100;
const MAX_OTHERS = 25;
const MAX_NAME_CHARS = 128;
/** That an audit entry names, and a line of the process's log. */
const MAX_NAMED = 20;
const MAX_TOLD = 5;

/** What is kept of refused tools; null for none. */
export function keptTools(refused: readonly RefusedDefinition[]): RefusedDefinitions | null {
  return kept(refused, MAX_TOOLS);
}

/** What is kept of refused resources, templates and prompts; null for none. */
export function keptOthers(refused: RefusedResources): RefusedByKind | null {
  const byKind = (Object.keys(refused) as ResourceKind[]).flatMap((kind) => {
    const some = kept(refused[kind], MAX_OTHERS);
    return some ? [[kind, some] as const] : [];
  });
  return byKind.length === 0 ? null : Object.fromEntries(byKind);
}

/** What an audit entry says of tools that were not taken. */
export function refusedMembers(refused: readonly RefusedDefinition[]): {
  refused?: number;
  refused_tools?: RefusedDefinition[];
} {
  return refused.length === 0 ? {} : { refused: refused.length, refused_tools: named(refused) };
}

export function named(refused: readonly RefusedDefinition[]): RefusedDefinition[] {
  return refused.slice(0, MAX_NAMED);
}

/** Tells whoever runs Haldir, in the process's log, what an upstream has and nobody can use. */
export function warnOfRefused(
  tx: Tx,
  log: Log,
  about: { event: string; tenantId: string; upstream: string; kind?: string },
  refused: readonly RefusedDefinition[],
): void {
  if (refused.length === 0) return;
  const first = refused.slice(0, MAX_TOLD).map(({ name, reason }) => `${cut(name)}: ${reason}`);
  const told = { ...about, refused: refused.length, first: first.join('; ') };
  tx.onCommit(() => log.warn(told));
}

function kept(refused: readonly RefusedDefinition[], max: number): RefusedDefinitions | null {
  if (refused.length === 0) return null;
  const first = refused.slice(0, max).map(({ name, reason }) => ({ name: cut(name), reason }));
  return { count: refused.length, first };
}

/** Not in the midst of a character: Postgres keeps no half ones. */
function cut(name: string): string {
  return name.slice(0, MAX_NAME_CHARS).toWellFormed();
}
