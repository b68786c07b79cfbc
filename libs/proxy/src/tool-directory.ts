import { Inject, Injectable } from '@nestjs/common';
import { Batcher } from '@haldir/kernel';
import { Transactions } from '@haldir/database';
import { type Policy } from './policy.js';
import { PolicyRepository } from './policy.repository.js';
import { type UpstreamAddress } from './upstream-clients.js';

/** A tool that can be called. */
export interface ToolTarget extends UpstreamAddress {
  /** Its own name, without its upstream's. */
  tool: string;
  destructive: boolean;
  /** As last seen; a call tries it whatever this says. */
  healthy: boolean;
}

/** What a name means to a tenant right now, and the policies that apply to it. */
export interface Lookup {
  /** One, none when nothing has the name, several when a bare name is ambiguous. */
  targets: ToolTarget[];
  policies: readonly Policy[];
}

interface Wanted {
  tenantId: string;
  name: string;
}

// Tool names may contain dots, upstream names may not: the first dot divides.
const resolve = {
  name: 'proxy_tool.resolve.v1',
  text: `SELECT w.tenant_id, w.name AS wanted, true AS namespaced, t.name AS tool, t.destructive, u.name, u.url, u.revision, u.healthy
           FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS w(tenant_id, name, upstream, tool)
           JOIN proxy_tool t ON t.tenant_id = w.tenant_id AND t.upstream = w.upstream AND t.name = w.tool
           JOIN proxy_upstream u ON u.tenant_id = t.tenant_id AND u.name = t.upstream
          WHERE w.upstream IS NOT NULL
         UNION ALL
         SELECT w.tenant_id, w.name, false, t.name, t.destructive, u.name, u.url, u.revision, u.healthy
           FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS w(tenant_id, name, upstream, tool)
           JOIN proxy_tool t ON t.tenant_id = w.tenant_id AND t.name = w.name
           JOIN proxy_upstream u ON u.tenant_id = t.tenant_id AND u.name = t.upstream`,
};

interface ResolvedRow {
  tenant_id: string;
  wanted: string;
  namespaced: boolean;
  tool: string;
  destructive: boolean;
  name: string;
  url: string;
  revision: string;
  healthy: boolean;
}

/**
 * Finds tools by name, and the policies of their tenants. Look-ups that arrive together share their queries, which are sent
 * after the last of them arrived: a policy added or a tool removed anywhere counts for the next call everywhere.
 */
@Injectable()
export class ToolDirectory {
  private readonly loader = new Batcher<Wanted, Lookup>({
    maxBatch: 256,
    maxInFlight: 2,
    maxQueued: 8192,
    run: (wanted) => this.load(wanted),
  });

  constructor(
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(PolicyRepository) private readonly policies: PolicyRepository,
  ) {}

  find(tenantId: string, name: string): Promise<Lookup> {
    return this.loader.submit({ tenantId, name });
  }

  private async load(wanted: Wanted[]): Promise<Lookup[]> {
    const distinct = [...new Map(wanted.map((item) => [keyOf(item.tenantId, item.name), item])).values()];
    const split = distinct.map(({ name }) => splitToolName(name));
    const [rows, policies] = await Promise.all([
      this.transactions.query<ResolvedRow>(resolve, [
        distinct.map(({ tenantId }) => tenantId),
        distinct.map(({ name }) => name),
        split.map((parts) => parts?.upstream ?? null),
        split.map((parts) => parts?.tool ?? null),
      ]),
      this.policies.byTenants([...new Set(wanted.map(({ tenantId }) => tenantId))]),
    ]);
    const found = new Map<string, { exact: ToolTarget[]; bare: ToolTarget[] }>();
    for (const row of rows) {
      const key = keyOf(row.tenant_id, row.wanted);
      let entry = found.get(key);
      if (!entry) found.set(key, (entry = { exact: [], bare: [] }));
      entry[row.namespaced ? 'exact' : 'bare'].push({
        tenantId: row.tenant_id,
        name: row.name,
        url: row.url,
        revision: row.revision,
        tool: row.tool,
        destructive: row.destructive,
        healthy: row.healthy,
      });
    }
    return wanted.map(({ tenantId, name }) => {
      const entry = found.get(keyOf(tenantId, name));
      // A name that says its upstream means that one, even if another's tool is called the same.
      const targets = entry ? (entry.exact.length > 0 ? entry.exact : entry.bare) : [];
      return { targets, policies: policies.get(tenantId) ?? [] };
    });
  }
}

/** `upstream.tool` in its parts; null for a name without a dot that could divide them. */
export function splitToolName(name: string): { upstream: string; tool: string } | null {
  const [, upstream, tool] = /^([A-Za-z0-9_-]{1,64})\.(.+)$/s.exec(name) ?? [];
  return upstream === undefined || tool === undefined ? null : { upstream, tool };
}

function keyOf(tenantId: string, name: string): string {
  return `${tenantId} ${name}`;
}
