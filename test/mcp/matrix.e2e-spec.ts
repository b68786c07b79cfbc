import {
  type Balancer,
  BareMcp,
  connectMcp,
  connectOldMcp,
  type RevisionUpstream,
  type McpRevision,
  type McpParty,
  startBalancer,
  startRevisionUpstream,
  startWorld,
  type World,
} from '@haldir/test-support';

const VERSIONS = ['2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28'];
const ANSWERS = ['json', 'sse'] as const;

let world: World;
let balancer: Balancer;
let party: McpParty;
const upstreams = new Map<string, RevisionUpstream>();

beforeAll(async () => {
  world = await startWorld({ processes: 3 });
  balancer = await startBalancer(world.apis);
  const tenant = await world.newTenant();
  for (const version of VERSIONS) {
    for (const answers of ANSWERS) {
      const upstream = await startRevisionUpstream(version, answers);
      const name = `v${version}_${answers}`;
      upstreams.set(name, upstream);
      const { body } = await tenant.post('/v1/proxy/upstreams', { name, url: upstream.url });
      expect(body).toMatchObject({ name, healthy: true, tools_discovered: 1 });
    }
  }
  party = { url: balancer.url, key: tenant.key ?? '', session: await tenant.session({ scopes: ['execute'] }) };
});
afterAll(async () => {
  await balancer.stop();
  await Promise.all([...upstreams.values()].map((upstream) => upstream.stop()));
  await world.stop();
});

/** A client of any kind. */
interface AnyClient {
  toolNames(): Promise<string[]>;
  /** The text that the tool answers. */
  call(name: string, message: string): Promise<unknown>;
  close(): Promise<void>;
}

const textOf = (result: unknown): unknown => (result as { content: { text: string }[] }).content[0]?.text;

async function official(revision: McpRevision): Promise<AnyClient> {
  const client = await connectMcp(party, revision);
  return {
    toolNames: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name, message) => textOf(await client.callTool({ name, arguments: { message } })),
    close: () => client.close(),
  };
}

async function officialOld(): Promise<AnyClient> {
  const client = await connectOldMcp(party);
  return {
    toolNames: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name, message) => textOf(await client.callTool({ name, arguments: { message } })),
    close: () => client.close(),
  };
}

async function bare(revision: McpRevision, version?: string): Promise<AnyClient> {
  const client = new BareMcp(party, revision, version);
  return {
    toolNames: async () =>
      ((await client.ask('tools/list')).message?.result?.['tools'] as { name: string }[]).map(({ name }) => name),
    call: async (name, message) => textOf((await client.call(name, { message })).message?.result),
    close: async () => undefined,
  };
}

const CLIENTS: [kind: string, connect: () => Promise<AnyClient>][] = [
  ['the official client, version 1', officialOld],
  ['the official client, version 2, stateless', () => official('stateless')],
  ['the official client, version 2, with a handshake', () => official('handshake')],
  ['bare HTTP of 2026-07-28', () => bare('stateless')],
  ...VERSIONS.filter((version) => version < '2026').map((version): [string, () => Promise<AnyClient>] => [
    `bare HTTP of ${version}`,
    () => bare('handshake', version),
  ]),
];

it.each(CLIENTS)(
  '%s calls upstreams of every revision, whichever way they answer, over every process',
  async (_, connect) => {
    const client = await connect();
    expect((await client.toolNames()).filter((name) => name.endsWith('__echo'))).toEqual(
      [...upstreams.keys()].sort().map((name) => `${name}__echo`),
    );
    const calls = [...upstreams.keys()].flatMap((name) => Array.from({ length: 6 }, (_, i) => ({ name, i })));
    const answers = await Promise.all(calls.map(({ name, i }) => client.call(`${name}.echo`, `${i}`)));
    expect(answers).toEqual(calls.map(({ name, i }) => `${name.slice(1).replace('_', ' ')} ${i}`));
    await client.close();
    expect([...upstreams.values()].flatMap(({ faults }) => faults)).toEqual([]);
  },
);
