import { type KeyRing } from '@haldir/crypto';
import { type SessionService } from '@haldir/gate';
import { Cursors, type Writes } from '@haldir/http';
import { keyActor } from '@haldir/kernel';
import { type ToolSearch } from '@haldir/proxy';
import { type Asking } from './asking.js';
import { McpServer } from './mcp-server.js';
import { CatalogueTools } from './tools/catalogue.tools.js';
import { OwnToolbox } from './tools/own-toolbox.js';
import { type UpstreamTools } from './upstream-tools.js';

const catalogue = { tools: [{ shownName: 'up__one' }], missing: [], heldBack: [] };
const asking = {
  ...{ caller: { actor: keyActor('tnt_1', 'hld_k'), scopes: ['*'] }, sessionId: 'ses_1', revision: 'stateless' },
  request: { headers: {} },
} as unknown as Asking;

it.each([
  ['searchTools', { query: 'one' }],
  ['describeTool', { name: 'up__one' }],
])('%s looks its session up once', async (name, args) => {
  const found: string[] = [];
  const session = { id: 'ses_1', catalogue: 'search' };
  const look = (_: unknown, id: string): Promise<typeof session> => Promise.resolve((found.push(id), session));
  const sessions = { findLive: look, authenticate: look, get: look, catalogueOf: look } as unknown as SessionService;
  const upstream = {
    catalogueFor: (_: unknown, by: unknown) => Promise.resolve(by === session ? catalogue : null),
    definitionOf: () => '{"name":"up__one","inputSchema":{}}',
  } as unknown as UpstreamTools;
  const search = {
    find: () => Promise.resolve([]),
    named: (_: unknown, { tools }: typeof catalogue) => Promise.resolve({ tools, isAmbiguous: false }),
  } as unknown as ToolSearch;
  const none = { tools: [] };
  const searching = new CatalogueTools(upstream, search, new Cursors({} as KeyRing));
  const own = new OwnToolbox(none as never, none as never, none as never, none as never, none as never, searching);
  const writes = { earlier: () => Promise.resolve(null) } as unknown as Writes;
  const server = new McpServer(sessions, own, none as never, none as never, upstream, none as never, writes);
  const answer = await server.answer(asking, { id: 1, method: 'tools/call', params: { name, arguments: args } });
  expect(answer).toMatchObject({ structuredContent: expect.anything() as unknown });
  expect(answer).not.toHaveProperty('isError');
  expect(found).toEqual(['ses_1']);
});
