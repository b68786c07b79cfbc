import { hash } from 'node:crypto';
import { canonicalJson, type JsonValue, type MicroUsd } from '@haldir/kernel';
import { type Dialogue } from '../mcp-client/index.js';
import { type DigestDetails } from './call-details.js';

/** What makes two calls the same call. */
export interface ExactCall {
  tenantId: string;
  /** As `holderOf` has it. */
  holder: string;
  /** Its revision is that of its registration: other headers, or another authorization, are another. */
  upstream: { name: string; url: string; revision: string };
  tool: string;
  /** Of the tool's accepted definition: 64 hex digits. */
  fingerprint: string;
  arguments: Readonly<Record<string, unknown>>;
  /** What goes along with the arguments to a tool that has asked; null for a call that answers nothing. */
  answers: Answers | null;
  /** What it spends, as the rules see it. */
  amount: MicroUsd | 'unclear' | null;
  /** What it costs; null when it costs nothing. */
  price: MicroUsd | null;
  /** As `policyVersion` has it. */
  policyVersion: string;
}

/** What a call says to a tool that has asked something, and the state that the tool gave along. */
export type Answers = Pick<Dialogue, 'responses' | 'state'>;

/** What a call answers; null when that is nothing. */
export function answersIn(dialogue: Dialogue | undefined): Answers | null {
  const { responses, state } = dialogue ?? {};
  if (responses === undefined && state === undefined) return null;
  return { ...(responses === undefined ? {} : { responses }), ...(state === undefined ? {} : { state }) };
}

/**
 * SHA-256 of the RFC 8785 JSON of the call, format 3: anything else about it is another call. An approval of an earlier format
 * lets nothing through.
 *
 * ```
 * {"amount":  micro-dollars in decimal digits, "unclear", or null
 *  "answers": {"responses": {…}, "state": "…"}; only of a call that answers what its tool has asked
 *  "arguments": as they were sent
 *  "definition": the fingerprint of the tool's definition, hex
 *  "policies": the version of policies and approval rules, hex
 *  "price": micro-dollars in decimal digits, or null
 *  "registration": of the upstream, which is another once its address, its headers or its authorization was set
 *  "session": its id, or of a call by an agent key "key:" and the id of the key, except in a session that was opened from another
 *  "tenant", "tool", "upstream", "url": texts
 *  "v": "3"}
 * ```
 */
export function digestOfCall(call: ExactCall): Buffer {
  return hash(
    'sha256',
    canonicalJson({
      amount: call.amount === null ? null : call.amount.toString(),
      ...(call.answers ? { answers: call.answers as JsonValue } : {}),
      arguments: call.arguments as JsonValue,
      definition: call.fingerprint,
      policies: call.policyVersion,
      price: call.price === null ? null : call.price.toString(),
      registration: call.upstream.revision,
      session: call.holder,
      tenant: call.tenantId,
      tool: call.tool,
      upstream: call.upstream.name,
      url: call.upstream.url,
      v: '3',
    }),
    'buffer',
  );
}

/**
 * SHA-256, hex, of the RFC 8785 JSON of what calls that are approved together have in common: all that `digestOfCall` has but
 * arguments, answers and amount, and in place of the session the agent and who asks: its key, or the person. A call of which any of it is
 * another is not covered.
 */
export function basisOfCall(
  call: Pick<ExactCall, 'tenantId' | 'upstream' | 'tool' | 'fingerprint' | 'price' | 'policyVersion'>,
  { agentId, asker }: { agentId: string; asker: string },
): string {
  return hash(
    'sha256',
    canonicalJson({
      agent: agentId,
      asker,
      definition: call.fingerprint,
      policies: call.policyVersion,
      price: call.price === null ? null : call.price.toString(),
      registration: call.upstream.revision,
      tenant: call.tenantId,
      tool: call.tool,
      upstream: call.upstream.name,
      url: call.upstream.url,
      v: 'grant.1',
    }),
    'hex',
  );
}

/** What the log says of arguments and of what was answered to the tool, which may hold secrets. */
export function digestsOf(
  args: Readonly<Record<string, unknown>>,
  dialogue: Dialogue | undefined,
): Partial<DigestDetails> {
  const answers = answersIn(dialogue);
  return {
    arguments_sha256: digestOfArguments(args),
    ...(answers === null ? {} : { answers_sha256: digestOfArguments(answers) }),
  };
}

/** SHA-256, hex, of the RFC 8785 JSON of a call's arguments, which may hold secrets: what the log says of them, and grants of each. */
export function digestOfArguments(args: unknown): string {
  return hash('sha256', canonicalJson(args as JsonValue), 'hex');
}
