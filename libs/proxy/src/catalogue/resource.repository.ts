import { Injectable } from '@nestjs/common';
import { stringifyJson } from '@haldir/kernel';
import { Transactions, type Tx } from '@haldir/database';
import { TOLD_VERSION, type UpstreamAddress } from '../upstreams/upstream-address.js';
import { type ResourceLists } from '../mcp-client/index.js';

/** An upstream, and which lists of it are known. */
export interface ResourceState extends UpstreamAddress {
  prefixed: boolean;
  healthy: boolean;
  error: string | null;
  /** Of the lists, hex; null while they are not known. */
  digest: string | null;
}

const states = {
  name: 'proxy_offering.states.v3',
  text: `SELECT u.tenant_id AS "tenantId", u.name, u.url, u.revision, u.headers, u.prefixed, u.healthy, u.error, encode(o.digest, 'hex') AS digest, ${TOLD_VERSION} AS version
           FROM proxy_upstream u LEFT JOIN proxy_offering o ON o.tenant_id = u.tenant_id AND o.upstream = u.name
          WHERE u.tenant_id = $1 ORDER BY u.name COLLATE "C"`,
};
const lists = {
  name: 'proxy_offering.lists.v1',
  text: `SELECT upstream, encode(digest, 'hex') AS digest, offers FROM proxy_offering WHERE tenant_id = $1 AND upstream = ANY ($2)`,
};
const digestOf = {
  name: 'proxy_offering.digest.v1',
  text: 'SELECT digest FROM proxy_offering WHERE tenant_id = $1 AND upstream = $2',
};
/** Of this registration only: one that was replaced meanwhile has other lists. */
const put = `INSERT INTO proxy_offering (tenant_id, upstream, digest, offers)
   SELECT tenant_id, name, $4, $5 FROM proxy_upstream WHERE tenant_id = $1 AND name = $2 AND revision = $3
   ON CONFLICT (tenant_id, upstream) DO UPDATE SET digest = excluded.digest, offers = excluded.offers
   RETURNING upstream`;

/** What upstreams have besides tools. */
@Injectable()
export class ResourceRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Of every upstream of the tenant, by name. */
  async states(tenantId: string): Promise<ResourceState[]> {
    const at = performance.now();
    const rows = await this.transactions.query<ResourceState & { version: number | null }>(states, [tenantId]);
    return rows.map(({ version, ...state }) => ({ ...state, told: { version, at } }));
  }

  /** With the digest that they have at that moment. */
  async lists(
    tenantId: string,
    names: readonly string[],
  ): Promise<{ upstream: string; digest: string; lists: ResourceLists }[]> {
    type Row = { upstream: string; digest: string; offers: ResourceLists };
    const rows = await this.transactions.query<Row>(lists, [tenantId, names]);
    return rows.map(({ offers, ...row }) => ({ ...row, lists: offers }));
  }

  async digest(tenantId: string, name: string): Promise<Buffer | null> {
    return (await this.transactions.query<{ digest: Buffer }>(digestOf, [tenantId, name]))[0]?.digest ?? null;
  }

  in(tx: Tx) {
    return {
      /** Keeps the lists of a registration in place of earlier ones; false when there is another by now. */
      put: async (
        { tenantId, name, revision }: UpstreamAddress,
        found: ResourceLists,
        digest: Buffer,
      ): Promise<boolean> =>
        (await tx.query(put, [tenantId, name, revision, digest, stringifyJson(found)])).length === 1,
      forget: (tenantId: string, name: string): void =>
        tx.send('DELETE FROM proxy_offering WHERE tenant_id = $1 AND upstream = $2', [tenantId, name]),
    };
  }
}
