import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type HeldRequest } from '@haldir/approvals';
import { SessionInvalid } from '@haldir/gate';
import { type Attempt, Callers, type WriteRequest, Writes } from '@haldir/http';
import { CallConclusions, type CallOutcome, type NewCall, type PerformedCall, ToolCallService } from '@haldir/proxy';
import { type Asking } from '../asking.js';
import { type CallReply, toCallReply } from '../call-outcome.js';
import { MISSING_CAPABILITY } from '../protocol/messages.js';
import { CALL_KEY_SCOPE } from '../tool-call.js';
import { type CallTask } from './call-task.entity.js';
import { CallTasks } from './call-tasks.js';

/** That something about the call has changed, so that it waits for another approval. */
export interface HeldAnew {
  held: HeldRequest;
}

type OverOutcome = Exclude<CallOutcome, { kind: 'no_session' | 'no_key' | 'held' }>;

/** What a client is told that could not be asked, like any other that has declared nothing it can be asked. */
const ASKS_MORE: CallReply = {
  error: {
    code: MISSING_CAPABILITY,
    message: 'The tool asks for more input, which nobody can give to a task; it did not finish',
  },
};

/** Makes calls that were approved while they waited as tasks. */
@Injectable()
export class ResumedCalls {
  constructor(
    private readonly tasks: CallTasks,
    private readonly calls: ToolCallService,
    private readonly conclusions: CallConclusions,
    private readonly callers: Callers,
    private readonly writes: Writes,
  ) {}

  /**
   * Makes the call of a task once, decided anew like one that comes again, and answers the same whenever it is asked again. It goes on
   * when whoever asks has gone.
   *
   * @param task brought up to date; one whose call was certainly not made can be cancelled afterwards
   * @throws IdempotencyInProgress while it is being made; OutcomeUnknown when whoever made it died; SessionInvalid; what refuses the key
   */
  resume(asking: Asking, sessionId: string, task: CallTask): Promise<CallReply | HeldAnew | 'cancelled'> {
    const { caller, request, reply, exchange } = asking;
    const { actor } = caller;
    const { id: taskId } = task;
    const { name, args, answers } = this.tasks.callOf(task);
    exchange?.expectWaiting();
    const write: WriteRequest = {
      // Nobody comes as far as this but the task's holder, a session that may be used with several keys.
      tenantId: actor.tenantId,
      principal: '',
      route: 'MCP task',
      idempotencyKey: taskId,
      reply,
      fingerprint: () => hash('sha256', taskId, 'buffer'),
    };
    const call: NewCall = {
      actor,
      sessionId,
      tool: name,
      arguments: args,
      heedsDenials: true,
      // Nobody can be asked any more; what was answered before belongs to what was approved.
      ...(answers ? { dialogue: { capabilities: {}, ...answers } } : {}),
      recheck: () => this.callers.refusal(request, CALL_KEY_SCOPE),
    };
    return this.writes.around<PerformedCall | HeldAnew | 'cancelled', CallReply | HeldAnew | 'cancelled'>(
      write,
      2 * this.calls.longestMs,
      // Nobody else is at the task while this one has claimed the key.
      async (claim) => {
        if (!(await this.tasks.goOn(task))) return { kind: 'undone', outcome: 'cancelled' };
        try {
          return await this.attempt({ ...call, claim }, task);
        } catch (error) {
          await this.tasks.wait(task).catch(() => undefined);
          throw error;
        }
      },
      async (made, tx) => {
        if (made === 'cancelled' || 'held' in made) return made;
        const outcome = await this.conclusions.conclude(made, tx);
        if (!isOver(outcome)) throw new Error('a call that was not made has no result');
        return outcome.kind === 'asked' ? ASKS_MORE : toCallReply(outcome, asking.revision);
      },
      (made) => {
        if (made !== 'cancelled' && !('held' in made)) this.conclusions.concludeLater(made);
      },
    );
  }

  /** A task that has ended stays so, though another call might be let through; but not for what is another key's, or a session's. */
  private async attempt(call: NewCall, task: CallTask): Promise<Attempt<PerformedCall | HeldAnew>> {
    const performed = await this.calls.perform(call);
    const { outcome } = performed;
    if (isOver(outcome)) return { kind: 'done', outcome: performed };
    await this.conclusions.conclude(performed, null);
    if (outcome.kind === 'no_session') throw new SessionInvalid();
    if (outcome.kind === 'no_key') throw outcome.error;
    await this.tasks.wait(task, outcome.request);
    return { kind: 'undone', outcome: { held: outcome.request } };
  }
}

/** Whether it is the end of the task; else the call was not made and may be yet. */
function isOver(outcome: CallOutcome): outcome is OverOutcome {
  return !['no_session', 'no_key', 'held'].includes(outcome.kind);
}
