import { Injectable } from '@nestjs/common';
import { type Actor, Batcher, mayUseUpstream } from '@haldir/kernel';
import { type Policy } from '../policies/policy.js';
import { PolicyRepository } from '../policies/policy.repository.js';
import { type ToolTarget, ToolTargetRepository, type WantedName } from './tool-target.repository.js';

/** What a name means to a tenant right now, and the policies that apply to it. */
export interface FoundTools {
  /** One, none when nothing has the name, several when a bare name is ambiguous. */
  targets: ToolTarget[];
  policies: readonly Policy[];
}

/** What a name may mean, the narrower before the wider. */
interface ToolMatches {
  exact: ToolTarget[];
  unprefixed: ToolTarget[];
  bare: ToolTarget[];
}

const NOTHING: ToolMatches = { exact: [], unprefixed: [], bare: [] };

/**
 * Finds tools by name, and the policies of their tenants. Look-ups that arrive together share their queries, which are sent
 * after the last of them arrived: a policy added or a tool removed anywhere counts for the next call everywhere.
 */
@Injectable()
export class ToolLookup {
  private readonly loader = new Batcher<WantedName, { found: ToolMatches; policies: readonly Policy[] }>({
    maxBatch: 256,
    maxInFlight: 2,
    maxQueued: 8192,
    run: (wanted) => this.load(wanted),
  });

  constructor(
    private readonly targets: ToolTargetRepository,
    private readonly policies: PolicyRepository,
  ) {}

  /** What the name means to whoever acts: tools of upstreams that are out of their reach are not there. */
  async find(actor: Actor, name: string): Promise<FoundTools> {
    const { found, policies } = await this.loader.submit({ tenantId: actor.tenantId, name });
    const within = (targets: ToolTarget[]): ToolTarget[] =>
      targets.filter((target) => mayUseUpstream(actor, target.name));
    const { exact, unprefixed, bare } = found;
    return { targets: meantBy({ exact: within(exact), unprefixed: within(unprefixed), bare: within(bare) }), policies };
  }

  private async load(wanted: WantedName[]): Promise<{ found: ToolMatches; policies: readonly Policy[] }[]> {
    const distinct = [...new Map(wanted.map((item) => [keyOf(item.tenantId, item.name), item])).values()];
    const [meanings, policies] = await Promise.all([
      this.targets.resolve(distinct),
      this.policies.byTenants([...new Set(wanted.map(({ tenantId }) => tenantId))]),
    ]);
    const found = new Map<string, ToolMatches>();
    for (const { wanted: name, isNamespaced, isPrefixed, target } of meanings) {
      const key = keyOf(target.tenantId, name);
      let entry = found.get(key);
      if (!entry) found.set(key, (entry = { exact: [], unprefixed: [], bare: [] }));
      if (isNamespaced) entry.exact.push(target);
      else entry.bare.push(target);
      if (!isNamespaced && !isPrefixed) entry.unprefixed.push(target);
    }
    return wanted.map(({ tenantId, name }) => {
      const entry = found.get(keyOf(tenantId, name)) ?? NOTHING;
      return { found: entry, policies: policies.get(tenantId) ?? [] };
    });
  }
}

/**
 * A name that says its upstream means that one, even if another's tool is called the same; a bare one means the upstream that
 * goes without prefix, if there is one such.
 */
function meantBy({ exact, unprefixed, bare }: ToolMatches): ToolTarget[] {
  if (exact.length > 0) return exact;
  return unprefixed.length === 1 ? unprefixed : bare;
}

function keyOf(tenantId: string, name: string): string {
  return `${tenantId} ${name}`;
}
