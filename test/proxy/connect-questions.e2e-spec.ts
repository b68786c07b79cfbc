import { join } from 'node:path';
import { type Client as McpClient } from '@modelcontextprotocol/client';
import {
  type ConnectCommand,
  connectMcp,
  decidePending,
  eventually,
  type McpParty,
  type McpRevision,
  type Scenario,
} from '@haldir/test-support';
import { ConnectorStage } from './connector-stage.js';

let stage: ConnectorStage;
let scenario: Scenario;
beforeAll(async () => void (stage = await ConnectorStage.start()));
afterAll(() => stage.stop());
let command: ConnectCommand;
beforeEach(async () => {
  scenario = await stage.begin();
  command = await stage.command({ options: ['--per-session'] });
});
afterEach(() => stage.end());

type Answer = { action: 'accept' | 'decline' | 'cancel'; content?: Record<string, string> };
const REFUSED = '{"code":-32601,"message":"Method not found"}';

/** A client whose human answers so; null for one that cannot be asked. What was asked, as it comes. */
async function connect(
  answer: ((message: string) => Promise<Answer> | Answer) | null,
  { revision = 'handshake', session = scenario.session }: { revision?: McpRevision; session?: string } = {},
): Promise<{ client: McpClient; asked: string[] }> {
  const party: McpParty = { url: stage.balancer.url, key: scenario.tenant.key ?? '', session };
  const asked: string[] = [];
  const client = await connectMcp(party, revision, {
    ...(answer ? { capabilities: { elicitation: { form: {} } } } : {}),
    prepare: (it) => {
      if (!answer) return;
      it.setRequestHandler('elicitation/create', ({ params }) => {
        asked.push(params.message);
        return answer(params.message);
      });
    },
  });
  return { client, asked };
}

async function ask(client: McpClient, question = 'who?'): Promise<unknown> {
  const { content } = await client.callTool({ name: 'up__ask', arguments: { question } });
  return (content as { text: string }[])[0]?.text;
}
const greetings = (): string[] => command.seen().filter((line) => line.startsWith('initialize'));

describe('a server for each session that asks in the middle of a call', () => {
  it.each([[{ action: 'accept', content: { name: 'Frodo' } }], [{ action: 'decline' }], [{ action: 'cancel' }]] as [
    Answer,
  ][])('is told what the human at the client says, by whichever process it comes: %j', async (answer) => {
    const { client, asked } = await connect(() => answer);
    // The call is at one process, what is said to it may come to the other.
    for (const question of ['one?', 'two?', 'three?']) expect(await ask(client, question)).toBe(JSON.stringify(answer));
    expect(asked).toEqual(['one?', 'two?', 'three?']);
    expect(greetings().at(-1)).toBe('initialize {"elicitation":{"form":{}}}');
    const entries = await scenario.callEntries('up.ask');
    const digest = expect.stringMatching(/^[0-9a-f]{64}$/) as string;
    expect(entries.map(({ details }) => details)).toMatchObject(
      Array.from({ length: 3 }, () => ({ decision: 'allowed', result: 'ok', answers_sha256: digest })),
    );
    await client.close();
  });

  it('asks for a prompt, too', async () => {
    const { client, asked } = await connect(() => ({ action: 'decline' }));
    const named = async (): Promise<string[]> => (await client.listPrompts()).prompts.map(({ name }) => name);
    await eventually(async () => expect(await named()).toHaveLength(1));
    const [name = ''] = await named();
    const { messages } = await client.getPrompt({ name });
    expect([JSON.stringify(messages).includes('decline'), asked]).toEqual([true, ['for a prompt?']]);
    await client.close();
  });

  it.each([
    ['without elicitation', 'handshake'],
    ['of 2026-07-28, which is asked in results', 'stateless'],
  ] as const)('is offered nothing by a client %s, and told so when it asks', async (_, revision) => {
    const { client, asked } = await connect(revision === 'stateless' ? () => ({ action: 'accept' }) : null, {
      revision,
    });
    expect(await ask(client)).toBe(REFUSED);
    expect([...new Set(greetings()), asked]).toEqual(['initialize {}', []]);
    await client.close();
  });

  it('asks whoever has called, of those that share a session', async () => {
    const { client, asked } = await connect(() => ({ action: 'accept', content: { name: 'Frodo' } }));
    expect(await ask(client, 'first?')).toContain('Frodo');
    expect(await stage.call('up.ask', { question: 'over REST?' })).toEqual([REFUSED]);
    const other = await connect(null);
    expect(await ask(other.client, 'another?')).toBe(REFUSED);
    const session = await stage.session('another');
    const third = await connect(() => ({ action: 'decline' }), { session });
    expect(await ask(third.client, 'of another session?')).toContain('decline');
    expect([asked, third.asked]).toEqual([['first?'], ['of another session?']]);
    await Promise.all([client.close(), other.client.close(), third.client.close()]);
  });

  it('asks nobody while another call is under way in the session: an approved one asks of no other client', async () => {
    const { client, asked } = await connect(() => ({ action: 'accept', content: { name: 'Mallory' } }));
    await scenario.policy('require_approval', { scope: { tools: ['up.ask'] } });
    const args = { question: 'how much?', later: true };
    await scenario.call('up.ask', args);
    await decidePending(scenario.tenant, 'approve');
    const approved = scenario.call('up.ask', args);
    await eventually(() => expect(command.seen().join()).toContain('call ask'));
    const leaving = new AbortController();
    const other = client.callTool({ name: 'up__wait', arguments: {} }, { signal: leaving.signal }).catch(() => null);
    const { body } = await approved;
    expect([body.content[0]?.text, asked]).toEqual([expect.stringContaining('whose client to ask'), []]);
    leaving.abort();
    await other;
    await client.close();
  });

  it('is the official one, too', async () => {
    const program = join(import.meta.dirname, '..', 'support', 'official-stdio-server.mjs');
    await stage.command({ name: 'official', options: ['--per-session'], server: ['--', process.execPath, program] });
    const { client, asked } = await connect(() => ({ action: 'accept', content: { name: 'Frodo' } }));
    const { content } = await client.callTool({ name: 'official__greet', arguments: {} });
    expect([JSON.stringify(content).includes('Frodo'), asked]).toEqual([true, ['What is your name?']]);
    await client.close();
  });

  it('waits for a human for longer than it may itself take', async () => {
    await scenario.tenant.patch('/v1/proxy/upstreams/up', { timeout: 5 });
    const { client } = await connect(
      () => new Promise((resolve) => setTimeout(() => resolve({ action: 'decline' }), 7_000)),
    );
    expect(await ask(client)).toContain('decline');
    await client.close();
  });

  it('is not told what is said for a session that has ended meanwhile', async () => {
    const session = await stage.session('short');
    const { client } = await connect(
      async () => {
        await scenario.tenant.delete(`/v1/sessions/${session}`);
        return { action: 'accept', content: { name: 'Mallory' } };
      },
      { session },
    );
    await ask(client).catch(() => undefined);
    await client.close();
    await eventually(() => expect(command.processes()).toHaveLength(1));
    expect(command.seen().join()).not.toContain('Mallory');
  });
});
