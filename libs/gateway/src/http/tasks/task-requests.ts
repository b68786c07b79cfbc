import { Injectable } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { ApprovalService } from '@haldir/approvals';
import { IdempotencyInProgress, OutcomeUnknown } from '@haldir/http';
import { type JsonObject, TASKS_EXTENSION } from '@haldir/mcp';
import { type Asking } from '../asking.js';
import { type CallReply, refused, toCallReply } from '../call-outcome.js';
import { HeldRequests } from '../held-requests.js';
import { INVALID_PARAMS, MISSING_CAPABILITY, RpcError, SERVER_ERROR } from '../protocol/messages.js';
import { type CallTask } from './call-task.entity.js';
import { CallTasks } from './call-tasks.js';
import { ResumedCalls } from './resumed-calls.js';
import { declaresTasks, factsOf } from './task-shape.js';

const METHODS: readonly string[] = ['tasks/get', 'tasks/update', 'tasks/cancel'];

/** What `tasks/get` says of a task besides what never changes. */
type TaskState =
  | { status: 'working' | 'cancelled'; statusMessage: string }
  | { status: 'completed'; result: JsonObject }
  | { status: 'failed'; error: JsonObject };

/**
 * Calls that wait for approval as tasks (`io.modelcontextprotocol/tasks`, SEP-2663 of MCP): whoever made one asks for its result by an
 * id, after hours and after a restart, at any process. The call is made when it is asked for once it was approved, and made once:
 * its result is kept as under an `Idempotency-Key`.
 */
@Injectable()
export class TaskRequests {
  constructor(
    private readonly tasks: CallTasks,
    private readonly approvals: ApprovalService,
    private readonly calls: ResumedCalls,
    private readonly held: HeldRequests,
    private readonly clock: Clock,
  ) {}

  isTaskRequest({ revision }: Asking, method: string): boolean {
    return revision === 'stateless' && METHODS.includes(method);
  }

  /**
   * Answers `tasks/get`, `tasks/update` and `tasks/cancel`. No task asks anything: what `tasks/update` brings is taken and means nothing.
   *
   * @throws RpcError for a client that has not declared tasks, and for a task that the caller does not have
   */
  async answer(asking: Asking, method: string, params: JsonObject): Promise<JsonObject> {
    const requiredCapabilities = { extensions: { [TASKS_EXTENSION]: {} } };
    if (!declaresTasks(params))
      throw new RpcError(MISSING_CAPABILITY, `The client has to declare the extension ${TASKS_EXTENSION}`, {
        status: 400,
        data: { requiredCapabilities },
      });
    const { taskId } = params;
    if (typeof taskId !== 'string') throw new RpcError(INVALID_PARAMS, 'params.taskId: expected a text');
    const { caller, sessionId } = asking;
    const task = sessionId === null ? null : await this.tasks.find(caller.actor, sessionId, taskId);
    if (sessionId === null || !task)
      throw new RpcError(
        INVALID_PARAMS,
        'params.taskId: expected the taskId of a call made by this key, less than a day old',
      );
    if (method === 'tasks/get') return { ...factsOf(task), ...(await this.stateOf(asking, sessionId, task)) };
    if (method === 'tasks/cancel') await this.tasks.cancel(task);
    return {};
  }

  private async stateOf(asking: Asking, sessionId: string, task: CallTask): Promise<TaskState> {
    if (task.state === 'cancelled') return CANCELLED;
    const { requestId } = task;
    const request = await this.approvals.get(task.tenantId, requestId);
    const isOver = request.expiresAt <= this.clock.now();
    if (request.status === 'pending' && !isOver)
      return waiting(this.held.waitingWords(asking, { ...request, requestId }));
    if (request.status === 'denied') return ended(toCallReply({ kind: 'denied', requestId }, 'stateless'));
    if (request.status !== 'approved') return ended({ result: refused({ ...EXPIRED, request_id: requestId }) });
    return (await this.tasks.goOn(task)) ? this.made(asking, sessionId, task) : CANCELLED;
  }

  /** What became of the call, which is made now if it was not yet. */
  private async made(asking: Asking, sessionId: string, task: CallTask): Promise<TaskState> {
    try {
      const made = await this.calls.resume(asking, sessionId, task.id, this.tasks.callOf(task));
      if (!('held' in made)) return ended(made);
      await this.tasks.wait(task, made.held);
      return waiting(this.held.waitingWords(asking, made.held));
    } catch (error) {
      if (error instanceof IdempotencyInProgress) return waiting('It was approved, and is being made.');
      if (!(error instanceof OutcomeUnknown)) throw error;
      const message = 'The call was made, and nobody knows what became of it; it is not made again.';
      return { status: 'failed', error: { code: SERVER_ERROR, message, data: { code: error.code } } };
    }
  }
}

const CANCELLED: TaskState = { status: 'cancelled', statusMessage: 'It was cancelled before it was made.' };
const EXPIRED = {
  status: 'approval_expired',
  message: 'Nobody has decided about this call in time; it was not made. Make it again to ask anew.',
};

function waiting(statusMessage: string): TaskState {
  return { status: 'working', statusMessage };
}

function ended(reply: CallReply): TaskState {
  if ('result' in reply) return { status: 'completed', result: reply.result };
  const { code, message, data } = reply.error;
  return { status: 'failed', error: { code, message, ...(data === undefined ? {} : { data }) } };
}
