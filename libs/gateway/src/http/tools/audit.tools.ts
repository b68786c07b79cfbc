import { Injectable } from '@nestjs/common';
import { AuditLog } from '@haldir/audit-log';
import { SessionService } from '@haldir/gate';
import { Cursors, MAX_LIMIT } from '@haldir/http';
import { AuditTrailService, SpendService } from '@haldir/watch';
import {
  ActionLogged,
  AuditEntryList,
  auditPage,
  ListAuditEntries,
  LogAction,
  SpendAnswer,
  SpendQuery,
  spendPage,
  toActionLogged,
  toRecord,
} from '@haldir/watch/http';
import { z } from 'zod';
import { ownTool, type OwnTools } from './own-tool.js';

const LIMIT_EXPECTED = `expected a whole number from 1 to ${MAX_LIMIT}`;

const limit = z
  .int(LIMIT_EXPECTED)
  .min(1, LIMIT_EXPECTED)
  .max(MAX_LIMIT, LIMIT_EXPECTED)
  .default(100)
  .describe('Max entries to return');

/** The query of the REST operation, with JSON's own types where a URL has only text. */
const GetAuditTrail = ListAuditEntries.extend({
  flagged: z.boolean('expected true or false').optional().describe('Only flagged entries, or only those that are not'),
  limit,
});

const GetSpend = SpendQuery.extend({ limit });

@Injectable()
export class AuditTools implements OwnTools {
  constructor(
    private readonly auditLog: AuditLog,
    private readonly trail: AuditTrailService,
    private readonly spending: SpendService,
    private readonly sessions: SessionService,
    private readonly cursors: Cursors,
  ) {}

  readonly tools = [
    ownTool({
      name: 'logAction',
      title: 'Log an action',
      description: 'Write down what was done in the tamper-evident log. The answer says whether it looks unusual.',
      audience: ['agent', 'operator'],
      scopes: ['audit:write'],
      openToAgents: true,
      readOnly: false,
      input: LogAction,
      output: ActionLogged,
      run: async (args, { caller: { actor }, isIdempotent, write }) => {
        const session = await this.sessions.findLive(actor, args.session_id);
        if (!isIdempotent) return toActionLogged(await this.auditLog.append(actor, toRecord(args, session)));
        return write(async (tx) => {
          const recorded = this.auditLog.record(tx, actor, toRecord(args, session));
          await tx.flush();
          return toActionLogged(recorded);
        });
      },
    }),
    ownTool({
      name: 'getAuditTrail',
      title: 'Query the audit trail',
      description:
        'Entries of the log, newest first, by session, agent, tool, action, decision, rule, upstream, actor, time and whether they are flagged.',
      audience: ['operator'],
      scopes: ['audit:read'],
      readOnly: true,
      input: GetAuditTrail,
      output: AuditEntryList,
      run: (query, { caller }) => auditPage(this.trail, this.cursors, caller.actor.tenantId, query),
    }),
    ownTool({
      name: 'getSpend',
      title: 'Get a spend summary',
      description: 'What was spent, by tool and agent, and the payments authorized.',
      audience: ['operator'],
      scopes: ['audit:read'],
      readOnly: true,
      input: GetSpend,
      output: SpendAnswer,
      run: (args, { caller }) => spendPage(this.spending, this.cursors, caller.actor.tenantId, args),
    }),
  ];
}
