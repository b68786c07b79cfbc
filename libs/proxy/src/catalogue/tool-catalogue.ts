import { Injectable } from '@nestjs/common';
import { type Actor, Batcher, mayUseUpstream, stringifyJson, Turns } from '@haldir/kernel';
import { isObject, type JsonObject } from '@haldir/mcp';
import { LRUCache } from 'lru-cache';
import { InFlight } from './in-flight.js';
import { KeptDefinitions } from './kept-definitions.js';
import { isInScope, type Policy, type PolicyScope, toolsNamedBy } from '../policies/policy.js';
import { namesOf, refusingNames } from '../policies/subject-names.js';
import { PolicyRepository } from '../policies/policy.repository.js';
import { type NamedTool, ShownNames } from './shown-names.js';
import { isOfUpstream } from './tool-name.js';
import { foldedName } from './tool-screening.js';
import { repairedOrNull } from './restated-pins.js';
import { ToolRepository } from './tool.repository.js';
import { type CatalogueState, UpstreamRepository } from '../upstreams/upstream.repository.js';

/** A tool of a catalogue. */
interface KeptTool extends NamedTool {
  /** Its upstream has changed it, and it cannot be called. */
  held: boolean;
  /** Its definition but for the name, as JSON text; whatever the upstream said is in it as it was said. */
  definition: string;
  /** The same for clients of revisions before 2026-07-28, which read no `outputSchema` but of an object; null where it is the same. */
  olderDefinition: string | null;
  /** What its description begins with. */
  summary: string;
}

/** A tool as agents are shown it. */
export interface CatalogueTool extends KeptTool {
  /** The name they call it by. */
  shownName: string;
}

/** An upstream whose tools nobody knows yet, and why. */
export interface MissingUpstream {
  name: string;
  error: string;
}

export interface Catalogue {
  /** By upstream and own name, in the order of their code units. */
  tools: CatalogueTool[];
  missing: MissingUpstream[];
  /** Tools that would be there, had their upstreams not changed them: `upstream.tool`, the first hundred. */
  heldBack: string[];
}

/** Which catalogues and policies there are right now. */
interface Standing {
  states: CatalogueState[];
  /** That upstreams have or had. */
  names: ReadonlySet<string>;
  policies: readonly Policy[];
}

/** Whose list it is, and what it depends on. */
interface AskedCatalogue {
  states: CatalogueState[];
  taking: ReadonlySet<string>;
  naming: Naming[];
  agentId: string;
  taken: readonly string[];
}

interface KeptTools {
  digest: string;
  tools: KeptTool[];
  size: number;
}

const EVERYTHING = { upstreams: [], agents: [], tools: [] };
const NO_TOOL = { upstream: null, toolNames: [] };
const MAX_HELD_SHOWN = 100;
const MAX_SUMMARY = 200;
/** Characters of definitions that a process keeps ready, and of lists made of them. */
const MAX_KEPT = 64 * 1024 * 1024;
/** What a tool takes besides its definition: a catalogue may be of very many that say nothing. */
const TOOL_SIZE = 256;

/**
 * The tools of a tenant's upstreams, ready to be sent. Each list asks the database which catalogues stand and which policies
 * there are, so that a change anywhere counts for the next list everywhere; the definitions themselves, which are large and
 * seldom change, are kept by what they hold.
 */
@Injectable()
export class ToolCatalogue {
  private readonly kept = new KeptDefinitions<KeptTools>(MAX_KEPT, (tenantId, names) => this.read(tenantId, names));
  private readonly views = new LRUCache<string, Catalogue>({
    maxSize: MAX_KEPT,
    sizeCalculation: ({ tools }, key) => tools.reduce((sum, tool) => sum + sizeOf(tool), key.length),
  });
  private readonly making = new InFlight<Catalogue>();
  private readonly standing = new Batcher<string, Standing>({
    maxBatch: 256,
    maxInFlight: 2,
    maxQueued: 8192,
    run: (tenantIds) => this.ask(tenantIds),
  });

  constructor(
    private readonly upstreams: UpstreamRepository,
    private readonly tools: ToolRepository,
    private readonly policies: PolicyRepository,
  ) {}

  /**
   * The tools of upstreams within reach whose names no policy that is enforced blocks for the agent. What depends on a call (its amount, its hour, its rate) is decided
   * when it is made.
   *
   * @param taken names that mean something else here: a tool of such a name, or one that looks like it, is shown with its upstream's
   */
  async callable(actor: Actor, agentId: string, taken: readonly string[]): Promise<Catalogue> {
    const { tenantId } = actor;
    const { states: all, names: taking, policies } = await this.standing.submit(tenantId);
    const states = all.filter(({ name }) => mayUseUpstream(actor, name));
    const naming = namingFor(policies, agentId);
    const key = JSON.stringify([tenantId, states, naming, taken, [...taking]]);
    return (
      this.views.get(key) ??
      this.making.one(key, () => this.makeView(key, tenantId, { states, taking, naming, agentId, taken }))
    );
  }

  private async makeView(
    key: string,
    tenantId: string,
    { states, taking, naming, agentId, taken }: AskedCatalogue,
  ): Promise<Catalogue> {
    const { known: byName, isCurrent } = await this.kept.of(tenantId, states);
    const known = states.flatMap(({ name }) => byName.get(name) ?? []);
    const isOwnName = ownNames(
      known.flatMap(({ tools }) => tools),
      taking,
    );
    const isCallable = callableBy(naming, agentId, isOwnName);
    const shown = await ShownNames.of(
      known.flatMap(({ tools }) => tools),
      { upstreams: states, taken, taking },
    );
    const turns = new Turns();
    const [tools, heldBack]: [CatalogueTool[], string[]] = [[], []];
    for (const tool of known.flatMap((kept) => kept.tools)) {
      if (turns.isOver) await turns.next();
      if ((tool.held && heldBack.length === MAX_HELD_SHOWN) || !isCallable(tool)) continue;
      if (tool.held) heldBack.push(tool.qualifiedName);
      else {
        const shownName = shown.nameOf(tool);
        if (shownName !== null) tools.push({ ...tool, shownName });
      }
    }
    const view = {
      tools,
      heldBack,
      missing: states.flatMap(({ name, digest, error }) =>
        digest === null ? [{ name, error: error ?? 'The upstream was not asked yet' }] : [],
      ),
    };
    if (isCurrent) this.views.set(key, view);
    return view;
  }

  private async ask(tenantIds: string[]): Promise<Standing[]> {
    const distinct = [...new Set(tenantIds)];
    const [states, names, policies] = await Promise.all([
      this.upstreams.catalogues(distinct),
      this.upstreams.names(distinct),
      this.policies.byTenants(distinct),
    ]);
    return tenantIds.map((tenantId) => ({
      states: states.get(tenantId) ?? [],
      names: names.get(tenantId) ?? new Set(),
      policies: policies.get(tenantId) ?? [],
    }));
  }

  private async read(tenantId: string, names: string[]): Promise<Map<string, KeptTools>> {
    const turns = new Turns();
    const found = new Map<string, KeptTools>(names.map((name) => [name, { digest: '', tools: [], size: 0 }]));
    for (const { upstream, digest, name, modelName, hashedName, held, definition } of await this.tools.definitions(
      tenantId,
      names,
    )) {
      if (turns.isOver) await turns.next();
      const kept = found.get(upstream);
      if (!kept) continue;
      kept.digest = digest;
      if (name === null || modelName === null || hashedName === null || definition === null) continue;
      // An earlier version kept definitions as they came.
      const readable = repairedOrNull(definition);
      if (!readable) continue;
      const { name: _, ...rest } = readable;
      const tool = {
        upstream,
        name,
        held: held ?? false,
        folded: foldedName(name),
        qualifiedName: `${upstream}.${name}`,
        modelName,
        hashedName,
        definition: stringifyJson(rest),
        olderDefinition: olderOf(rest),
        summary: summaryOf(rest),
      };
      kept.tools.push(tool);
      kept.size += sizeOf(tool);
    }
    for (const { tools } of found.values()) tools.sort((one, other) => (one.name < other.name ? -1 : 1));
    return found;
  }
}

function sizeOf({ definition, olderDefinition, summary }: KeptTool): number {
  return definition.length + (olderDefinition?.length ?? 0) + summary.length + TOOL_SIZE;
}

/** In whole characters, on one line. */
function summaryOf({ description, title }: JsonObject): string {
  const [said = ''] = [description, title].filter((text): text is string => typeof text === 'string' && text !== '');
  const line = said
    .slice(0, 2 * MAX_SUMMARY)
    .replace(/\s+/g, ' ')
    .trim();
  return line.length <= MAX_SUMMARY ? line : `${line.slice(0, MAX_SUMMARY - 1).toWellFormed()}…`;
}

function olderOf({ outputSchema, ...rest }: JsonObject): string | null {
  const isReadable = outputSchema === undefined || (isObject(outputSchema) && outputSchema['type'] === 'object');
  return isReadable ? null : stringifyJson(rest);
}

/** What a policy says of the tools that it names. */
export interface Naming {
  scope: PolicyScope;
  tools: readonly string[];
  allows: boolean;
}

/** The enforced policies that name tools and concern an agent. */
export function namingFor(policies: readonly Policy[], agentId: string): Naming[] {
  return policies.flatMap(({ mode, rule, scope }) => {
    const tools = toolsNamedBy(rule);
    const concerns =
      mode === 'enforce' &&
      tools !== null &&
      isInScope({ ...EVERYTHING, agents: scope.agents }, { ...NO_TOOL, agentId });
    return concerns ? [{ scope, tools, allows: rule.type === 'allow_list' }] : [];
  });
}

/** Whether they let the agent have a tool, whichever of its names they use. */
function callableBy(
  naming: readonly Naming[],
  agentId: string,
  isOwnName: (tool: KeptTool) => boolean,
): (tool: KeptTool) => boolean {
  const sets = naming.map(({ tools, ...rest }) => ({ ...rest, names: new Set(tools) }));
  return (tool) => {
    const { upstream, name } = tool;
    const named = namesOf(upstream, name, isOwnName(tool), tool);
    return sets.every(
      ({ scope, names, allows }) =>
        (allows
          ? named.allowedNames.some((each) => names.has(each))
          : !refusingNames(named).some((each) => names.has(each))) ||
        !isInScope(scope, { upstream, agentId, ...named }),
    );
  };
}

/** Which of these go by their own names where they are allowed: not one that reads like another's, or that two have. */
export function ownNames(
  tools: readonly { name: string }[],
  upstreams: ReadonlySet<string>,
): (tool: { name: string }) => boolean {
  const holders = new Map<string, number>();
  for (const { name } of tools) if (name.includes('.')) holders.set(name, (holders.get(name) ?? 0) + 1);
  return ({ name }) => (!name.includes('.') || holders.get(name) === 1) && !isOfUpstream(name, upstreams);
}
