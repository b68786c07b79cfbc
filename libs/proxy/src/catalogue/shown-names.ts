import { Turns } from '@haldir/kernel';
import { type Separator } from '../upstreams/upstream.entity.js';
import { isModelName, isOfUpstream } from './tool-name.js';
import { foldedName } from './tool-screening.js';

/** What a tool can be shown as. */
export interface NamedTool {
  upstream: string;
  /** Its own name, without its upstream's. */
  name: string;
  /** `upstream.tool` */
  qualifiedName: string;
  /** `upstream__tool`, as models could call it; too long for them perhaps, and not its alone. */
  modelName: string;
  /** As models can call it always. */
  hashedName: string;
  /** What its name and those that look like it have in common. */
  folded: string;
}

interface Surroundings {
  upstreams: readonly { name: string; prefixed: boolean; separator: Separator }[];
  /** Names that mean something else. */
  taken: readonly string[];
  /** Names that upstreams have or had. */
  taking: ReadonlySet<string>;
}

/** The names that agents are shown tools by: each means its tool alone, and all are taken by `ToolLookup`. */
export class ShownNames {
  private readonly unprefixed = new Set<string>();
  private readonly dotted = new Set<string>();
  private readonly taken: ReadonlySet<string>;
  private readonly taking: ReadonlySet<string>;
  /** How many have a name of their own, folded, of those that go without their upstream's. */
  private readonly bare = new Map<string, number>();
  /** How many tools answer to what models call them. */
  private readonly models = new Map<string, number>();
  /** Names that say an upstream, folded. */
  private readonly namespaced = new Set<string>();

  private constructor({ upstreams, taken, taking }: Surroundings) {
    for (const { name, prefixed, separator } of upstreams) {
      if (!prefixed) this.unprefixed.add(name);
      if (separator === '.') this.dotted.add(name);
    }
    this.taken = new Set(taken.map(foldedName));
    this.taking = taking;
  }

  /** In turns. */
  static async of(tools: readonly NamedTool[], surroundings: Surroundings): Promise<ShownNames> {
    const names = new ShownNames(surroundings);
    const turns = new Turns();
    for (const { upstream, folded, modelName, hashedName } of tools) {
      if (turns.isOver) await turns.next();
      for (const name of new Set([modelName, hashedName])) names.models.set(name, (names.models.get(name) ?? 0) + 1);
      if (names.unprefixed.has(upstream)) names.bare.set(folded, (names.bare.get(folded) ?? 0) + 1);
      if (names.unprefixed.size === 0) continue;
      for (const name of [`${upstream}.${folded}`, modelName, hashedName]) names.namespaced.add(name.toLowerCase());
    }
    return names;
  }

  /** Null for a tool that has no name of its own: another of its upstream was named to take it, and no list may have one name twice. */
  nameOf(tool: NamedTool): string | null {
    if (this.isShownBare(tool)) return tool.name;
    if (this.dotted.has(tool.upstream)) return tool.qualifiedName;
    const { modelName, hashedName } = tool;
    const isOwn = (name: string): boolean =>
      isModelName(name) && this.models.get(name) === 1 && !this.taken.has(name.toLowerCase());
    return [modelName, hashedName].find(isOwn) ?? null;
  }

  private isShownBare({ upstream, name, folded }: NamedTool): boolean {
    return (
      this.unprefixed.has(upstream) &&
      (this.dotted.has(upstream) || isModelName(name)) &&
      this.bare.get(folded) === 1 &&
      !this.taken.has(folded) &&
      !this.namespaced.has(folded) &&
      !isOfUpstream(name, this.taking)
    );
  }
}
