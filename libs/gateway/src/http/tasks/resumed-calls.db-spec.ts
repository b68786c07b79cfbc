import { createSecretKey, randomBytes } from 'node:crypto';
import { newId } from '@haldir/kernel';
import { type KeyRing } from '@haldir/crypto';
import { dataSourceOptions, Transactions } from '@haldir/database';
import { type Attempt, MissingKeyScope, type Writes } from '@haldir/http';
import { type CallOutcome, type PerformedCall } from '@haldir/proxy';
import { testDatabase } from '@haldir/test-support';
import { DataSource } from 'typeorm';
import { type Asking } from '../asking.js';
import { type ToolCall } from '../tool-call.js';
import { CallTask } from './call-task.entity.js';
import { CallTaskRepository } from './call-task.repository.js';
import { CallTasks } from './call-tasks.js';
import { ResumedCalls } from './resumed-calls.js';

const SESSION = 'ses_1';
const key = createSecretKey(randomBytes(32));
let dataSource: DataSource;
let now: Date;
let tasks: CallTasks;
let asking: Asking;
let concluded: string[];
beforeAll(async () => {
  dataSource = await new DataSource({
    ...dataSourceOptions(await testDatabase(), 4),
    entities: [CallTask],
  }).initialize();
  const derive = { derive: () => key } as Partial<KeyRing> as KeyRing;
  tasks = new CallTasks(new CallTaskRepository(new Transactions(dataSource)), derive, { now: () => now });
});
afterAll(() => dataSource.destroy());
beforeEach(async () => {
  const tenantId = newId('tnt');
  await dataSource.query(`INSERT INTO tenant (id, tier, created_at) VALUES ($1, 'free', now())`, [tenantId]);
  [now, concluded] = [new Date('2026-01-01T00:00:00Z'), []];
  asking = { caller: { actor: { tenantId, id: 'hld_a', agent: null } }, reply: {} } as Partial<Asking> as Asking;
});

const held = (requestId: string) => ({
  requestId,
  reason: 'why',
  expiresAt: now,
  isNew: true,
  notified: 'pending' as const,
});
const begin = (requestId = 'apr_1'): Promise<CallTask> => {
  const call = { name: 'up.pay', args: {}, dialogue: null } as Partial<ToolCall> as ToolCall;
  return tasks.begin(asking.caller.actor, SESSION, call, held(requestId));
};
const found = async ({ id }: CallTask): Promise<CallTask> => {
  const task = await tasks.find(asking.caller.actor, SESSION, id);
  if (!task) throw new Error('no such task');
  return task;
};

/** Resumes a task whose call comes to this; `work` has what became of the key that stands for it. */
async function resume(task: CallTask, perform: () => Promise<CallOutcome>) {
  const work: string[] = [];
  const around = async (
    _: unknown,
    __: number,
    call: (claim: null) => Promise<Attempt<unknown>>,
    finish: (outcome: unknown, tx: null) => Promise<unknown>,
  ): Promise<unknown> => {
    const attempt = await call(null);
    work.push(attempt.kind);
    if (attempt.kind === 'interrupted') throw attempt.error;
    return finish(attempt.outcome, null);
  };
  const calls = new ResumedCalls(
    tasks,
    { longestMs: 1, perform: async () => ({ outcome: await perform() }) } as never,
    {
      conclude: async ({ outcome }: PerformedCall) => (concluded.push(outcome.kind), outcome),
      concludeLater: () => undefined,
    } as never,
    {} as never,
    { around } as Partial<Writes> as Writes,
  );
  const made = await calls.resume(asking, SESSION, task).catch((error: Error) => error);
  return { made, work };
}

describe('a task whose call was not made', () => {
  const missing = new MissingKeyScope('proxy:call');
  const reasons: [why: string, perform: () => Promise<CallOutcome>, logged: string[]][] = [
    ['as its session has ended', async () => ({ kind: 'no_session' }), ['no_session']],
    ['as its key may not', async () => ({ kind: 'no_key', error: missing }), ['no_key']],
    ['as the database was away', () => Promise.reject(new Error('away')), []],
  ];
  it.each(reasons)('%s keeps no result, and can be cancelled', async (_, perform, log) => {
    const task = await begin();
    const { made, work } = await resume(task, perform);
    expect([made, work, concluded]).toEqual([expect.any(Error), [], log]);
    expect(await found(task)).toMatchObject({ state: 'open', requestId: 'apr_1' });
    await tasks.cancel(task);
    expect((await resume(await found(task), async () => ({ kind: 'no_session' }))).made).toBe('cancelled');
  });

  it('as it has to be approved anew waits for that approval', async () => {
    const task = await begin();
    now = new Date(now.getTime() + 1_000);
    const { made, work } = await resume(task, async () => ({ kind: 'held', request: held('apr_2') }));
    expect([made, work]).toEqual([{ held: held('apr_2') }, ['undone']]);
    expect(task).toMatchObject({ state: 'open', requestId: 'apr_2', updatedAt: now });
  });

  it('is not opened again by one that found it waiting for another approval', async () => {
    const task = await begin();
    const late = await found(task);
    await tasks.goOn(task);
    await tasks.wait(task, held('apr_2'));
    await tasks.goOn(task);
    await tasks.wait(late, held('apr_3'));
    expect(await found(task)).toMatchObject({ state: 'called', requestId: 'apr_2' });
  });
});

it('a task whose tool asks for more than was answered has failed', async () => {
  const { made, work } = await resume(await begin(), async () => ({
    kind: 'asked',
    question: { resultType: 'input_required', inputRequests: {} },
  }));
  expect([made, work]).toMatchObject([{ error: { code: -32021 } }, ['done']]);
});

it("a session that is named like an agent key's holder is another", async () => {
  const { actor } = asking.caller;
  const agent = { ...actor, id: 'hld_agent', agent: { agentId: 'a' } } as never;
  const call = { name: 'up.pay', args: {}, dialogue: null } as Partial<ToolCall> as ToolCall;
  const { id } = await tasks.begin(agent, SESSION, call, held('apr_1'));
  expect(await tasks.find(agent, 'ses_other', id)).not.toBeNull();
  for (const sessionId of ['key:hld_agent', 'hld_agent', SESSION])
    expect(await tasks.find(actor, sessionId, id)).toBeNull();
});
