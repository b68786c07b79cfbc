import {
  type BareMcp,
  type ResourceUpstream,
  Scenario,
  sharedWorld,
  startResourceUpstream,
  type World,
} from '@haldir/test-support';

let world: World;
let scenario: Scenario;
let red: ResourceUpstream;
beforeAll(async () => {
  world = await sharedWorld();
});
beforeEach(async () => {
  scenario = await Scenario.begin(world);
  red = scenario.keep(await startResourceUpstream('red'));
  await scenario.register('red', red.url);
});
afterEach(() => scenario.end());

const LINK = 'doc://red/made/1';
const read = async (uri: string, agent: BareMcp = scenario.agent()): Promise<unknown> => {
  const { message } = await agent.ask('resources/read', { uri }, { 'mcp-name': uri });
  return (message?.result?.['contents'] as { text: string }[] | undefined)?.[0]?.text ?? message?.error?.message;
};
/** Has red's tool link to addresses. */
const link = async (...links: string[]): Promise<void> => {
  red.links = links;
  const { message } = await scenario.agent().call('red__noop');
  expect(message?.result?.content).toHaveLength(links.length);
};

describe('a resource that a tool links to, and nobody lists', () => {
  it('is read in the session that it was named to, at every process, and in no other', async () => {
    expect(await read(LINK)).toBe('Resource not found');
    await link(LINK);
    for (const { url } of world.apis) expect(await read(LINK, scenario.agent().at(url))).toBe(`red has ${LINK}`);
    expect(await read(`haldir://upstream/red/${LINK}`)).toBe(`red has ${LINK}`);
    expect(await read('doc://red/made/2')).toBe('Resource not found');
    const other = await scenario.tenant.session({ scopes: ['execute'] });
    expect(await read(LINK, scenario.agent('stateless', other))).toBe('Resource not found');
    const entries = await scenario.entries('resource_read');
    expect(entries.filter(({ tool }) => tool === `red.${LINK}`)).toHaveLength(world.apis.length + 1);
  });

  it('is under the policies of the tenant, as one that is listed is', async () => {
    await link(LINK);
    await scenario.policy('deny_list', { tools: [LINK] });
    expect(await read(LINK)).toContain('deny');
    expect(red.asked.filter((method) => method === 'resources/read')).toEqual([]);
  });

  it('is named with its upstreams when two have named it', async () => {
    const blue = scenario.keep(await startResourceUpstream('blue'));
    await scenario.register('blue', blue.url);
    blue.links = [LINK];
    await scenario.agent().call('blue__noop');
    await link(LINK);
    const { message } = await scenario.agent().ask('resources/read', { uri: LINK }, { 'mcp-name': LINK });
    expect(message?.error?.data).toMatchObject({ upstreams: ['blue', 'red'] });
    expect(await read(`haldir://upstream/blue/${LINK}`)).toBe(`blue has ${LINK}`);
  });

  it('is not taken for what another upstream lists, or has a template for', async () => {
    const blue = scenario.keep(await startResourceUpstream('blue'));
    blue.templates = [{ uriTemplate: 'doc://red/{+rest}', name: 'All' }];
    await scenario.register('blue', blue.url);
    expect(await read(LINK)).toBe(`blue has ${LINK}`);
    await link(LINK);
    const { message } = await scenario.agent().ask('resources/read', { uri: LINK }, { 'mcp-name': LINK });
    expect(message?.error?.data).toMatchObject({ upstreams: ['blue', 'red'] });
  });

  it('is forgotten when its upstream is registered again, or removed', async () => {
    const links = async (): Promise<unknown> =>
      (await world.sql('SELECT 1 FROM linked_resource WHERE session_id = $1', [scenario.session])).length;
    await link(LINK);
    await scenario.register('red', red.url);
    expect([await read(LINK), await links()]).toEqual(['Resource not found', 0]);
    await link(LINK);
    expect(await links()).toBe(1);
    await scenario.tenant.delete('/v1/proxy/upstreams/red');
    expect(await links()).toBe(0);
  });

  it('is kept of a thousand of a session, and of what is no address nothing', async () => {
    for (let i = 0; i < 5; i++) await link(...Array.from({ length: 256 }, (_, n) => `doc://red/${i}/${n}`));
    expect([await read('doc://red/0/0'), await read('doc://red/4/255')]).toEqual([
      ...['red has doc://red/0/0', 'Resource not found'],
    ]);
    await link('', 'x'.repeat(5_000));
    const [{ links } = { links: 0 }] = await world.sql<{ links: number }>(
      'SELECT count(*)::integer AS links FROM linked_resource WHERE session_id = $1',
      [scenario.session],
    );
    expect(links).toBe(1_000);
  });
});

it('a resource that a prompt links to is read as well', async () => {
  red.links = [LINK];
  await scenario.agent().ask('prompts/get', { name: 'red.greet' }, { 'mcp-name': 'red.greet' });
  expect(await read(LINK)).toBe(`red has ${LINK}`);
});
