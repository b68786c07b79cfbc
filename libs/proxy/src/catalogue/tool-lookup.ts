import { Injectable } from '@nestjs/common';
import { type Actor, mayUseUpstream, Batcher, type MicroUsd } from '@haldir/kernel';
import { Transactions } from '@haldir/database';
import { type MirroredArgument } from '@haldir/mcp';
import { type Policy } from '../policies/policy.js';
import { PolicyRepository } from '../policies/policy.repository.js';
import { TOLD_VERSION, type UpstreamAddress } from '../upstreams/upstream-address.js';
import { splitToolName } from './tool-name.js';

/** A tool that can be called. */
export interface ToolTarget extends UpstreamAddress {
  /** Its own name, without its upstream's. */
  tool: string;
  destructive: boolean;
  /**
   * Whether a list that allows may mean it by its own name: not when that has a dot, and what stands before it is or was the name
   * of an upstream, or another upstream has a tool of the name.
   */
  goesByOwnName: boolean;
  /** Declared to do no more when a call is made twice. */
  repeatable: boolean;
  /** Arguments that requests repeat as headers. */
  mirrored: readonly MirroredArgument[];
  /** Of the accepted definition, hex; what is said above is from that one. */
  fingerprint: string;
  /** Of the definition that the upstream gives instead, for which the tool is held back; null when there is none. */
  pending: string | null;
  /** When the question was sent that the upstream's tools were confirmed by last. */
  confirmedAt: Date | null;
  toolsMaxAgeSeconds: number;
  /** As last seen; a call tries it whatever this says. */
  healthy: boolean;
  /** Of each call; null for a tool that costs nothing. */
  price: MicroUsd | null;
}

/** What a name means to a tenant right now, and the policies that apply to it. */
export interface FoundTools {
  /** One, none when nothing has the name, several when a bare name is ambiguous. */
  targets: ToolTarget[];
  policies: readonly Policy[];
}

interface Wanted {
  tenantId: string;
  name: string;
}

const GOES_BY_OWN_NAME = `position('.' IN t.name) = 0 OR NOT (
                EXISTS (SELECT FROM upstream_name n WHERE n.tenant_id = t.tenant_id AND n.name = split_part(t.name, '.', 1))
                OR EXISTS (SELECT FROM proxy_tool o WHERE o.tenant_id = t.tenant_id AND o.name = t.name AND o.upstream <> t.upstream AND NOT o.gone))`;
const FOUND = `t.name AS tool, t.destructive, t.repeatable, t.mirrored, encode(t.fingerprint, 'hex') AS fingerprint,
                encode(t.pending_fingerprint, 'hex') AS pending, u.name, u.url, u.headers, u.prefixed, u.revision, u.healthy,
                u.confirmed_at, u.tools_max_age, p.price_micros, ${TOLD_VERSION} AS told, ${GOES_BY_OWN_NAME} AS goes_by_own_name`;
const PRICE =
  'LEFT JOIN proxy_tool_price p ON p.tenant_id = t.tenant_id AND p.upstream = t.upstream AND p.tool = t.name';
// Tool names may contain dots, upstream names may not: the first dot divides. What could be the tool of an upstream that is or was
// there is not another's.
const resolve = {
  name: 'proxy_tool.resolve.v7',
  text: `SELECT w.tenant_id, w.name AS wanted, true AS namespaced, ${FOUND}
           FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS w(tenant_id, name, upstream, tool)
           JOIN proxy_tool t ON t.tenant_id = w.tenant_id AND t.upstream = w.upstream AND t.name = w.tool AND NOT t.gone
           JOIN proxy_upstream u ON u.tenant_id = t.tenant_id AND u.name = t.upstream
           ${PRICE}
          WHERE w.upstream IS NOT NULL
         UNION ALL
         SELECT w.tenant_id, w.name, false, ${FOUND}
           FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS w(tenant_id, name, upstream, tool)
           JOIN proxy_tool t ON t.tenant_id = w.tenant_id AND t.name = w.name AND NOT t.gone
           JOIN proxy_upstream u ON u.tenant_id = t.tenant_id AND u.name = t.upstream
           ${PRICE}
          WHERE w.upstream IS NULL OR NOT EXISTS (SELECT FROM upstream_name n WHERE n.tenant_id = w.tenant_id AND n.name = w.upstream)`,
};

interface ResolvedRow {
  tenant_id: string;
  wanted: string;
  namespaced: boolean;
  tool: string;
  destructive: boolean;
  goes_by_own_name: boolean;
  repeatable: boolean;
  mirrored: readonly MirroredArgument[];
  fingerprint: string;
  pending: string | null;
  name: string;
  url: string;
  headers: Buffer | null;
  prefixed: boolean;
  revision: string;
  healthy: boolean;
  confirmed_at: Date | null;
  tools_max_age: number;
  price_micros: string | null;
  told: number | null;
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
  private readonly loader = new Batcher<Wanted, { found: ToolMatches; policies: readonly Policy[] }>({
    maxBatch: 256,
    maxInFlight: 2,
    maxQueued: 8192,
    run: (wanted) => this.load(wanted),
  });

  constructor(
    private readonly transactions: Transactions,
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

  private async load(wanted: Wanted[]): Promise<{ found: ToolMatches; policies: readonly Policy[] }[]> {
    const distinct = [...new Map(wanted.map((item) => [keyOf(item.tenantId, item.name), item])).values()];
    const split = distinct.map(({ name }) => splitToolName(name));
    const at = performance.now();
    const [rows, policies] = await Promise.all([
      this.transactions.query<ResolvedRow>(resolve, [
        distinct.map(({ tenantId }) => tenantId),
        distinct.map(({ name }) => name),
        split.map((parts) => parts?.upstream ?? null),
        split.map((parts) => parts?.tool ?? null),
      ]),
      this.policies.byTenants([...new Set(wanted.map(({ tenantId }) => tenantId))]),
    ]);
    const found = new Map<string, ToolMatches>();
    for (const row of rows) {
      const key = keyOf(row.tenant_id, row.wanted);
      let entry = found.get(key);
      if (!entry) found.set(key, (entry = { exact: [], unprefixed: [], bare: [] }));
      const target = {
        tenantId: row.tenant_id,
        name: row.name,
        url: row.url,
        headers: row.headers,
        revision: row.revision,
        tool: row.tool,
        destructive: row.destructive,
        goesByOwnName: row.goes_by_own_name,
        repeatable: row.repeatable,
        mirrored: row.mirrored,
        fingerprint: row.fingerprint,
        pending: row.pending,
        healthy: row.healthy,
        price: row.price_micros === null ? null : (BigInt(row.price_micros) as MicroUsd),
        confirmedAt: row.confirmed_at,
        toolsMaxAgeSeconds: row.tools_max_age,
        told: { version: row.told, at },
      };
      if (row.namespaced) entry.exact.push(target);
      else entry.bare.push(target);
      if (!row.namespaced && !row.prefixed) entry.unprefixed.push(target);
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
