import { Injectable } from '@nestjs/common';
import { stringifyJson } from '@haldir/kernel';
import { Transactions, type Tx } from '@haldir/database';
import { Any } from 'typeorm';
import { type CalledUpstream, type UpstreamAddress } from '../upstreams/upstream-address.js';
import { type RefusedByKind } from '../upstreams/upstream.entity.js';
import { TOLD_VERSION } from '../upstreams/upstream.repository.js';
import { StoredResources } from './stored-resources.entity.js';
import { type ResourceLists } from '../mcp-client/index.js';

/** An upstream, and which lists of it are known. */
export interface ResourceState extends CalledUpstream {
  prefixed: boolean;
  error: string | null;
  /** Of the lists, hex; null while they are not known. */
  digest: string | null;
}

const states = {
  name: 'proxy_offering.states.v6',
  text: `SELECT u.tenant_id AS "tenantId", u.name, u.url, u.revision, u.headers, u.prefixed, u.healthy, u.error, u.timeout_seconds AS "timeoutSeconds", u.max_answer_bytes AS "maxAnswerBytes", u.concurrency,
                u.circuit_until AS "circuitUntil", u.circuit_openings AS "circuitOpenings", encode(o.digest, 'hex') AS digest, ${TOLD_VERSION} AS version
           FROM proxy_upstream u LEFT JOIN proxy_offering o ON o.tenant_id = u.tenant_id AND o.upstream = u.name
          WHERE u.tenant_id = ANY ($1) ORDER BY u.tenant_id, u.name COLLATE "C"`,
};
/** Of this registration only: one that was replaced meanwhile has other lists. */
const put = `INSERT INTO proxy_offering (tenant_id, upstream, digest, offers, refused)
   SELECT tenant_id, name, $4, $5, $6 FROM proxy_upstream WHERE tenant_id = $1 AND name = $2 AND revision = $3
   ON CONFLICT (tenant_id, upstream) DO UPDATE SET digest = excluded.digest, offers = excluded.offers, refused = excluded.refused
   RETURNING upstream`;

/** What upstreams have besides tools. */
@Injectable()
export class ResourceRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Of every upstream of the tenants, by tenant; those of one in the order of their names. */
  async states(tenantIds: readonly string[]): Promise<Map<string, ResourceState[]>> {
    const at = performance.now();
    const byTenant = new Map<string, ResourceState[]>(tenantIds.map((tenantId) => [tenantId, []]));
    const rows = await this.transactions.query<ResourceState & { version: number | null }>(states, [tenantIds]);
    for (const { version, ...state } of rows) byTenant.get(state.tenantId)?.push({ ...state, told: { version, at } });
    return byTenant;
  }

  /** With the digest that they have at that moment. */
  async lists(
    tenantId: string,
    names: readonly string[],
  ): Promise<{ upstream: string; digest: string; lists: ResourceLists }[]> {
    const stored = await this.transactions.read(tenantId, (manager) =>
      manager.findBy(StoredResources, { tenantId, upstream: Any(names) }),
    );
    return stored.map(({ upstream, digest, lists }) => ({ upstream, digest: digest.toString('hex'), lists }));
  }

  async digest(tenantId: string, name: string): Promise<Buffer | null> {
    const select = { tenantId: true, upstream: true, digest: true } as const;
    const stored = await this.transactions.read(tenantId, (manager) =>
      manager.findOne(StoredResources, { select, where: { tenantId, upstream: name } }),
    );
    return stored?.digest ?? null;
  }

  in(tx: Tx) {
    return {
      /** Keeps the lists of a registration in place of earlier ones; false when there is another by now. */
      put: async (
        { tenantId, name, revision }: UpstreamAddress,
        found: ResourceLists,
        refused: RefusedByKind | null,
        digest: Buffer,
      ): Promise<boolean> => {
        const values = [digest, stringifyJson(found), refused && JSON.stringify(refused)];
        return (await tx.query(put, [tenantId, name, revision, ...values])).length === 1;
      },
      forget: async (tenantId: string, name: string): Promise<void> => {
        await tx.manager.delete(StoredResources, { tenantId, upstream: name });
      },
    };
  }
}
