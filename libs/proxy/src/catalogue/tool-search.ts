import { Injectable } from '@nestjs/common';
import { type Actor } from '@haldir/kernel';
import { type Catalogue, type CatalogueTool } from './tool-catalogue.js';
import { ToolLookup } from './tool-lookup.js';
import { type RankedPlace, type Searched, ToolSearchRepository } from './tool-search.repository.js';

/** A tool of a catalogue, and how well it fits. */
export interface FoundTool extends CatalogueTool {
  rank: number;
}

/** What a call of a name may mean. */
interface NamedTools {
  /** Those of the catalogue. */
  tools: CatalogueTool[];
  /** Whether a call would be refused for what else it may mean, also where that is not in the catalogue. */
  isAmbiguous: boolean;
}

/** Of a catalogue with so few tools these alone are ranked, beyond that all that its upstreams have. */
const MAX_NAMED = 1_000;
/** How many of all that have the words are looked at in one step, where the best of them are not in the catalogue. */
const STEP = 10_000;

/** Finds tools of a catalogue by words. */
@Injectable()
export class ToolSearch {
  /** By `upstream.tool`, of catalogues that are searched; a catalogue stays the same object while nothing changes. */
  private readonly byName = new WeakMap<Catalogue, ReadonlyMap<string, CatalogueTool>>();

  constructor(
    private readonly repository: ToolSearchRepository,
    private readonly lookup: ToolLookup,
  ) {}

  /** Up to `count` tools that have some of the query's words, the best first, behind the one at `after`. */
  async find(
    tenantId: string,
    catalogue: Catalogue,
    query: string,
    after: RankedPlace | null,
    count: number,
  ): Promise<FoundTool[]> {
    const tools = this.toolsOf(catalogue);
    const searched = searchedFor(catalogue);
    const found: FoundTool[] = [];
    let place = after;
    for (let limit = count; ; limit = STEP) {
      const ranked = await this.repository.find(tenantId, searched, query, place, limit);
      for (const { upstream, name, rank } of ranked) {
        const tool = tools.get(`${upstream}.${name}`);
        if (tool) found.push({ ...tool, rank });
        if (found.length === count) return found;
      }
      if (ranked.length < limit) return found;
      place = ranked.at(-1) ?? null;
    }
  }

  /**
   * The tools of the catalogue that a call of that name may mean: by the name that agents are shown, by `upstream.tool`, or by any other that a call
   * takes.
   *
   * @param name without NUL
   */
  async named(actor: Actor, catalogue: Catalogue, name: string): Promise<NamedTools> {
    const tools = this.toolsOf(catalogue);
    const known = catalogue.tools.find(({ shownName }) => shownName === name) ?? tools.get(name);
    if (known) return { tools: [known], isAmbiguous: false };
    const { targets } = await this.lookup.find(actor, name);
    return {
      tools: targets.flatMap((target) => tools.get(`${target.name}.${target.tool}`) ?? []),
      isAmbiguous: targets.length > 1,
    };
  }

  private toolsOf(catalogue: Catalogue): ReadonlyMap<string, CatalogueTool> {
    let tools = this.byName.get(catalogue);
    if (!tools)
      this.byName.set(catalogue, (tools = new Map(catalogue.tools.map((tool) => [tool.qualifiedName, tool]))));
    return tools;
  }
}

function searchedFor({ tools }: Catalogue): Searched {
  const upstreams = tools.map(({ upstream }) => upstream);
  return tools.length > MAX_NAMED
    ? { upstreams: [...new Set(upstreams)], names: null }
    : { upstreams, names: tools.map(({ name }) => name) };
}
