import { Conversation } from './conversation.js';
import { eventually, Stage } from './stage.for-spec.js';

let stage: Stage;
let conversation: Conversation;
beforeEach(async () => {
  stage = await Stage.open();
  const bystander = { unasked: () => undefined, said: () => undefined, room: () => null };
  conversation = new Conversation(stage.command(), bystander);
});
afterEach(async () => {
  conversation.kill();
  await conversation.exited;
  await stage.close();
});

const call = (name: string, more: object = {}) => ({
  ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
  params: { name, arguments: {}, ...more },
});

/** Resolves once it is answered. */
const answered = (request: ReturnType<typeof call>): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const lost = (): void => reject(new Error('lost'));
    conversation.ask(request, { heard: () => undefined, answered: resolve, lost });
  });

it('holds back what the server does not read: what nobody waits for by then is never sent, nor kept', async () => {
  await answered(call('recall'));
  process.kill(conversation.pid ?? 0, 'SIGSTOP');
  expect(conversation.isFull).toBe(false);
  const _meta = { padding: 'x'.repeat(1024 * 1024) };
  const asker = { heard: () => undefined, answered: () => undefined, lost: () => undefined };
  const takenBack = Array.from({ length: 60 }, () => conversation.ask(call('echo', { _meta }), asker));
  expect(conversation.isFull).toBe(true);
  for (const takeBack of takenBack) takeBack();
  const last = answered(call('recall'));
  process.kill(conversation.pid ?? 0, 'SIGCONT');
  await last;
  const made = (name: string): number => stage.seen().filter((line) => line.startsWith(`call ${name}`)).length;
  await eventually(() => expect(made('recall')).toBe(2));
  expect([made('echo') > 0, made('echo') <= 18]).toEqual([true, true]);
  expect(conversation.isFull).toBe(false);
});
