import { Body, Controller, Delete, Get, HttpStatus, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { type Actor } from '@haldir/kernel';
import {
  CurrentActor,
  Cursors,
  Refuses,
  RequiresScope,
  Returns,
  Write,
  type WriteRequest,
  Writes,
  JsonBody,
} from '@haldir/http';
import { ApprovalRuleService } from '../approval-rule.service.js';
import { DESTRUCTIVE_VERBS } from '../destructive.js';
import {
  AddApprovalRule,
  ApprovalRuleAdded,
  ApprovalRuleList,
  ApprovalRuleRemoved,
  ListApprovalRules,
  toApprovalRuleItem,
  toNewApprovalRule,
} from './approval-rule.dto.js';

@ApiTags('approvals')
@Controller(['v1/approvals/rules', 'v1/approval-rules'])
export class ApprovalRuleController {
  constructor(
    private readonly rules: ApprovalRuleService,
    private readonly writes: Writes,
    private readonly cursors: Cursors,
  ) {}

  @Post()
  @RequiresScope('approvals:write')
  @ApiOperation({
    operationId: 'addApprovalRule',
    summary: 'Add an approval rule',
    description: 'Add a rule that triggers human-in-the-loop approval for matching actions.',
  })
  @JsonBody(AddApprovalRule)
  @Returns(HttpStatus.CREATED, ApprovalRuleAdded, 'Rule added')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  add(
    @CurrentActor() actor: Actor,
    @Body({ schema: AddApprovalRule }) body: AddApprovalRule,
    @Write() write: WriteRequest,
  ): Promise<ApprovalRuleAdded> {
    return this.writes.run(write, async (tx): Promise<ApprovalRuleAdded> => {
      const { id, type } = await this.rules.add(tx, actor, toNewApprovalRule(body));
      return { added: true, type, id };
    });
  }

  @Get()
  @RequiresScope('approvals:read')
  @ApiOperation({
    operationId: 'listApprovalRules',
    summary: 'List approval rules',
    description: `List the approval rules, oldest first. A \`destructive\` rule means tools that their MCP annotation marks so, and tools whose name contains one of: ${DESTRUCTIVE_VERBS.join(', ')}.`,
  })
  @Returns(HttpStatus.OK, ApprovalRuleList, 'Approval rules')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async list(
    @CurrentActor() { tenantId }: Actor,
    @Query({ schema: ListApprovalRules }) { limit, cursor }: ListApprovalRules,
  ): Promise<ApprovalRuleList> {
    const { items, nextCursor } = await this.cursors.listByText(
      { tenantId, list: 'approval_rules', filters: {} },
      { limit, cursor },
      (count, after) => this.rules.list(tenantId, count, after),
      ({ id }) => id,
    );
    return { count: items.length, rules: items.map(toApprovalRuleItem), next_cursor: nextCursor };
  }

  @Delete(':rule_id')
  @RequiresScope('approvals:write')
  @ApiParam({ name: 'rule_id', schema: { type: 'string' } })
  @ApiOperation({
    operationId: 'removeApprovalRule',
    summary: 'Remove an approval rule',
    description: 'Remove a rule; requests that wait because of it go on waiting.',
  })
  @Returns(HttpStatus.OK, ApprovalRuleRemoved, 'Rule removed')
  @Refuses('Unauthorized', 'NotFound', 'RateLimited')
  remove(
    @CurrentActor() actor: Actor,
    @Param('rule_id') ruleId: string,
    @Write() write: WriteRequest,
  ): Promise<ApprovalRuleRemoved> {
    return this.writes.run(write, async (tx): Promise<ApprovalRuleRemoved> => {
      await this.rules.remove(tx, actor, ruleId);
      return { deleted: true, id: ruleId };
    });
  }
}
