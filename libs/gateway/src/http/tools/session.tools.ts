import { Injectable } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { SessionService } from '@haldir/gate';
import {
  CheckPermission,
  CreateSession,
  PermissionResult,
  SessionCreated,
  SessionDetail,
  SessionRevoked,
  toNewSession,
  toSessionCreated,
  toSessionDetail,
} from '@haldir/gate/http';
import { Metrics } from '@haldir/runtime';
import { sessionId } from './fields.js';
import { ownTool, type OwnTools } from './own-tool.js';

@Injectable()
export class SessionTools implements OwnTools {
  constructor(
    private readonly sessions: SessionService,
    private readonly metrics: Metrics,
    private readonly clock: Clock,
  ) {}

  readonly tools = [
    ownTool({
      name: 'createSession',
      title: 'Create a session',
      description:
        'Create a scoped session for an agent with explicit permissions, a time to live and an optional budget; or, with parent_session_id, a part of another.',
      audience: ['operator'],
      scopes: ['sessions:write'],
      readOnly: false,
      input: CreateSession,
      output: SessionCreated,
      run: async (args, { caller: { actor }, isIdempotent, write }) => {
        const wanted = toNewSession(actor, args);
        return isIdempotent
          ? write(async (tx) => toSessionCreated(await this.sessions.openIn(tx, actor, wanted)))
          : toSessionCreated(await this.sessions.open(actor, wanted));
      },
    }),
    ownTool({
      name: 'getSession',
      title: 'Get a session',
      description: 'The current state of a session: its scopes, what is spent, what remains of its budget.',
      audience: ['operator'],
      scopes: ['sessions:read'],
      readOnly: true,
      input: sessionId,
      output: SessionDetail,
      run: async ({ session_id: id }, { caller }) =>
        toSessionDetail(caller.actor, await this.sessions.get(caller.actor, id), this.clock.now()),
    }),
    ownTool({
      name: 'revokeSession',
      title: 'Revoke a session',
      description: 'Revoke a session for good; the next request anywhere is refused.',
      audience: ['operator'],
      scopes: ['sessions:write'],
      readOnly: false,
      input: sessionId,
      output: SessionRevoked,
      run: ({ session_id: id }, { caller, write }) =>
        write(async (tx): Promise<SessionRevoked> => {
          await this.sessions.revoke(tx, caller.actor, id);
          return { revoked: true, session_id: id };
        }),
    }),
    ownTool({
      name: 'checkPermission',
      title: 'Check a permission',
      description: 'Whether the session holds a scope. Ask before an operation that may be refused.',
      audience: ['agent', 'operator'],
      scopes: ['sessions:read'],
      openToAgents: true,
      readOnly: true,
      input: sessionId.extend(CheckPermission.shape),
      output: PermissionResult,
      run: async ({ session_id: id, scope }, { caller }) => {
        const allowed = await this.sessions.holds(caller.actor, id, scope);
        this.metrics.countDecision('permission', allowed ? 'allowed' : 'denied');
        return { allowed, session_id: id, scope };
      },
    }),
  ];
}
