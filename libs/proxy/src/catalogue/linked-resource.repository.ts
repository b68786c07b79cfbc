import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';
import { LinkedResource } from './linked-resource.entity.js';

/** Of a session, at most. */
const MAX_LINKS = 1_000;

const keep = `
  INSERT INTO linked_resource (tenant_id, session_id, upstream, address_hash, expires_at)
    SELECT $1, $2, $3, l.address_hash, $5 FROM unnest($4::bytea[]) AS l(address_hash)
     WHERE NOT EXISTS (SELECT FROM linked_resource k
                        WHERE k.tenant_id = $1 AND k.session_id = $2 AND k.address_hash = l.address_hash AND k.upstream = $3)
     LIMIT greatest(0, ${MAX_LINKS} - (SELECT count(*) FROM linked_resource WHERE tenant_id = $1 AND session_id = $2))
  ON CONFLICT DO NOTHING`;

const purge = `
  DELETE FROM linked_resource WHERE ctid = ANY (ARRAY(SELECT ctid FROM linked_resource WHERE expires_at < $1 LIMIT $2))
  RETURNING 1 AS done`;

/** What upstreams have named to sessions. */
@Injectable()
export class LinkedResourceRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Keeps as many as there is room for in the session. */
  async keep(
    { tenantId, id, expiresAt }: { tenantId: string; id: string; expiresAt: Date },
    upstream: string,
    addresses: readonly string[],
  ): Promise<void> {
    await this.transactions.run(tenantId, (tx) =>
      // In one order, so that answers that come together wait for each other in it.
      tx.query(keep, [
        tenantId,
        id,
        upstream,
        addresses.map(hashOf).sort((one, other) => one.compare(other)),
        expiresAt,
      ]),
    );
  }

  /** The upstreams that have named an address to the session. */
  async upstreamsOf(tenantId: string, sessionId: string, address: string): Promise<string[]> {
    const links = await this.transactions.read(tenantId, (manager) =>
      manager.findBy(LinkedResource, { tenantId, sessionId, addressHash: hashOf(address) }),
    );
    return links.map(({ upstream }) => upstream);
  }

  /** Forgets up to `limit` of sessions that are over, of any tenant; answers how many. */
  async purge(now: Date, limit: number): Promise<number> {
    return (await this.transactions.queryAll(purge, [now, limit])).length;
  }

  in(tx: Tx) {
    return {
      /** Forgets what an earlier registration under the name has named. */
      forget: async (tenantId: string, upstream: string): Promise<void> => {
        await tx.manager.delete(LinkedResource, { tenantId, upstream });
      },
    };
  }
}

function hashOf(address: string): Buffer {
  return hash('sha256', address, 'buffer');
}
