import { Injectable } from '@nestjs/common';
import { Clock, toUnixSeconds } from '@haldir/kernel';
import { ApprovalNotFound, ApprovalService, ApprovalTellings } from '@haldir/approvals';
import {
  ApprovalDetail,
  ApprovalRequested,
  RequestApproval,
  toApprovalDetail,
  toNewApprovalRequest,
  toTelling,
} from '@haldir/approvals/http';
import { SessionInvalid, SessionService } from '@haldir/gate';
import { z } from 'zod';
import { ownTool, type OwnTools } from './own-tool.js';

const CheckApproval = z.object({ request_id: z.string('expected a request id').describe('Id of the request') });

@Injectable()
export class ApprovalTools implements OwnTools {
  constructor(
    private readonly approvals: ApprovalService,
    private readonly tellings: ApprovalTellings,
    private readonly sessions: SessionService,
    private readonly clock: Clock,
  ) {}

  readonly tools = [
    ownTool({
      name: 'requestApproval',
      title: 'Request approval',
      description: 'Ask a human about something you are about to do; poll the answer with checkApproval.',
      audience: ['agent'],
      scopes: ['approvals:request'],
      openToAgents: true,
      readOnly: false,
      input: RequestApproval,
      output: ApprovalRequested,
      run: async (args, { caller: { actor }, write }) => {
        const session = await this.sessions.findLive(actor, args.session_id);
        const wanted = await toNewApprovalRequest(args, session?.agentId ?? '', actor);
        return write(async (tx) => {
          if (!session) throw new SessionInvalid();
          const request = await this.approvals.request(tx, wanted);
          return { request_id: request.id, status: request.status, expires_at: toUnixSeconds(request.expiresAt) };
        });
      },
    }),
    ownTool({
      name: 'checkApproval',
      title: 'Check an approval',
      description: 'Whether a request for approval of this session is pending, approved, denied or expired.',
      audience: ['agent'],
      scopes: ['approvals:read', 'approvals:request'],
      openToAgents: true,
      readOnly: true,
      input: CheckApproval,
      output: ApprovalDetail,
      run: async ({ request_id: id }, { caller, sessionId }) => {
        const { actor } = caller;
        // An agent key's request outlives the session that it was made in.
        const request = actor.agent
          ? await this.approvals.getOwn(actor, id)
          : await this.approvals.get(actor.tenantId, id);
        // Another session's request is none of this agent's business.
        if (!actor.agent && request.sessionId !== sessionId) throw new ApprovalNotFound();
        return { ...toApprovalDetail(request, this.clock.now()), ...toTelling(await this.tellings.of(request)) };
      },
    }),
  ];
}
