import { Injectable } from '@nestjs/common';
import { Transactions } from '@haldir/database';
import { type ExchangePlace, tell } from './connector-exchange.repository.js';
import { type Notice } from './connector-notices.js';

/** A part of an answer, from the instance that was given the request. */
export interface NewPart extends ExchangePlace {
  upstream: string;
  instance: string;
  seq: number;
  sealed: Buffer;
  last: boolean;
}

/** What became of it: whoever waits is given it, nobody waits, or as much waits to be read as may. */
export type PartAdmission = 'taken' | 'gone' | 'full';

export interface KeptPart extends ExchangePlace {
  seq: number;
  sealed: Buffer;
}

/** Not taken yet of one answer. */
const MAX_PARTS = 256;
/** What is over goes after this. */
const KEPT = `interval '1 minute'`;

const putParts = {
  name: 'connector_part.put.v2',
  text: `
  WITH given AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::bytea[], $7::boolean[])
             WITH ORDINALITY AS g(tenant_id, id, upstream, instance, seq, sealed, last, place)
  ), expected AS (
    SELECT g.*, e.ends_at,
           (SELECT count(*) FROM connector_part p WHERE p.tenant_id = g.tenant_id AND p.exchange_id = g.id)
             + row_number() OVER (PARTITION BY g.tenant_id, g.id ORDER BY g.seq) <= ${MAX_PARTS} AS fits
      FROM given g JOIN connector_exchange e ON e.tenant_id = g.tenant_id AND e.id = g.id
     WHERE e.upstream = g.upstream AND e.claimed_by = g.instance AND NOT e.cancelled
  ), put AS (
    INSERT INTO connector_part (tenant_id, exchange_id, seq, sealed, last, ends_at)
      SELECT tenant_id, id, seq, sealed, last, ends_at + ${KEPT} FROM expected WHERE fits
    ON CONFLICT DO NOTHING
  ), told AS (${tell('$8', '$9')})
  SELECT place::integer AS place, fits, (SELECT count(*) FROM told) AS told FROM expected`,
};
/** An answer of one part is over with it. */
const readParts = {
  name: 'connector_part.read.v1',
  text: `
  WITH read AS (
    DELETE FROM connector_part p USING unnest($1::text[], $2::text[]) AS r(tenant_id, id)
     WHERE p.tenant_id = r.tenant_id AND p.exchange_id = r.id RETURNING p.tenant_id, p.exchange_id AS id, p.seq, p.sealed, p.last
  ), done AS (
    DELETE FROM connector_exchange e USING read r WHERE r.last AND r.seq = 0 AND e.tenant_id = r.tenant_id AND e.id = r.id
  )
  SELECT tenant_id, id, seq, sealed FROM read ORDER BY id, seq`,
};

/** What has come of answers and was not read yet. */
@Injectable()
export class ConnectorPartRepository {
  constructor(private readonly transactions: Transactions) {}

  /** In their order. */
  async put(parts: readonly NewPart[], notice: Notice): Promise<PartAdmission[]> {
    const rows = await this.transactions.query<{ place: number; fits: boolean }>(putParts, [
      parts.map(({ tenantId }) => tenantId),
      parts.map(({ id }) => id),
      parts.map(({ upstream }) => upstream),
      parts.map(({ instance }) => instance),
      parts.map(({ seq }) => seq),
      parts.map(({ sealed }) => sealed),
      parts.map(({ last }) => last),
      ...[notice.channel, notice.parts],
    ]);
    const fits = new Map(rows.map((row) => [row.place, row.fits]));
    return parts.map((_, i) => (fits.has(i + 1) ? (fits.get(i + 1) ? 'taken' : 'full') : 'gone'));
  }

  /** Takes what has come. */
  async read(places: readonly ExchangePlace[]): Promise<KeptPart[]> {
    type Row = { tenant_id: string; id: string; seq: number; sealed: Buffer };
    const rows = await this.transactions.query<Row>(readParts, [
      places.map(({ tenantId }) => tenantId),
      places.map(({ id }) => id),
    ]);
    return rows.map(({ tenant_id: tenantId, id, seq, sealed }) => ({ tenantId, id, seq, sealed }));
  }
}
