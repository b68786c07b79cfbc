import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type HeldRequest } from '@haldir/approvals';
import { SessionInvalid } from '@haldir/gate';
import { Callers, type WriteRequest, Writes } from '@haldir/http';
import { attemptOf, CallConclusions, type NewCall, type PerformedCall, ToolCallService } from '@haldir/proxy';
import { type Asking } from '../asking.js';
import { type CallReply, toCallReply } from '../call-outcome.js';
import { CALL_KEY_SCOPE } from '../tool-call.js';
import { type KeptCall } from './call-tasks.js';

/** That something about the call has changed, so that it waits for another approval. */
export interface HeldAnew {
  held: HeldRequest;
}

/** Makes calls that were approved while they waited as tasks. */
@Injectable()
export class ResumedCalls {
  constructor(
    private readonly calls: ToolCallService,
    private readonly conclusions: CallConclusions,
    private readonly callers: Callers,
    private readonly writes: Writes,
  ) {}

  /**
   * Makes the call of a task once, decided anew like one that comes again, and answers the same whenever it is asked again. It goes on
   * when whoever asks has gone.
   *
   * @throws IdempotencyInProgress while it is being made; OutcomeUnknown when whoever made it died; SessionInvalid
   */
  resume(asking: Asking, sessionId: string, taskId: string, kept: KeptCall): Promise<CallReply | HeldAnew> {
    const { caller, request, reply, exchange } = asking;
    const { actor } = caller;
    const { name, args, answers } = kept;
    exchange?.expectWaiting();
    const write: WriteRequest = {
      // Nobody comes as far as this but the task's holder, a session that may be used with several keys.
      ...{ tenantId: actor.tenantId, principal: '', route: 'MCP task', idempotencyKey: taskId, reply },
      fingerprint: () => hash('sha256', taskId, 'buffer'),
    };
    const call: NewCall = {
      ...{ actor, sessionId, tool: name, arguments: args, heedsDenials: true },
      // Nobody can be asked any more; what was answered before belongs to what was approved.
      ...(answers ? { dialogue: { capabilities: {}, ...answers } } : {}),
      recheck: () => this.callers.refusal(request, CALL_KEY_SCOPE),
    };
    return this.writes.around<PerformedCall | HeldAnew, CallReply | HeldAnew>(
      write,
      2 * this.calls.longestMs,
      async (claim) => {
        const performed = await this.calls.perform({ ...call, claim });
        const { outcome } = performed;
        if (outcome.kind === 'no_session') return attemptOf(performed);
        // A task that has ended stays so, though another call might be let through.
        if (outcome.kind !== 'held') return { kind: 'done', outcome: performed };
        await this.conclusions.conclude(performed, null);
        return { kind: 'undone', outcome: { held: outcome.request } };
      },
      async (made, tx) => {
        if ('held' in made) return made;
        const outcome = await this.conclusions.conclude(made, tx);
        if (outcome.kind === 'no_session') throw new SessionInvalid();
        return outcome.kind === 'held' ? { held: outcome.request } : toCallReply(outcome, asking.revision);
      },
      (made) => {
        if (!('held' in made)) this.conclusions.concludeLater(made);
      },
    );
  }
}
