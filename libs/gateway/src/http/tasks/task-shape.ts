import { isObject, type JsonObject, META, TASKS_EXTENSION } from '@haldir/mcp';
import { MISSING_CAPABILITY, RpcError } from '../protocol/messages.js';
import { type CallTask } from './call-task.entity.js';

/** As long as an answer is kept under an `Idempotency-Key`, which is how the result of a task is kept. */
export const TASK_TTL_MS = 24 * 3600 * 1000;
const POLL_MS = 2_000;

/** Whether the client can go on with a task in place of a result. */
export function declaresTasks({ _meta: meta }: JsonObject): boolean {
  const capabilities = isObject(meta) ? meta[META.clientCapabilities] : undefined;
  const extensions = isObject(capabilities) ? capabilities['extensions'] : undefined;
  return isObject(extensions) && isObject(extensions[TASKS_EXTENSION]);
}

/** @throws RpcError for a client that has not declared tasks */
export function requireTasks(params: JsonObject): void {
  if (declaresTasks(params)) return;
  throw new RpcError(MISSING_CAPABILITY, `The client has to declare the extension ${TASKS_EXTENSION}`, {
    status: 400,
    data: { requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } } },
  });
}

/** What is said of a task whenever something is. */
export function factsOf({ id, createdAt, updatedAt }: CallTask): JsonObject {
  return {
    taskId: id,
    createdAt: createdAt.toISOString(),
    lastUpdatedAt: updatedAt.toISOString(),
    ttlMs: TASK_TTL_MS,
    pollIntervalMs: POLL_MS,
  };
}
