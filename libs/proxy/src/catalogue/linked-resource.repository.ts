import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Transactions } from '@haldir/database';
import { LinkedResource } from './linked-resource.entity.js';

/** Of a session, at most. */
const MAX_LINKS = 1_000;
/** Of sessions that are over, with every answer that links to something. */
const MAX_FORGOTTEN = 200;

const keep = `
  WITH forgotten AS (
    DELETE FROM linked_resource WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM linked_resource WHERE tenant_id = $1 AND expires_at < now() LIMIT ${MAX_FORGOTTEN} FOR UPDATE SKIP LOCKED)))
  INSERT INTO linked_resource (tenant_id, session_id, upstream, address_hash, expires_at)
    SELECT $1, $2, $3, l.address_hash, $5 FROM unnest($4::bytea[]) AS l(address_hash)
     LIMIT greatest(0, ${MAX_LINKS} - (SELECT count(*) FROM linked_resource WHERE tenant_id = $1 AND session_id = $2))
  ON CONFLICT DO NOTHING`;

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
      tx.query(keep, [tenantId, id, upstream, addresses.map(hashOf), expiresAt]),
    );
  }

  /** The upstreams that have named an address to the session. */
  async upstreamsOf(tenantId: string, sessionId: string, address: string): Promise<string[]> {
    const links = await this.transactions.read(tenantId, (manager) =>
      manager.findBy(LinkedResource, { tenantId, sessionId, addressHash: hashOf(address) }),
    );
    return links.map(({ upstream }) => upstream);
  }
}

function hashOf(address: string): Buffer {
  return hash('sha256', address, 'buffer');
}
