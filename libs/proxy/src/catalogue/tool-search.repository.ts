import { Injectable } from '@nestjs/common';
import { Transactions } from '@haldir/database';

/** A tool that has some of the words. */
export interface RankedTool {
  upstream: string;
  name: string;
  rank: number;
}

/** Where a list of them goes on. */
export type RankedPlace = Pick<RankedTool, 'rank' | 'upstream' | 'name'>;

/** Which tools are looked at: those of some upstreams, or where they are few these alone, `upstreams[i]` with `names[i]`. */
export interface Searched {
  upstreams: readonly string[];
  names: readonly string[] | null;
}

// Words that say nothing, such as "the", count where there are no others. Of a query the first 32 different words are looked for.
const WANTED = `wanted AS MATERIALIZED (
           SELECT CASE WHEN numnode(q.telling) > 0 THEN q.telling ELSE q.every END AS query
             FROM (SELECT string_agg(word, ' or ' ORDER BY place) AS words
                     FROM (SELECT word, min(place) AS place
                             FROM unnest(string_to_array(lower(words_of_name($2)), ' ')) WITH ORDINALITY AS u(word, place)
                            GROUP BY word ORDER BY min(place) LIMIT 32) AS w) AS w,
                  LATERAL (SELECT websearch_to_tsquery('english', w.words) AS telling, websearch_to_tsquery('simple', w.words) AS every) AS q)`;
const RANKED = `SELECT t.upstream, t.name, ts_rank(t.search, wanted.query, 1)::float8 AS rank`;
const MATCHES = `t.tenant_id = $1 AND NOT t.gone AND t.pending IS NULL AND t.search @@ wanted.query`;
const BEST = `WHERE $3::float8 IS NULL OR rank < $3 OR (rank = $3 AND (upstream, name) > ($4, $5))
          ORDER BY rank DESC, upstream, name LIMIT $6`;

// Row-level security lets no index on words be used, which would have the rows of other tenants looked at: those of the tenant are looked
// through, each for about a microsecond.
const search = {
  name: 'proxy_tool.search.v2',
  text: `WITH ${WANTED}
         SELECT upstream, name, rank
           FROM (${RANKED} FROM proxy_tool t, wanted WHERE ${MATCHES} AND t.upstream = ANY ($7)) AS f
          ${BEST}`,
};

// By the primary key, each for about six microseconds.
const searchAmong = {
  name: 'proxy_tool.search_among.v1',
  text: `WITH ${WANTED}
         SELECT upstream, name, rank
           FROM (${RANKED}
                   FROM wanted, unnest($7::text[], $8::text[]) AS v(upstream, name)
                   JOIN proxy_tool t ON t.tenant_id = $1 AND t.upstream = v.upstream AND t.name = v.name
                  WHERE ${MATCHES}) AS f
          ${BEST}`,
};

@Injectable()
export class ToolSearchRepository {
  constructor(private readonly transactions: Transactions) {}

  /**
   * Up to `limit` of these tools that have some of the query's words in their names, descriptions or parameters' names, the best first;
   * those that are held back are none.
   *
   * @param query without NUL
   * @param after the place of the one before; null for the first
   */
  find(
    tenantId: string,
    { upstreams, names }: Searched,
    query: string,
    after: RankedPlace | null,
    limit: number,
  ): Promise<RankedTool[]> {
    const page = [after?.rank ?? null, after?.upstream ?? null, after?.name ?? null, limit];
    return names
      ? this.transactions.query<RankedTool>(searchAmong, [tenantId, query, ...page, upstreams, names])
      : this.transactions.query<RankedTool>(search, [tenantId, query, ...page, upstreams]);
  }
}
