import { normalAddress, ruleForms } from '@haldir/kernel';
import { namesOf, namesOfAddress, refusingNames } from '../policies/subject-names.js';
import { isInScope } from '../policies/policy.js';
import { foldedName } from './tool-screening.js';
import { type ResourceState } from './resource.repository.js';
import { RESOURCE_LISTS, type ResourceKind, type ResourceLists } from '../mcp-client/index.js';
import { type Naming, ownNames } from './tool-catalogue.js';
import { isOfUpstream, splitToolName } from './tool-name.js';
import { matchesTemplate } from './uri-template.js';

/** An upstream whose lists are known. */
export interface KnownResources {
  upstream: ResourceState;
  lists: ResourceLists;
}

/** What a name or an address means. */
export interface ResourceTarget {
  upstream: ResourceState;
  /** The prompt's own name, or the address as the upstream knows it. */
  id: string;
  /** As the upstream describes it: of an address that comes of a template, the template. */
  definition: Readonly<Record<string, unknown>>;
  completions: boolean;
  /** Whether a list that allows may mean it by its own name. */
  goesByOwnName: boolean;
}

/** An item of a list as agents are shown it. */
export interface ShownResource {
  upstream: string;
  /** Its own name or address. */
  name: string;
  /** `upstream.name` */
  qualifiedName: string;
  shown: Record<string, unknown>;
}

/** An address that says which upstream it is of: `haldir://upstream/<name>/<address>`. */
const EXPLICIT = /^haldir:\/\/upstream\/([A-Za-z0-9_-]{1,64})\/(.+)$/s;

/** All of a kind, by upstream and own name, each under a name or address that means it and nothing else. */
export function shownResources(
  known: readonly KnownResources[],
  kind: ResourceKind,
  names: ReadonlySet<string>,
): ShownResource[] {
  const { key } = RESOURCE_LISTS[kind];
  const all = known.flatMap(({ upstream, lists }) =>
    lists[kind].map((definition) => ({ upstream, definition, id: String(definition[key]) })),
  );
  const counts = new Map<string, number>();
  const countedAs = (id: string): string => (kind === 'prompts' ? foldedName(id) : id);
  const qualified = new Set(all.map(({ upstream, id }) => foldedName(`${upstream.name}.${id}`)));
  for (const { upstream, id } of all) {
    if (kind === 'prompts' && upstream.prefixed) continue;
    counts.set(countedAs(id), (counts.get(countedAs(id)) ?? 0) + 1);
  }
  const shownAs = (upstream: ResourceState, id: string): string => {
    const isSole = counts.get(countedAs(id)) === 1;
    if (kind !== 'prompts') return isSole && !EXPLICIT.test(id) ? id : `haldir://upstream/${upstream.name}/${id}`;
    const isOthers = qualified.has(foldedName(id)) || isOfUpstream(id, names);
    return isSole && !upstream.prefixed && !isOthers ? id : `${upstream.name}.${id}`;
  };
  return all
    .map(({ upstream, definition, id }) => ({
      upstream: upstream.name,
      name: id,
      qualifiedName: `${upstream.name}.${id}`,
      shown: { ...definition, [key]: shownAs(upstream, id) },
    }))
    .sort((one, other) => (one.upstream === other.upstream && one.name < other.name ? -1 : 0));
}

/** The prompts that a name may mean; one, unless it is unknown or ambiguous. */
export function promptsNamed(
  known: readonly KnownResources[],
  name: string,
  names: ReadonlySet<string>,
): ResourceTarget[] {
  const parts = splitToolName(name);
  const exact = known.filter(({ upstream }) => upstream.name === parts?.upstream);
  const found = targetsIn(exact, 'prompts', (id) => id === parts?.tool, parts?.tool ?? '');
  const own = (targets: ResourceTarget[]): ResourceTarget[] =>
    targets.map((target) => {
      const isSole = targetsIn(known, 'prompts', (id) => id === target.id, target.id).length === 1;
      const goesByOwnName = (!target.id.includes('.') || isSole) && !isOfUpstream(target.id, names);
      return { ...target, goesByOwnName };
    });
  if (found.length > 0) return own(found);
  if (isOfUpstream(name, names)) return [];
  const bare = targetsIn(known, 'prompts', (id) => id === name, name);
  const unprefixed = bare.filter(({ upstream }) => !upstream.prefixed);
  return own(unprefixed.length === 1 ? unprefixed : bare);
}

/**
 * The resources that an address may mean: one that is listed before one that comes of a template.
 *
 * @param asTemplate whether it may be the address of a template itself
 */
export function resourcesAt(known: readonly KnownResources[], uri: string, asTemplate: boolean): ResourceTarget[] {
  const { name, id } = addressIn(uri);
  const among = known.filter(({ upstream }) => name === null || upstream.name === name);
  const asListed = targetsIn(among, 'resources', (listedId) => listedId === id, id);
  if (asListed.length > 0) return asListed;
  const normal = normalAddress(id);
  const listed = targetsIn(among, 'resources', (listedId) => normalAddress(listedId) === normal, id);
  if (listed.length > 0) return listed;
  // What a template stands for, it has to stand for once dot segments and needless escapes are gone.
  const isMeant = (template: string): boolean =>
    (asTemplate && template === id) ||
    matchesTemplate(template, normal) ||
    matchesTemplate(normalAddress(template), normal);
  return targetsIn(among, 'templates', isMeant, id);
}

/** What an address is at upstreams that have named it, whatever they list. */
export function linkedTargets(
  known: readonly KnownResources[],
  uri: string,
  upstreams: readonly string[],
): ResourceTarget[] {
  const { name, id } = addressIn(uri);
  return known
    .filter(({ upstream }) => upstreams.includes(upstream.name) && (name === null || upstream.name === name))
    .map(({ upstream }) => ({ upstream, id, definition: { uri: id }, completions: false, goesByOwnName: true }));
}

/** An address as an upstream knows it, and of which upstream it says that it is; null for none. */
export function addressIn(uri: string): { name: string | null; id: string } {
  const [, name = null, id = uri] = EXPLICIT.exec(uri) ?? [];
  return { name, id };
}

/** At most one of each upstream. */
function targetsIn(
  known: readonly KnownResources[],
  kind: ResourceKind,
  isMeant: (id: string) => boolean,
  id: string,
): ResourceTarget[] {
  const { key } = RESOURCE_LISTS[kind];
  return known.flatMap(({ upstream, lists }) => {
    const definition = lists[kind].find((item) => isMeant(String(item[key])));
    return definition ? [{ upstream, id, definition, completions: lists.completions, goesByOwnName: true }] : [];
  });
}

/** Those that no policy keeps from the agent, whichever of their names it uses. */
export function allowedResources(
  resources: readonly ShownResource[],
  kind: ResourceKind,
  upstreams: ReadonlySet<string>,
  naming: { agentId: string; policies: readonly Naming[] },
): ShownResource[] {
  if (naming.policies.length === 0) return [...resources];
  const isOwnName = ownNames(resources, upstreams);
  const sets = naming.policies.map(({ tools, ...rest }) => ({
    ...rest,
    names: new Set(kind === 'prompts' ? tools : tools.flatMap(ruleForms)),
  }));
  return resources.filter((resource) => {
    const { upstream, name } = resource;
    const named = kind === 'prompts' ? namesOf(upstream, name, isOwnName(resource)) : namesOfAddress(upstream, name);
    return sets.every(({ scope, names, allows }) => {
      const some = (those: readonly string[]): boolean => those.some((each) => names.has(each));
      const lets = allows ? some(named.allowedNames) : !some(refusingNames(named));
      return lets || !isInScope(scope, { upstream, ...naming, ...named });
    });
  });
}
