import { join } from 'node:path';
import {
  type ConnectCommand,
  connectMcp,
  eventually,
  type McpParty,
  type McpRevision,
  type Scenario,
  startCli,
  startStatefulUpstream,
} from '@haldir/test-support';
import { descendantsOf, listeningSocketsOf } from '../../scripts/embedded/processes.mjs';
import { ConnectorStage } from './connector-stage.js';

let stage: ConnectorStage;
let scenario: Scenario;
beforeAll(async () => void (stage = await ConnectorStage.start()));
afterAll(() => stage.stop());
beforeEach(async () => void (scenario = await stage.begin()));
afterEach(() => stage.end());

const connect = (...options: Parameters<ConnectorStage['command']>): Promise<ConnectCommand> =>
  stage.command(...options);
const call = (tool: string, args: object = {}, session = scenario.session): Promise<string[]> =>
  stage.call(`up.${tool}`, args, session);
const partyOf = (session = scenario.session): McpParty => ({
  ...{ url: stage.balancer.url, key: scenario.tenant.key ?? '', session },
});

const isGone = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

const REVISIONS: McpRevision[] = ['stateless', 'handshake'];
const LINES = 'a\u2028b\u2029c\r\nd 😀';

describe('a server on standard streams', () => {
  it('is called over REST and /mcp, with any text, by every process, and nothing listens for it', async () => {
    const command = await connect();
    for (let i = 0; i < 4; i++) expect(await call('echo', { text: LINES })).toEqual([LINES]);
    for (const revision of REVISIONS) {
      const client = await connectMcp(partyOf(), revision);
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toContain('up__echo');
      const { content } = await client.callTool({ name: 'up__echo', arguments: { text: LINES } });
      expect(content).toEqual([{ type: 'text', text: LINES }]);
      await client.close();
    }
    expect(command.seen().filter((line) => line.startsWith('initialize'))).toHaveLength(1);
    const tree = [command.pid, ...command.processes()];
    expect(tree.length).toBeGreaterThan(1);
    for (const pid of tree) expect(listeningSocketsOf(pid)).toEqual([]);
    expect(listeningSocketsOf(stage.world.apis[0]?.pid ?? 0)).not.toEqual([]);
    expect(await scenario.callEntries('up.echo')).toHaveLength(6);
  });

  it('reports progress to the agent that waits, and is told when that has gone', async () => {
    const command = await connect();
    const client = await connectMcp(partyOf());
    const heard: number[] = [];
    const params = { name: 'up__steps', arguments: { steps: 3 } };
    await client.callTool(params, { onprogress: ({ progress }) => void heard.push(progress) });
    expect(heard.at(-1)).toBe(3);
    const leaving = new AbortController();
    const waiting = client.callTool({ name: 'up__wait', arguments: {} }, { signal: leaving.signal });
    await eventually(() => expect(command.seen()).toContain('call wait {}'));
    leaving.abort();
    await expect(waiting).rejects.toThrow();
    await eventually(() => expect(command.seen()).toContain('cancelled wait'));
    await client.close();
  });

  it.each(['handshake', 'stateless'] as const)('says that its list has changed (%s)', async (revision) => {
    await connect({ revision });
    // No call has it asked.
    const { status } = await scenario.tenant.patch('/v1/proxy/upstreams/up', { tools_max_age: 300 });
    expect(status).toBe(200);
    const names = (): Promise<string[]> => scenario.toolNames(scenario.agent());
    expect(await names()).not.toContain('up__changed');
    await eventually(async () => {
      await call('change');
      expect(await names()).toContain('up__changed');
    });
  });

  it('of the revision without sessions asks an agent, who answers', async () => {
    const program = join(import.meta.dirname, '..', 'support', 'official-stdio-server.mjs');
    await connect({ server: ['--', process.execPath, program] });
    for (const revision of REVISIONS) {
      const client = await connectMcp(partyOf(), revision, {
        capabilities: { elicitation: {} },
        prepare: (it) =>
          it.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { name: 'Frodo' } })),
      });
      const { content } = await client.callTool({ name: 'up__greet', arguments: {} });
      expect(JSON.stringify(content)).toContain('Frodo');
      await client.close();
    }
  });

  it('is given secrets that its key was allowed, and no agent is shown them', async () => {
    const value = 'ghp_0123456789abcdef';
    await scenario.tenant.post('/v1/secrets', { name: 'token', value });
    const options = ['--env', 'TOKEN=Bearer {{vault:token}}'];
    const command = await connect({ options, secrets: ['token'] });
    const [said = ''] = await call('environment');
    expect(said).toContain('"TOKEN":"Bearer ');
    expect(said).not.toContain(value);
    expect(said).not.toContain('HALDIR');
    await call('noise', { text: `token ${value}` });
    await eventually(() => expect(command.said()).toContain('up: token '));
    expect(command.said()).not.toContain(value);
  });

  it('that dies in a call has that call fail, and is there for the next', async () => {
    const command = await connect();
    const { status, body } = await scenario.call('up.die');
    expect([status, body.code]).toEqual([502, 'upstream_unreachable']);
    await eventually(async () => expect((await call('echo', { text: 'back' }))[0]).toBe('back'));
    expect(command.seen().filter((line) => line.startsWith('call die'))).toHaveLength(1);
    expect(command.said()).toContain('exited with 3');
  });

  it('ends with its connector, which gives its lease back', async () => {
    const command = await connect();
    const [started = ''] = await call('spawn');
    const tree = [...command.processes(), Number(started)];
    expect(await command.stop()).toBe(0);
    await eventually(() => expect(tree.map(isGone)).toEqual(tree.map(() => true)));
    const { status, body } = await scenario.call('up.echo', { text: 'x' });
    expect([status, body.error]).toEqual([502, expect.stringContaining('run `haldir connect up`')]);
  });
});

describe('a server for each session', () => {
  it('keeps what one agent does from another, by every process, and ends with the session', async () => {
    const command = await connect({ options: ['--per-session'] });
    const [one, two] = [await stage.session('one'), await stage.session('two')];
    await call('remember', { text: 'of one' }, one);
    await call('remember', { text: 'of two' }, two);
    for (let i = 0; i < 3; i++) {
      expect(await call('recall', {}, one)).toEqual(['of one']);
      expect(await call('recall', {}, two)).toEqual(['of two']);
      expect(await call('recall', {}, two)).toEqual(['of two']);
    }
    const [pid] = await call('pid', {}, one);
    expect(command.processes()).toContain(Number(pid));
    await scenario.tenant.delete(`/v1/sessions/${one}`);
    await eventually(() => expect(command.processes()).not.toContain(Number(pid)));
    expect(await call('recall', {}, two)).toEqual(['of two']);
  });

  it('passes on progress, cancellations, and that its list has changed', async () => {
    const command = await connect({ options: ['--per-session'] });
    const client = await connectMcp(partyOf());
    const heard: number[] = [];
    const params = { name: 'up__steps', arguments: { steps: 2 } };
    await client.callTool(params, { onprogress: ({ progress }) => void heard.push(progress) });
    expect(heard.at(-1)).toBe(2);
    const leaving = new AbortController();
    const waiting = client.callTool({ name: 'up__wait', arguments: {} }, { signal: leaving.signal });
    await eventually(() => expect(command.seen()).toContain('call wait {}'));
    leaving.abort();
    await expect(waiting).rejects.toThrow();
    await eventually(() => expect(command.seen()).toContain('cancelled wait'));
    await client.close();
  });
});

it.each([
  ['SIGTERM once', ['SIGTERM'], 0],
  ['SIGINT once', ['SIGINT'], 0],
  ['SIGINT, told again as SIGTERM and SIGHUP', ['SIGINT', 'SIGTERM', 'SIGHUP'], 0],
  ['SIGTERM again and again', ['SIGTERM'], 130],
] as [string, NodeJS.Signals[], number][])(
  'a server that does not answer when it is started ends with its connector: %s',
  async (_, signals, code) => {
    // It is asked to end by the end of its input and by SIGTERM, and ends by neither.
    const script = `
      process.on('SIGTERM', () => 0);
      process.stdin.on('end', () => console.error('its input is closed')).resume();
      console.error('is there');
      setInterval(() => 0, 1_000);
    `;
    const command = ['connect', 'up', '--', process.execPath, '-e', script];
    const { child, ended, said } = startCli({ HALDIR_URL: stage.balancer.url, HALDIR_API_KEY: 'none' }, ...command);
    await eventually(() => expect(said()).toContain('up: is there'));
    const tree = descendantsOf(child.pid ?? 0);
    expect(tree).toHaveLength(1);
    for (const signal of signals) child.kill(signal);
    await eventually(() => expect(said()).toContain('up: its input is closed'));
    const again = setInterval(() => code === 130 && child.kill(signals[0]), 100);
    expect((await ended).code).toBe(code);
    clearInterval(again);
    await eventually(() => expect(tree.map(isGone)).toEqual([true]));
  },
);

describe('a connector that is killed', () => {
  it.each([[[]], [['--per-session']]])(
    'leaves a call that was made once, with one outcome, and no server (%j)',
    async (options) => {
      const command = await connect({ options });
      const tree = command.processes();
      const calling = scenario.call('up.wait');
      await eventually(() => expect(command.seen()).toContain('call wait {}'));
      const seen = command.seen();
      await command.kill();
      await eventually(() => expect(tree.map(isGone)).toEqual(tree.map(() => true)));
      // Its lease runs out.
      await stage.world.sql('UPDATE connector_lease SET ends_at = now()');
      const { status, body } = await calling;
      expect([status, body.code]).toEqual([502, 'upstream_unreachable']);
      expect(seen.filter((line) => line.startsWith('call'))).toEqual(['call wait {}']);
      const next = await connect({ options });
      expect(await call('echo', { text: 'back' })).toContain('back');
      const entries = await scenario.callEntries('up.wait');
      expect(entries.map(({ action }) => action)).toEqual([expect.stringMatching(/^tool_call/)]);
      expect(next.seen().filter((line) => line.startsWith('call wait'))).toEqual([]);
    },
  );
});

it('a server at an address that only its machine reaches has its sessions, and is called like any other', async () => {
  const upstream = scenario.keep(await startStatefulUpstream());
  const command = await connect({ server: ['--url', upstream.url] });
  const [one, two] = [await stage.session('one'), await stage.session('two')];
  await call('goto', { page: 'of one' }, one);
  await call('goto', { page: 'of two' }, two);
  expect(await call('page', {}, one)).toEqual(['of one']);
  expect(await call('page', {}, two)).toEqual(['of two']);
  await scenario.tenant.delete(`/v1/sessions/${one}`);
  await eventually(() => expect([...upstream.pages.values()]).not.toContain('of one'));
  expect(listeningSocketsOf(command.pid)).toEqual([]);
});
