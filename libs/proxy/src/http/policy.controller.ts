import { Body, Controller, Delete, Get, HttpStatus, Param, Patch, Post, Query } from '@nestjs/common';
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
import { PolicyService } from '../policies/policy.service.js';
import {
  AddProxyPolicy,
  ChangeProxyPolicy,
  ListProxyPolicies,
  ProxyPolicy,
  ProxyPolicyAdded,
  ProxyPolicyList,
  ProxyPolicyRemoved,
  toNewPolicy,
  toProxyPolicy,
  toTerms,
} from './policy.dto.js';

@ApiTags('proxy')
@Controller('v1/proxy/policies')
export class PolicyController {
  constructor(
    private readonly policies: PolicyService,
    private readonly writes: Writes,
    private readonly cursors: Cursors,
  ) {}

  @Post()
  @RequiresScope('proxy:write')
  @ApiOperation({
    operationId: 'addProxyPolicy',
    summary: 'Add a governance policy',
    description:
      'Add a policy to the proxy that controls which tools agents can use. Supported types: block_tool, allow_list, deny_list, spend_limit, rate_limit, time_window.',
  })
  @JsonBody(AddProxyPolicy)
  @Returns(HttpStatus.CREATED, ProxyPolicyAdded, 'Policy added')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  add(
    @CurrentActor() actor: Actor,
    @Body({ schema: AddProxyPolicy }) body: AddProxyPolicy,
    @Write() write: WriteRequest,
  ): Promise<ProxyPolicyAdded> {
    return this.writes.run(write, async (tx): Promise<ProxyPolicyAdded> => {
      const { id, rule } = await this.policies.add(tx, actor, toNewPolicy(body));
      return { added: true, type: rule.type, id };
    });
  }

  @Get()
  @RequiresScope('proxy:read')
  @ApiOperation({
    operationId: 'listProxyPolicies',
    summary: 'List governance policies',
    description: 'List all active proxy governance policies, by type, mode and upstream.',
  })
  @Returns(HttpStatus.OK, ProxyPolicyList, 'Active policies')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async list(
    @CurrentActor() { tenantId }: Actor,
    @Query({ schema: ListProxyPolicies }) { limit, cursor, ...filter }: ListProxyPolicies,
  ): Promise<ProxyPolicyList> {
    const { items, nextCursor } = await this.cursors.listByText(
      { tenantId, list: 'proxy_policies', filters: filter },
      { limit, cursor },
      (count, after) => this.policies.list(tenantId, filter, count, after),
      ({ id }) => id,
    );
    return { policies: items.map(toProxyPolicy), count: items.length, next_cursor: nextCursor };
  }

  @Patch(':policy_id')
  @RequiresScope('proxy:write')
  @ApiParam({ name: 'policy_id', description: 'Policy ID', schema: { type: 'string' } })
  @ApiOperation({
    operationId: 'changeProxyPolicy',
    summary: 'Change mode, scope or priority of a governance policy',
    description:
      'Enforce a policy that was `log_only`, or give it another scope or priority; what is left out stays. Calls that begin afterwards are decided by it. A rate limit keeps what it has counted.',
  })
  @JsonBody(ChangeProxyPolicy)
  @Returns(HttpStatus.OK, ProxyPolicy, 'The policy as it is now')
  @Refuses('BadRequest', 'Unauthorized', 'NotFound', 'RateLimited')
  change(
    @CurrentActor() actor: Actor,
    @Param('policy_id') id: string,
    @Body({ schema: ChangeProxyPolicy }) body: ChangeProxyPolicy,
    @Write() write: WriteRequest,
  ): Promise<ProxyPolicy> {
    return this.writes.run(write, async (tx): Promise<ProxyPolicy> =>
      toProxyPolicy(await this.policies.change(tx, actor, id, toTerms(body))),
    );
  }

  @Delete(':policy_id')
  @RequiresScope('proxy:write')
  @ApiParam({ name: 'policy_id', description: 'Policy ID', schema: { type: 'string' } })
  @ApiOperation({
    operationId: 'removeProxyPolicy',
    summary: 'Remove a governance policy',
    description: 'Remove a policy; calls that begin afterwards are decided without it.',
  })
  @Returns(HttpStatus.OK, ProxyPolicyRemoved, 'Policy removed')
  @Refuses('Unauthorized', 'NotFound', 'RateLimited')
  remove(
    @CurrentActor() actor: Actor,
    @Param('policy_id') id: string,
    @Write() write: WriteRequest,
  ): Promise<ProxyPolicyRemoved> {
    return this.writes.run(write, async (tx): Promise<ProxyPolicyRemoved> => {
      await this.policies.remove(tx, actor, id);
      return { deleted: true, id };
    });
  }
}
