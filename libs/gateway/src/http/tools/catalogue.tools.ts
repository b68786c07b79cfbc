import { Injectable } from '@nestjs/common';
import { InvalidInput, parseJson } from '@haldir/kernel';
import { SessionInvalid } from '@haldir/gate';
import { Cursors } from '@haldir/http';
import { type Catalogue, ToolSearch } from '@haldir/proxy';
import { z } from 'zod';
import { UpstreamTools } from '../upstream-tools.js';
import { toolName } from './call-tool.js';
import { sessionId } from './fields.js';
import { type OwnCall, ownTool, type OwnTools } from './own-tool.js';

const MAX_FOUND = 50;
const MAX_QUERY = 500;
const MAX_CURSOR = 2_000;
const QUERY_EXPECTED = `expected a text of 1 to ${MAX_QUERY} characters`;
const LIMIT_EXPECTED = `expected a whole number from 1 to ${MAX_FOUND}`;
const CURSOR_EXPECTED = 'expected the next_cursor of the page before';

const SearchTools = sessionId.extend({
  query: z
    .string(QUERY_EXPECTED)
    .min(1, QUERY_EXPECTED)
    .max(MAX_QUERY, QUERY_EXPECTED)
    .describe('Words for what is to be done, such as "create an issue"'),
  limit: z
    .int(LIMIT_EXPECTED)
    .min(1, LIMIT_EXPECTED)
    .max(MAX_FOUND, LIMIT_EXPECTED)
    .default(10)
    .describe('Max tools to return'),
  cursor: z
    .string(CURSOR_EXPECTED)
    .max(MAX_CURSOR, CURSOR_EXPECTED)
    .nullish()
    .describe('next_cursor of the page before, of the same query'),
});

const FoundTools = z.object({
  tools: z.array(z.object({ name: z.string(), upstream: z.string(), description: z.string() })),
  next_cursor: z.string().nullable().describe('For the next page; null on the last'),
  missing_upstreams: z
    .array(z.object({ name: z.string(), error: z.string() }))
    .optional()
    .describe('With the first page: upstreams whose tools nobody knows yet, and why'),
  held_back: z
    .array(z.string())
    .optional()
    .describe('With the first page: tools that cannot be called until an operator has accepted how they were changed'),
});

const DescribedTool = z.looseObject({ name: z.string(), inputSchema: z.looseObject({}) });

/** For sessions that search the tools of upstreams: they find and read the definitions that others are listed. */
@Injectable()
export class CatalogueTools implements OwnTools {
  constructor(
    private readonly upstream: UpstreamTools,
    private readonly search: ToolSearch,
    private readonly cursors: Cursors,
  ) {}

  readonly tools = [
    ownTool({
      name: 'searchTools',
      title: 'Search tools',
      description:
        'Find tools by words in their names, descriptions and parameters, the best first. Read what one takes with describeTool, and call it with callTool.',
      audience: ['searcher'],
      scopes: ['proxy:call'],
      openToAgents: true,
      readOnly: true,
      input: SearchTools,
      output: FoundTools,
      run: async ({ query, limit, cursor }, call) => {
        const { tenantId } = call.caller.actor;
        const identity = { tenantId, list: 'mcp_search', filters: { query } };
        const [rank, upstream, name] = cursor ? this.cursors.decode(identity, cursor) : [];
        const after =
          rank === undefined ? null : { rank: Number(rank), upstream: String(upstream), name: String(name) };
        const catalogue = await this.catalogueFor(call);
        const words = query.replace(/\p{Cc}/gu, ' ');
        const found = await this.search.find(tenantId, catalogue, words, after, limit + 1);
        const page = this.cursors.page(identity, found, limit, (tool) => [tool.rank, tool.upstream, tool.name]);
        return {
          tools: page.items.map((tool) => ({
            name: tool.shownName,
            upstream: tool.upstream,
            description: tool.summary,
          })),
          next_cursor: page.nextCursor,
          ...(after ? {} : remarksOn(catalogue)),
        };
      },
    }),
    ownTool({
      name: 'describeTool',
      title: 'Describe a tool',
      description: 'The whole definition of a tool: what it does, the arguments it takes, what it answers.',
      audience: ['searcher'],
      scopes: ['proxy:call'],
      openToAgents: true,
      readOnly: true,
      input: sessionId.extend({ name: toolName }),
      output: DescribedTool,
      run: async ({ name }, call) => {
        const catalogue = await this.catalogueFor(call);
        const { tools, isAmbiguous } = await this.search.named(call.caller.actor, catalogue, name);
        const [tool] = tools;
        if (!tool) throw new InvalidInput('name: no tool is called so; searchTools finds those there are', 'not_found');
        if (isAmbiguous) {
          const names = tools.map(({ shownName }) => shownName);
          throw new InvalidInput(
            `name: several tools are called so, and each is called otherwise, too: ${names.join(', ')}`,
          );
        }
        return parseJson(this.upstream.definitionOf(tool, call.revision)) as z.infer<typeof DescribedTool>;
      },
    }),
  ];

  private async catalogueFor({ caller, session, taken }: OwnCall): Promise<Catalogue> {
    if (!session) throw new SessionInvalid();
    return this.upstream.catalogueFor(caller, session, taken);
  }
}

/** What others are told beside their list, of the tools that are not in it. */
function remarksOn({ missing, heldBack }: Catalogue): Partial<z.infer<typeof FoundTools>> {
  return {
    ...(missing.length === 0 ? {} : { missing_upstreams: missing }),
    ...(heldBack.length === 0 ? {} : { held_back: heldBack }),
  };
}
