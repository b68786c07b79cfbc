import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { canonicalJson, type JsonValue } from '@haldir/kernel';
import { type JsonObject } from '@haldir/mcp';
import { ResourceCatalogue } from '../catalogue/resource-catalogue.js';
import { linkedTargets, promptsNamed, resourcesAt, type ResourceTarget } from '../catalogue/resource-lookup.js';
import { amountOf } from '../policies/amount.js';
import { type PolicySubject } from '../policies/policy.js';
import { PolicyRepository } from '../policies/policy.repository.js';
import { type NamedSubject, namesOf, namesOfAddress } from '../policies/subject-names.js';
import { UpstreamConnections } from '../upstreams/upstream-connections.js';
import { CallConclusions } from './call-conclusions.js';
import {
  type ApprovalTerms,
  type CallKind,
  type CallTraits,
  type Candidate,
  type Found,
  type SendOptions,
} from './call-kind.js';
import { type ReadOutcome } from './call-outcome.js';
import { CallPipeline } from './call-pipeline.js';
import { type CallWatch } from './call-request.js';
import { LinkedResources } from './linked-resources.js';
import { type NewRead } from './resource-read.js';
import { READ_WORDS } from './resource-read.words.js';
import { SessionLoss } from './session-loss.js';

/** What an upstream that completes nothing would answer. */
const NO_COMPLETION = { completion: { values: [], total: 0, hasMore: false } };

/** Reads resources and gets prompts for sessions, under the policies and approval rules that tools are under. */
@Injectable()
export class ResourceReadService implements CallKind<NewRead, ResourceTarget, null, JsonObject> {
  readonly failureEvent = 'proxy.read_failed';
  readonly words = READ_WORDS;

  constructor(
    private readonly pipeline: CallPipeline,
    private readonly resources: ResourceCatalogue,
    private readonly links: LinkedResources,
    private readonly policies: PolicyRepository,
    private readonly connections: UpstreamConnections,
    private readonly conclusions: CallConclusions,
  ) {}

  /** Decides a read and, if it may be done, does it. Its outcome is in the audit log before this answers. */
  async read(read: NewRead, watch: Pick<CallWatch, 'signal' | 'elicitation'> = {}): Promise<ReadOutcome> {
    return this.conclusions.conclude(await this.pipeline.perform(this, { ...read, heedsDenials: true }, watch), null);
  }

  async find({ actor, sessionId, method, subject }: NewRead): Promise<Found<ResourceTarget>> {
    const { tenantId } = actor;
    const [{ known, names }, byTenant, naming] = await Promise.all([
      this.resources.known(actor),
      this.policies.byTenants([tenantId]),
      method === 'resources/read' ? this.links.upstreamsOf(tenantId, sessionId, subject.name) : [],
    ]);
    const listed =
      subject.kind === 'prompt'
        ? promptsNamed(known, subject.name, names)
        : resourcesAt(known, subject.name, method === 'completion/complete');
    // One that has named the address is not passed over for another that lists it, or has a template for it.
    const others = linkedTargets(known, subject.name, naming).filter(({ upstream }) =>
      listed.every((each) => each.upstream.name !== upstream.name),
    );
    return { targets: [...listed, ...others], policies: byTenant.get(tenantId) ?? [] };
  }

  contradiction(): null {
    return null;
  }

  subjectOf(
    { subject, arguments: args }: NewRead,
    target: ResourceTarget | null,
  ): Omit<PolicySubject, 'agentId' | 'at'> {
    return { ...namesOfSubject(subject, target), upstream: target?.upstream.name ?? null, amount: amountOf(args) };
  }

  /** Reading destroys nothing. */
  traitsOf({ method }: NewRead, { upstream, id }: ResourceTarget): CallTraits {
    const approvable = method !== 'completion/complete';
    return { upstream, name: `${upstream.name}.${id}`, destructive: false, price: null, approvable };
  }

  upstreamOf({ upstream }: ResourceTarget): string {
    return upstream.name;
  }

  async recover(): Promise<null> {
    return null;
  }

  async confirm(): Promise<null> {
    return null;
  }

  approvalTerms({ method }: NewRead, { upstream, id, definition }: ResourceTarget): ApprovalTerms {
    return {
      action: method === 'prompts/get' ? 'prompt_get' : 'resource_read',
      tool: `${method} ${id}`,
      fingerprint: hash('sha256', canonicalJson(definition as JsonValue), 'hex'),
      shown: { upstream: upstream.name, method, subject: id },
    };
  }

  async check(): Promise<null> {
    return null;
  }

  answerHere({ request, target }: Candidate<NewRead, ResourceTarget>): JsonObject | null {
    return request.method === 'completion/complete' && !target.completions ? NO_COMPLETION : null;
  }

  async fill(): Promise<{ filled: null }> {
    return { filled: null };
  }

  async send(
    { request: { method, params }, session, target: { upstream, id } }: Candidate<NewRead, ResourceTarget>,
    _: null,
    options: SendOptions,
  ): Promise<{ kind: 'answered'; result: JsonObject }> {
    const loss = new SessionLoss(upstream.name);
    const result = await this.connections.use(upstream, (client) =>
      client.read(method, params(id), { ...options, ...loss.optionsFor(session) }),
    );
    await this.links.keep(session, upstream.name, result);
    return { kind: 'answered', result: loss.toldIn(result) };
  }
}

/** Nobody knows what an address that nobody has would mean: it has a name all the same. */
function namesOfSubject({ kind, name }: NewRead['subject'], target: ResourceTarget | null): NamedSubject {
  if (kind === 'resource') return namesOfAddress(target?.upstream.name ?? null, target?.id ?? name);
  return target
    ? namesOf(target.upstream.name, target.id, target.goesByOwnName)
    : { toolNames: [name], allowedNames: [name] };
}
