import { setTimeout as sleep } from 'node:timers/promises';
import { exactNumber, Unavailable, withDeadline } from '@haldir/kernel';
import { INVALID_PARAMS, isObject, type JsonObject, META, TASKS_EXTENSION } from '@haldir/mcp';
import { rpcErrorOf } from './json-rpc-response.js';
import { type CallOptions } from './mcp-client.options.js';
import { type ProtocolRevision, type UpstreamToolResult } from './mcp-protocol.js';
import { UpstreamRpcError, UpstreamUnreachable } from './mcp-client.errors.js';
import { resultIn } from './tool-result.js';
import { type Answered, MAX_HEARD_BYTES } from './transport.js';

/** Requests that say that Haldir goes on with tasks; the last three are about one. */
const DECLARING: readonly string[] = ['tools/call', 'tasks/get', 'tasks/cancel'];

/** An upstream is asked no more often, and no less; in ms, as is all that follows. */
const [MIN_PAUSE, MAX_PAUSE, DEFAULT_PAUSE] = [250, 10_000, 1_000];
/** For one question about a task. */
const QUESTION_MS = 10_000;
/** The last one comes so long before the deadline, or halfway to that. */
const LAST_MS = 1_000;
const CANCEL_MS = 2_000;
/** Questions in a row that came to nothing, for reasons that may pass; after each, the next waits twice as long. */
const MAX_FAILURES = 5;
/** Of the way there, and of what a question needs before it leaves. */
const MAY_PASS: readonly string[] = [
  ...['dns', 'connect', 'tls', 'reset', 'timeout'],
  ...['busy', 'token', 'masking', 'session'],
];
const MAX_ID_CHARS = 1_024;
const TOO_MUCH = 'at most 1 MiB of answers by which it says that a call is at work';

/** Asks the upstream about the task. @throws UpstreamUnreachable, UpstreamRpcError */
export type AskOfTask = (method: 'tasks/get' | 'tasks/cancel', options: CallOptions) => Promise<Answered>;

/** What holds for each question about a task as for the call that it is. */
type Watch = Pick<CallOptions, 'signal' | 'mask' | 'onMasked' | 'maxBytes' | 'detectionMs'>;

/** Whether the upstream may answer a call with a task: it has declared the extension (SEP-2663), and so does Haldir then. */
export function knowsTasks(revision: ProtocolRevision): boolean {
  const extensions = revision.kind === 'stateless' ? revision.capabilities?.['extensions'] : undefined;
  return isObject(extensions) && isObject(extensions[TASKS_EXTENSION]);
}

/** The params of a request, which declare tasks to an upstream that knows them. */
export function withTasks(revision: ProtocolRevision, method: string, params: JsonObject): JsonObject {
  if (!DECLARING.includes(method) || !knowsTasks(revision)) return params;
  const meta = isObject(params['_meta']) ? params['_meta'] : {};
  const capabilities = meta[META.clientCapabilities];
  const declared = { ...(isObject(capabilities) ? capabilities : {}), extensions: { [TASKS_EXTENSION]: {} } };
  return { ...params, _meta: { ...meta, [META.clientCapabilities]: declared } };
}

/**
 * In place of a result: the upstream goes on with the call as a task (`io.modelcontextprotocol/tasks`, 2026-07-28), whose result it is
 * asked for. The call has been sent, and is not sent again.
 */
export class UpstreamTask {
  private pauseMs: number;

  private constructor(
    readonly id: string,
    created: JsonObject,
    /** By `performance.now()`: of the call. */
    private readonly deadlineAt: number,
  ) {
    this.pauseMs = pauseIn(created);
  }

  /** The task that an upstream answered with; null for any other answer. @throws UpstreamUnreachable */
  static in(result: unknown, deadlineAt: number): UpstreamTask | null {
    if (!isObject(result) || result['resultType'] !== 'task') return null;
    const { taskId } = result;
    if (typeof taskId !== 'string' || taskId === '' || taskId.length > MAX_ID_CHARS || !taskId.isWellFormed())
      throw new UpstreamUnreachable('protocol');
    return new UpstreamTask(taskId, result, deadlineAt);
  }

  /**
   * Waits for the result until the deadline of the call, or until that is broken off. A task that is given up is cancelled, without
   * waiting for what the upstream says to that.
   *
   * @throws UpstreamRpcError for a task that failed with one
   * @throws UpstreamUnreachable when there is no result; the tool may have run
   */
  async result(ask: AskOfTask, { signal, ...watch }: Watch): Promise<UpstreamToolResult> {
    const ended = await this.end(ask, { ...watch, ...(signal ? { signal } : {}) }).catch((error: unknown) => {
      const detection = watch.detectionMs === undefined ? {} : { detectionMs: watch.detectionMs };
      void ask('tasks/cancel', { ...detection, deadlineMs: CANCEL_MS }).catch(() => undefined);
      throw ofSentCall(error);
    });
    const { status, result, error } = ended;
    if (status === 'failed') throw rpcErrorOf(error, 200);
    if (status === 'cancelled') throw new UpstreamUnreachable('task', { detail: 'the upstream cancelled it' });
    return resultIn(result);
  }

  /** The task once it is over. */
  private async end(ask: AskOfTask, watch: Watch): Promise<JsonObject> {
    let room = MAX_HEARD_BYTES;
    for (let failures = 0, isLast = false; !isLast;) {
      isLast = await this.pause(Math.min(MAX_PAUSE, this.pauseMs * 2 ** failures), watch.signal);
      let answered: Answered;
      try {
        answered = await this.get(ask, watch);
        failures = 0;
      } catch (error) {
        if (!mayPass(error) || ++failures >= MAX_FAILURES) throw error;
        continue;
      }
      const { result: task, bytes } = answered;
      const status = isObject(task) ? task['status'] : undefined;
      if (!isObject(task)) throw new UpstreamUnreachable('protocol');
      if (status === 'completed' || status === 'failed' || status === 'cancelled') return task;
      if (status === 'input_required')
        throw new UpstreamUnreachable('task', {
          detail: 'it asks for input, which Haldir does not pass on from a task',
        });
      if (status !== 'working') throw new UpstreamUnreachable('protocol');
      room -= bytes;
      if (room < 0) throw new UpstreamUnreachable('too_large', { detail: TOO_MUCH });
      this.pauseMs = pauseIn(task);
    }
    throw new UpstreamUnreachable('timeout');
  }

  private get(ask: AskOfTask, watch: Watch): Promise<Answered> {
    const ms = Math.max(1, Math.min(QUESTION_MS, this.leftMs));
    return withDeadline(ask('tasks/get', { ...watch, deadlineMs: ms }), {
      ms,
      signal: watch.signal,
      error: (why) => new UpstreamUnreachable(why),
    });
  }

  /** Answers whether there is time for one more question alone. */
  private async pause(pauseMs: number, signal: AbortSignal | undefined): Promise<boolean> {
    const { leftMs } = this;
    if (leftMs <= 0) throw new UpstreamUnreachable('timeout');
    const untilLast = Math.max(leftMs - LAST_MS, leftMs / 2);
    await sleep(Math.min(pauseMs, untilLast), undefined, signal ? { signal } : {}).catch(() => {
      throw new UpstreamUnreachable('aborted');
    });
    return pauseMs >= untilLast;
  }

  private get leftMs(): number {
    return this.deadlineAt - performance.now();
  }
}

function pauseIn({ pollIntervalMs }: JsonObject): number {
  const wanted = exactNumber(pollIntervalMs);
  if (typeof wanted !== 'number' || Number.isNaN(wanted)) return DEFAULT_PAUSE;
  return Math.min(MAX_PAUSE, Math.max(MIN_PAUSE, wanted));
}

/** Whether the same may be asked again: it tells nothing of the task, which the upstream keeps. Nor does what is wrong here, as with a database. */
function mayPass(error: unknown): boolean {
  if (error instanceof UpstreamRpcError) return error.rpcCode !== INVALID_PARAMS;
  if (!(error instanceof UpstreamUnreachable)) return true;
  const { reason, status } = error;
  return (
    MAY_PASS.includes(reason) || (reason === 'http_status' && status !== null && (status >= 500 || status === 429))
  );
}

/** What is wrong with a question about a task is no answer to the call, which was sent. */
function ofSentCall(error: unknown): unknown {
  if (error instanceof UpstreamRpcError) {
    const detail = `the upstream answered the question for it with error ${error.rpcCode}`;
    return new UpstreamUnreachable('task', { detail, cause: error });
  }
  if (error instanceof Unavailable)
    return new UpstreamUnreachable('task', { detail: 'what a question for it needs was not there', cause: error });
  return error instanceof UpstreamUnreachable ? error.afterCall() : error;
}
