import { Injectable } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { ApprovalService } from '@haldir/approvals';
import { SessionService } from '@haldir/gate';
import { grantsKeyScope, IdempotencyInProgress, MissingKeyScope, OutcomeUnknown } from '@haldir/http';
import { INVALID_PARAMS, type JsonObject } from '@haldir/mcp';
import { type Asking } from '../asking.js';
import { type CallReply, refused, toCallReply } from '../call-outcome.js';
import { HeldRequests } from '../held-requests.js';
import { RpcError, SERVER_ERROR } from '../protocol/messages.js';
import { CALL_KEY_SCOPE } from '../tool-call.js';
import { type CallTask } from './call-task.entity.js';
import { CallTasks } from './call-tasks.js';
import { ResumedCalls } from './resumed-calls.js';
import { factsOf, requireTasks } from './task-shape.js';

const METHODS: readonly string[] = ['tasks/get', 'tasks/update', 'tasks/cancel'];

/** What `tasks/get` says of a task besides what never changes. */
type TaskState =
  | { status: 'working' | 'cancelled'; statusMessage: string }
  | { status: 'completed'; result: JsonObject }
  | { status: 'failed'; statusMessage: string; error: JsonObject };

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
    private readonly sessions: SessionService,
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
   * @throws SessionInvalid; RpcError for a client that has not declared tasks, a key that may not call tools, and a task that the caller
   *   does not have
   */
  async answer(asking: Asking, method: string, params: JsonObject): Promise<JsonObject> {
    requireTasks(params);
    const { taskId } = params;
    if (typeof taskId !== 'string') throw new RpcError(INVALID_PARAMS, 'params.taskId: expected a text');
    const { caller, sessionId } = asking;
    if (!grantsKeyScope(caller.scopes, CALL_KEY_SCOPE)) {
      const { message, code, details } = new MissingKeyScope(CALL_KEY_SCOPE);
      throw new RpcError(SERVER_ERROR, message, { data: { code, ...details } });
    }
    if (sessionId !== null) await this.sessions.authenticate(caller.actor, sessionId);
    const task = sessionId === null ? null : await this.tasks.find(caller.actor, sessionId, taskId);
    if (sessionId === null || !task)
      throw new RpcError(
        INVALID_PARAMS,
        'params.taskId: expected the taskId of a call made by this key, less than a day old',
      );
    if (method === 'tasks/get') {
      const state = await this.stateOf(asking, sessionId, task);
      return { ...factsOf(task), ...state };
    }
    if (method === 'tasks/cancel') await this.tasks.cancel(task);
    return {};
  }

  /** @param task brought up to date with what has become of it */
  private async stateOf(asking: Asking, sessionId: string, task: CallTask): Promise<TaskState> {
    if (task.state === 'cancelled') return CANCELLED;
    const { requestId } = task;
    const request = await this.approvals.get(task.tenantId, requestId);
    const isOver = request.expiresAt <= this.clock.now();
    if (request.status === 'pending' && !isOver)
      return waiting(this.held.waitingWords(asking, { ...request, requestId }));
    // The row has what its holder did.
    if (request.status !== 'approved') task.updatedAt = request.decidedAt ?? request.expiresAt;
    if (request.status === 'denied') return ended(toCallReply({ kind: 'denied', requestId }, 'stateless'));
    if (request.status !== 'approved') return ended({ result: refused({ ...EXPIRED, request_id: requestId }) });
    return this.made(asking, sessionId, task);
  }

  /** What became of the call, which is made now if it was not yet. */
  private async made(asking: Asking, sessionId: string, task: CallTask): Promise<TaskState> {
    try {
      const made = await this.calls.resume(asking, sessionId, task);
      if (made === 'cancelled') return CANCELLED;
      return 'held' in made ? waiting(this.held.waitingWords(asking, made.held)) : ended(made);
    } catch (error) {
      if (error instanceof IdempotencyInProgress) return waiting('It was approved, and is being made.');
      if (!(error instanceof OutcomeUnknown)) throw error;
      const message = 'The call was made, and nobody knows what became of it; it is not made again.';
      return ended({ error: { code: SERVER_ERROR, message, data: { code: error.code } } });
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
  return {
    status: 'failed',
    statusMessage: message,
    error: { code, message, ...(data === undefined ? {} : { data }) },
  };
}
