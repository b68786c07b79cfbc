import { hash, type KeyObject } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type Actor, Clock, newId, parseJson, stringifyJson } from '@haldir/kernel';
import { type HeldRequest } from '@haldir/approvals';
import { associatedData, KeyRing, open, seal } from '@haldir/crypto';
import { type Dialogue } from '@haldir/proxy';
import { type ToolCall } from '../tool-call.js';
import { CallTask } from './call-task.entity.js';
import { type CallTaskFacts, CallTaskRepository } from './call-task.repository.js';
import { TASK_TTL_MS } from './task-shape.js';

/** A call as it was made. */
export type KeptCall = Pick<ToolCall, 'name' | 'args'> & { answers: Pick<Dialogue, 'responses' | 'state'> | null };

/** The key is derived, so it has one version. */
const KEY_VERSION = 1;

/** Calls that wait as tasks, for their results to be asked for: kept for all processes, and sealed. */
@Injectable()
export class CallTasks {
  private sealingKey: KeyObject | undefined;

  constructor(
    private readonly tasks: CallTaskRepository,
    private readonly keys: KeyRing,
    private readonly clock: Clock,
  ) {}

  /**
   * Keeps a call that waits for approval; it can be asked for once this is answered. One that was made before, and waits for the same
   * approval, is the task that it was.
   *
   * @param isAlone whether its client says that it is like no other, however alike they are
   */
  async begin(
    actor: Actor,
    sessionId: string,
    call: ToolCall,
    request: HeldRequest,
    isAlone = false,
  ): Promise<CallTask> {
    const now = this.clock.now();
    const { name, args, dialogue } = call;
    const { responses, state } = dialogue ?? {};
    const answers =
      responses === undefined && state === undefined
        ? null
        : { ...(responses ? { responses } : {}), ...(state === undefined ? {} : { state }) };
    const kept: KeptCall = { name, args, answers };
    const key = { tenantId: actor.tenantId, id: newId('tsk', 32) };
    const task = Object.assign(new CallTask(), {
      ...key,
      holderHash: hashOf(actor, sessionId),
      madeFor: isAlone ? key.id : request.requestId,
      requestId: request.requestId,
      sealed: seal(this.key(), KEY_VERSION, Buffer.from(stringifyJson(kept)), placeOf(key)),
      state: 'open' as const,
      createdAt: now,
      updatedAt: now,
      expiresAt: new Date(now.getTime() + TASK_TTL_MS),
    });
    return this.tasks.insert(task);
  }

  /** Null where the actor has no such task, whoever else may have one. */
  async find(actor: Actor, sessionId: string, id: string): Promise<CallTask | null> {
    const task = await this.tasks.find(actor.tenantId, id, this.clock.now());
    return task?.holderHash.equals(hashOf(actor, sessionId)) ? task : null;
  }

  /** The call of a task. @throws SealBroken */
  callOf({ sealed, ...key }: CallTask): KeptCall {
    return parseJson(open(this.key(), sealed, placeOf(key)).toString()) as KeptCall;
  }

  /**
   * Whether its call may be made: from now on it cannot be cancelled.
   *
   * @param task brought up to date
   */
  async goOn(task: CallTask): Promise<boolean> {
    return this.isNow(task, await this.tasks.goOn(task, this.clock.now()));
  }

  /**
   * Its call was not made: it waits for another approval, if that is named, and can be cancelled again. Without effect on one that waits
   * for something else by now.
   *
   * @param task brought up to date
   */
  async wait(task: CallTask, { requestId }: Pick<HeldRequest, 'requestId'> = task): Promise<void> {
    this.isNow(task, await this.tasks.wait(task, requestId, this.clock.now()));
  }

  /** Without effect once its call went on. */
  cancel(task: CallTask): Promise<void> {
    return this.tasks.cancel(task, this.clock.now());
  }

  private isNow(task: CallTask, facts: CallTaskFacts | null): boolean {
    if (facts) Object.assign(task, facts);
    return facts !== null;
  }

  private key(): KeyObject {
    return (this.sealingKey ??= this.keys.derive('haldir.mcp-task.v1'));
  }
}

/** Whatever a client calls its session, it reads like no key. */
function hashOf({ agent, id }: Actor, sessionId: string): Buffer {
  return hash('sha256', JSON.stringify(agent ? ['key', id] : ['session', sessionId]), 'buffer');
}

function placeOf({ tenantId, id }: Pick<CallTask, 'tenantId' | 'id'>): Buffer {
  return associatedData(['haldir.mcp-task.v1', tenantId, id]);
}
