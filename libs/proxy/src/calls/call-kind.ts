import { type MicroUsd } from '@haldir/kernel';
import { type ApprovalRule } from '@haldir/approvals';
import { type Session } from '@haldir/gate';
import { type CallOptions, type UpstreamUnreachable } from '../mcp-client/index.js';
import { type Policy, type PolicySubject } from '../policies/policy.js';
import { type CallDeadline } from '../registry/catalogue-freshness.js';
import { type CalledUpstream } from '../upstreams/upstream-address.js';
import { type CallDecision, type CallNotes } from './call-decision.js';
import { type CallDetails, type DigestDetails } from './call-details.js';
import { type CallOutcome } from './call-outcome.js';
import { type CallRequest, type CallWatch } from './call-request.js';
import { type SecretRefusal } from './secret-refusal.js';

/** What a request means right now. */
export interface Found<Target> {
  /** One, none when nothing has the name, several when it is ambiguous. */
  targets: readonly Target[];
  /** Of the tenant. */
  policies: readonly Policy[];
}

/** What the steps between finding and sending know of what is called. */
export interface CallTraits {
  upstream: CalledUpstream;
  /** As approvals have it: `upstream.name`. */
  name: string;
  destructive: boolean;
  /** Null when it costs nothing. */
  price: MicroUsd | null;
  /** Whether somebody may be asked to approve it. */
  approvable: boolean;
}

/** What an approval is bound to, and what whoever decides is shown, beside the arguments. */
export interface ApprovalTerms {
  action: string;
  /** As the digest has it. */
  tool: string;
  /** Of the definition, 64 hex digits. */
  fingerprint: string;
  shown: Readonly<Record<string, unknown>>;
}

/** A call of a live session to something known, which no policy refuses as far as the call alone can tell. */
export interface Candidate<Request extends CallRequest = CallRequest, Target = unknown> {
  request: Request;
  session: Session;
  target: Target;
  traits: CallTraits;
  policies: readonly Policy[];
  rules: readonly ApprovalRule[];
  decision: CallDecision;
}

/** How a call is sent. */
export type SendOptions = Omit<CallWatch, 'elicitation'> &
  Pick<CallOptions, 'elicitation' | 'dialogue' | 'onMasked' | 'deadlineMs' | 'longestMs' | 'detectionMs' | 'maxBytes'>;

/** How tool calls and reads differ; everything else is one pipeline (`CallPipeline`). */
export interface CallKind<Request extends CallRequest, Target, Filled, Result> {
  /** Resolve: what the request means, and the policies that are about it. */
  find(request: Request): Promise<Found<Target>>;

  /** What is wrong with the request itself; null when nothing is. */
  contradiction(request: Request, target: Target): CallOutcome<Result> | null;

  /** As policies see it; what is unknown goes by the name that was asked for. */
  subjectOf(request: Request, target: Target | null): Omit<PolicySubject, 'agentId' | 'at'>;

  traitsOf(request: Request, target: Target): CallTraits;

  /** Of the upstreams that have what is ambiguous. */
  upstreamOf(target: Target): string;

  /** Looks once more for what nobody seems to have; null when that is useless. */
  recover(request: Request): Promise<Found<Target> | null>;

  /** Asks the upstream whether what is known of it still holds; null when that is known well enough. */
  confirm(
    request: Request,
    target: Target,
    deadline: CallDeadline,
  ): Promise<Found<Target> | UpstreamUnreachable | null>;

  approvalTerms(request: Request, target: Target): ApprovalTerms;

  /** What keeps the call from being made at all, before anybody is asked or anything is used up for it; null for nothing. */
  check(candidate: Candidate<Request, Target>): Promise<CallOutcome<Result> | null>;

  /** What is answered without any upstream; null for what has to be asked. */
  answerHere(candidate: Candidate<Request, Target>): Result | null;

  /** Fill: what is sent, with secrets in place of references. */
  fill(candidate: Candidate<Request, Target>): Promise<{ filled: Filled } | { refused: SecretRefusal }>;

  /** Send. @throws UpstreamRpcError, UpstreamUnreachable */
  send(
    candidate: Candidate<Request, Target>,
    filled: Filled,
    options: SendOptions,
  ): Promise<Extract<CallOutcome<Result>, { kind: 'answered' | 'asked' }>>;

  /** Of the operator's log, when the peer was wrong in a way nobody thought of. */
  readonly failureEvent: string;

  /** Record. */
  readonly words: EntryWords<Request, Target, Result>;
}

/** What the log says of one kind of call. */
export interface EntryWords<Request, Target, Result> {
  /** `_blocked` and `_held` are added to it. */
  actionOf(request: Request): string;
  nameOf(request: Request, target: Target | null): string;
  readonly unknown: string;
  readonly ambiguous: string;
  resultOf(result: Result): 'ok' | 'tool_error' | 'input_required';
  /** What it takes to decide the call again. */
  factsOf(notes: CallNotes, target: Target | null): Partial<CallDetails>;
  /** Of arguments and answers, which may hold secrets. */
  digestsOf(request: Request): Partial<DigestDetails>;
}
