import { Injectable } from '@nestjs/common';
import { mirrorHeaders } from '@haldir/mcp';
import { HaldirConfig } from '@haldir/runtime';
import { type FoundTools, ToolLookup } from '../catalogue/tool-lookup.js';
import { type ToolTarget } from '../catalogue/tool-target.repository.js';
import { qualifiedName, splitToolName } from '../catalogue/tool-name.js';
import { type Masker } from '../masking/masker.js';
import {
  type CallOptions,
  isInputRequired,
  UpstreamTask,
  type UpstreamToolResult,
  UpstreamUnreachable,
} from '../mcp-client/index.js';
import { amountOf } from '../policies/amount.js';
import { longestCallMs } from '../policies/call-deadline.js';
import { type PolicySubject } from '../policies/policy.js';
import { type NamedSubject, namesOf } from '../policies/subject-names.js';
import { type CallDeadline, CatalogueFreshness } from '../registry/catalogue-freshness.js';
import { UpstreamHealthService } from '../registry/upstream-health.service.js';
import { UpstreamConnections } from '../upstreams/upstream-connections.js';
import { UpstreamRepository } from '../upstreams/upstream.repository.js';
import { type ApprovalTerms, type CallKind, type CallTraits, type Candidate, type SendOptions } from './call-kind.js';
import { type CallOutcome, type PerformedCall } from './call-outcome.js';
import { CallPipeline } from './call-pipeline.js';
import { type CallWatch } from './call-request.js';
import { CallSecrets, type Filled } from './call-secrets.js';
import { LinkedResources } from './linked-resources.js';
import { type SecretRefusal } from './secret-refusal.js';
import { SessionLoss } from './session-loss.js';
import { type NewCall } from './tool-call.js';
import { TOOL_CALL_WORDS } from './tool-call.words.js';

const REGISTRATION_OVER = 'its upstream was removed, or registered anew, meanwhile';

type ToolCandidate = Candidate<NewCall, ToolTarget>;

/** Calls tools for sessions, under the tenant's policies and approval rules. */
@Injectable()
export class ToolCallService implements CallKind<NewCall, ToolTarget, Filled, UpstreamToolResult> {
  readonly failureEvent = 'proxy.call_failed';
  readonly words = TOOL_CALL_WORDS;

  constructor(
    private readonly pipeline: CallPipeline,
    private readonly tools: ToolLookup,
    private readonly freshness: CatalogueFreshness,
    private readonly health: UpstreamHealthService,
    private readonly secrets: CallSecrets,
    private readonly connections: UpstreamConnections,
    private readonly upstreams: UpstreamRepository,
    private readonly links: LinkedResources,
    private readonly config: HaldirConfig,
  ) {}

  /** Longer than any call takes. */
  get longestMs(): number {
    return longestCallMs(this.config.upstreams.longestMs);
  }

  /** As `CallPipeline.perform` says. */
  perform(call: NewCall, watch: CallWatch = {}): Promise<PerformedCall> {
    return this.pipeline.perform(this, call, watch);
  }

  find({ actor, tool }: NewCall): Promise<FoundTools> {
    return this.tools.find(actor, tool);
  }

  contradiction(call: NewCall, { mirrored }: ToolTarget): { kind: 'mismatched' } | null {
    return call.repeats && !call.repeats(mirrorHeaders(mirrored, call.arguments)) ? { kind: 'mismatched' } : null;
  }

  subjectOf(call: NewCall, target: ToolTarget | null): Omit<PolicySubject, 'agentId' | 'at'> {
    return {
      upstream: target ? target.name : (splitToolName(call.tool)?.upstream ?? null),
      ...(target ? namesOf(target.name, target.tool, target.goesByOwnName) : namesOfUnknown(call.tool)),
      amount: amountOf(call.arguments, target?.price),
    };
  }

  traitsOf(_: NewCall, target: ToolTarget): CallTraits {
    const { destructive, price } = target;
    return { upstream: target, name: qualifiedName(target), destructive, price, approvable: true };
  }

  upstreamOf({ name }: ToolTarget): string {
    return name;
  }

  /** Nobody has the tool; perhaps an upstream that was dead when it was registered. */
  async recover(call: NewCall): Promise<FoundTools | null> {
    const { tenantId } = call.actor;
    const said = splitToolName(call.tool)?.upstream;
    // As models call it, most likely; upstreams may have `__` in their names, and tools too.
    const asModels = said === undefined ? /^([A-Za-z0-9-]+)__/.exec(call.tool)?.[1] : undefined;
    const isBack =
      (asModels !== undefined && (await this.health.recover(tenantId, asModels))) ||
      (await this.health.recover(tenantId, said ?? null));
    return isBack ? this.find(call) : null;
  }

  /** The upstream may have changed the tool since it was asked last: what it says now decides. */
  async confirm(
    call: NewCall,
    target: ToolTarget,
    deadline: CallDeadline,
  ): Promise<FoundTools | UpstreamUnreachable | null> {
    if (this.freshness.isFresh(target)) return null;
    return (await this.freshness.confirm(target, deadline)) ?? this.find(call);
  }

  approvalTerms(_: NewCall, { name: upstream, tool, fingerprint }: ToolTarget): ApprovalTerms {
    return { action: 'tool_call', tool, fingerprint, shown: { upstream, tool } };
  }

  async check({ request, session, target }: ToolCandidate): Promise<CallOutcome | null> {
    if (target.pending !== null) return { kind: 'drifted', upstream: target.name, tool: target.tool };
    const refusal = await this.secrets.check(request, session, target);
    return refusal && { kind: 'no_secret', refusal };
  }

  answerHere(): null {
    return null;
  }

  async fill({ request, session, target }: ToolCandidate): Promise<{ filled: Filled } | { refused: SecretRefusal }> {
    const filled = await this.secrets.fill(request, session, target);
    return 'refused' in filled ? filled : { filled };
  }

  async send(
    { session, target, decision }: ToolCandidate,
    { arguments: args, masker }: Filled,
    options: SendOptions,
  ): Promise<Extract<CallOutcome, { kind: 'answered' | 'asked' }>> {
    // What was approved is sent once; a price is held for the call, however often it is sent.
    const repeatable = target.repeatable && decision.notes.approvalId === null;
    const all = { ...(masker ? masked(options, masker) : options), repeatable, mirrored: target.mirrored };
    const loss = new SessionLoss(target.name);
    const answer = await this.connections.use(target, (client) =>
      client.callTool(target.tool, args, { ...all, ...loss.optionsFor(session) }),
    );
    const said = answer instanceof UpstreamTask ? await this.resultOf(answer, target, all) : answer;
    const result = loss.toldIn(said);
    if (isInputRequired(result)) return { kind: 'asked', question: result };
    await this.links.keep(session, target.name, result);
    return { kind: 'answered', result };
  }

  /**
   * The call stays one call: what is asked is asked about its task, each time as its upstream is registered then, and nothing
   * once that registration is over.
   */
  private resultOf(task: UpstreamTask, target: ToolTarget, options: CallOptions): Promise<UpstreamToolResult> {
    return task.result(async (method, question) => {
      const now = await this.upstreams.find(target.tenantId, target.name);
      if (now?.revision !== target.revision) throw new UpstreamUnreachable('task', { detail: REGISTRATION_OVER });
      return this.connections.use({ ...target, ...now }, (client) => client.askOfTask(method, task.id, question));
    }, options);
  }
}

/**
 * Nothing of the answer is seen before values are taken out of it. Of how far the call has come only the numbers are told: a
 * value could be divided over several messages.
 */
function masked(options: SendOptions, masker: Masker): SendOptions & Pick<CallOptions, 'mask'> {
  const { onProgress, ...rest } = options;
  return {
    ...rest,
    ...(onProgress ? { onProgress: ({ message: _, ...progress }) => onProgress(progress) } : {}),
    mask: (message) => masker.mask(message),
  };
}

/** As it was called, and without what may be its upstream. */
function namesOfUnknown(name: string): NamedSubject {
  const parts = splitToolName(name);
  const toolNames = parts ? [name, parts.tool] : [name];
  return { toolNames, allowedNames: toolNames };
}
