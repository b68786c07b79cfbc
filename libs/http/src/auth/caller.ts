import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Actor } from '@haldir/kernel';
import { type Tier } from '@haldir/runtime';

/** Who calls, and what the credential it came with is worth. */
export interface Caller {
  actor: Actor;
  /** The public id of the key; may be logged. */
  keyId: string;
  tier: Tier;
  tenantTier: Tier;
  isOperator: boolean;
  scopes: readonly string[];
}

/** What Haldir hangs on a request. */
export interface HaldirRequest extends FastifyRequest {
  caller?: Caller;
  /** Set by the parser for a body that was sent, before any defaults. */
  rawBody?: unknown;
}
export type HaldirReply = FastifyReply;

export const RESOURCES = ['sessions', 'vault', 'payments', 'audit', 'approvals', 'webhooks', 'proxy', 'admin'] as const;
export const ACTIONS = ['read', 'write'] as const;
export type KeyScope = `${(typeof RESOURCES)[number]}:${(typeof ACTIONS)[number]}`;

/** Whether a list of key scopes (`*`, `audit:*`, `*:read`, `audit:read`) grants `required`. */
export function grantsKeyScope(scopes: readonly string[], required: string): boolean {
  const [resource, action] = required.split(':');
  return scopes.some((scope) => {
    if (scope === '*') return true;
    const [heldResource, heldAction] = scope.split(':');
    return (heldResource === '*' || heldResource === resource) && (heldAction === '*' || heldAction === action);
  });
}

export const PUBLIC_ROUTE = 'haldir:public';
export const REQUIRED_SCOPE = 'haldir:scope';
/** In place of a scope, where none in particular is asked for. */
export const ANY_SCOPE = 'any';

/** What a route asks of a key, and what its refusal says besides, where the contract gives that a body of its own. */
export interface ScopeDemand {
  scope: KeyScope;
  refusal: Readonly<Record<string, unknown>>;
}

/** The route takes requests without an API key. One that is sent is still checked, unless `ignoreKey`. */
export const PublicRoute = (options: { ignoreKey: boolean } = { ignoreKey: true }) =>
  SetMetadata(PUBLIC_ROUTE, options);

/**
 * The scope a key must hold for the route. Every route that is not public names one.
 *
 * @param refusal further members of the 403, where the contract gives it a body of its own
 */
export const RequiresScope = (scope: KeyScope, refusal: ScopeDemand['refusal'] = {}) =>
  SetMetadata(REQUIRED_SCOPE, { scope, refusal } satisfies ScopeDemand);

/** The route takes any live key: what the key may do is decided by what the request asks for. */
export const RequiresKey = () => SetMetadata(REQUIRED_SCOPE, ANY_SCOPE);

/** The caller of a route that asks for a key. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<HaldirRequest>();
  if (!caller) throw new Error('@CurrentCaller() on a route without authentication');
  return caller;
});

/** Who acts, on a route that asks for a key. */
export const CurrentActor = createParamDecorator((_: unknown, context: ExecutionContext): Actor => {
  const { caller } = context.switchToHttp().getRequest<HaldirRequest>();
  if (!caller) throw new Error('@CurrentActor() on a route without authentication');
  return caller.actor;
});

/** The caller of a public route, or null when no key was sent. */
export const OptionalCaller = createParamDecorator(
  (_: unknown, context: ExecutionContext): Caller | null =>
    context.switchToHttp().getRequest<HaldirRequest>().caller ?? null,
);
