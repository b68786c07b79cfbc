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

// Words that say nothing, such as "the", count where there are no others. Beyond a number of words the rest is not looked for. Row-level
// security lets no index on words be used, which would have the rows of other tenants looked at: those of the tenant are looked through.
const search = {
  name: 'proxy_tool.search.v1',
  text: `WITH wanted AS MATERIALIZED (
           SELECT CASE WHEN numnode(q.telling) > 0 THEN q.telling ELSE q.every END AS query
             FROM (SELECT array_to_string((string_to_array(words_of_name($3), ' '))[1:32], ' or ') AS words) w,
                  LATERAL (SELECT websearch_to_tsquery('english', w.words) AS telling, websearch_to_tsquery('simple', w.words) AS every) q)
         SELECT upstream, name, rank
           FROM (SELECT t.upstream, t.name, ts_rank(t.search, wanted.query, 1)::float8 AS rank
                   FROM proxy_tool t, wanted
                  WHERE t.tenant_id = $1 AND t.upstream = ANY ($2) AND NOT t.gone AND t.pending IS NULL AND t.search @@ wanted.query) AS f
          WHERE $4::float8 IS NULL OR rank < $4 OR (rank = $4 AND (upstream, name) > ($5, $6))
          ORDER BY rank DESC, upstream, name LIMIT $7`,
};

@Injectable()
export class ToolSearchRepository {
  constructor(private readonly transactions: Transactions) {}

  /**
   * Up to `limit` tools of these upstreams that have some of the query's words in their names, descriptions or parameters' names, the
   * best first; those that are held back are none.
   *
   * @param query without NUL
   * @param after the place of the one before; null for the first
   */
  find(
    tenantId: string,
    upstreams: readonly string[],
    query: string,
    after: RankedPlace | null,
    limit: number,
  ): Promise<RankedTool[]> {
    const place = [after?.rank ?? null, after?.upstream ?? null, after?.name ?? null];
    return this.transactions.query<RankedTool>(search, [tenantId, upstreams, query, ...place, limit]);
  }
}
