import { applyDecorators, createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Actor } from '@haldir/kernel';
import { type Tier } from '@haldir/runtime';
import { onRoute, type RouteSettings } from '../platform/route-settings.js';

/** Who calls, and what the credential it came with is worth. */
export interface Caller {
  actor: Actor;
  /** The session that an agent key goes on with, when it names none; null when there is none, or nobody goes on with any. */
  session: { id: string; expiresAt: Date } | null;
  /** The public id of the key, or of a person's sign-in; may be logged. */
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

/** Whether a key was sent, whatever it is worth. */
export function hasKey({ headers }: HaldirRequest): boolean {
  return headers.authorization !== undefined || headers['x-api-key'] !== undefined;
}

/** With each request of a person, beside the cookie: no form and no page of another origin can send it. */
export const PAGE_TOKEN_HEADER = 'x-haldir-page';

/** Whether a request comes with a key, or as a person's, whatever that is worth. */
export function hasCredential(request: HaldirRequest): boolean {
  return hasKey(request) || request.headers[PAGE_TOKEN_HEADER] !== undefined;
}

export const RESOURCES = ['sessions', 'vault', 'payments', 'audit', 'approvals', 'webhooks', 'proxy', 'admin'] as const;
export const ACTIONS = ['read', 'write'] as const;
/** What is done under rules rather than to them. To write includes it, and nothing includes to write. */
export const ACTING_SCOPES = ['proxy:call', 'approvals:request', 'approvals:decide'] as const;
export type KeyScope = `${(typeof RESOURCES)[number]}:${(typeof ACTIONS)[number]}` | (typeof ACTING_SCOPES)[number];

/** Every scope there is. */
export const KEY_SCOPES: readonly KeyScope[] = [
  ...RESOURCES.flatMap((resource) => ACTIONS.map((action): KeyScope => `${resource}:${action}`)),
  ...ACTING_SCOPES,
];

/** What an agent key holds unless it was given less, and at most: to act, and nothing else. */
export const AGENT_KEY_SCOPES: readonly KeyScope[] = [
  'sessions:read',
  'sessions:write',
  'proxy:call',
  'vault:read',
  'payments:write',
  'audit:write',
  'approvals:request',
];

/** Whether a text is a scope, or stands for several: `resource:action`, with `*` for either or both. */
export function isKeyScope(text: string): boolean {
  if (text === '*' || KEY_SCOPES.some((scope) => scope === text)) return true;
  const [resource = '', action = '', ...rest] = text.split(':');
  const isWide = resource === '*' || action === '*';
  return isWide && rest.length === 0 && isOneOf(RESOURCES, resource) && isOneOf(ACTIONS, action);
}

function isOneOf(names: readonly string[], name: string): boolean {
  return name === '*' || names.includes(name);
}

/** Whether a list of key scopes (`*`, `audit:*`, `*:read`, `audit:read`, `proxy:call`) grants `required`. */
export function grantsKeyScope(scopes: readonly string[], required: KeyScope): boolean {
  const [resource, action] = required.split(':');
  const isActing = ACTING_SCOPES.some((scope) => scope === required);
  return scopes.some((scope) => {
    if (scope === '*') return true;
    const [heldResource, heldAction] = scope.split(':');
    if (heldResource !== '*' && heldResource !== resource) return false;
    return heldAction === '*' || heldAction === action || (isActing && heldAction === 'write');
  });
}

export const PUBLIC_ROUTE = 'haldir:public';
export const REQUIRED_SCOPE = 'haldir:scope';
export const OPEN_TO_AGENTS = 'haldir:agents';
export const FOR_CONNECTORS = 'haldir:connectors';
export const FOR_PERSONS = 'haldir:persons';
export const CLOSED_TO_PERSONS = 'haldir:no-persons';
/** In place of a scope, where none in particular is asked for. */
export const ANY_SCOPE = 'any';

/** What a route asks of a key, and what its refusal says besides, where the contract gives that a body of its own. */
export interface ScopeDemand {
  /** Any of them is enough; a refusal names the first. */
  scopes: readonly [KeyScope, ...KeyScope[]];
  refusal: Readonly<Record<string, unknown>>;
}

/** The route takes requests without an API key. One that is sent is still checked, unless `ignoreKey`. */
export const PublicRoute = (options: { ignoreKey: boolean } = { ignoreKey: true }) =>
  applyDecorators(SetMetadata(PUBLIC_ROUTE, options), ...(options.ignoreKey ? [] : [onRoute({ admits: 'a key' })]));

/**
 * The scope a key must hold for the route, or one of several. Every route that is not public names one.
 *
 * @param refusal further members of the 403, where the contract gives it a body of its own
 */
export const RequiresScope = (scope: KeyScope | ScopeDemand['scopes'], refusal: ScopeDemand['refusal'] = {}) =>
  applyDecorators(
    SetMetadata(REQUIRED_SCOPE, { scopes: typeof scope === 'string' ? [scope] : scope, refusal } satisfies ScopeDemand),
    onRoute({ admits: 'only a key' }),
  );

/**
 * The route takes agent keys, too: every other one is closed to them. It gives an agent nothing but what is its own, which is
 * decided by what the route asks with the actor.
 */
export const OpenToAgents = () => SetMetadata(OPEN_TO_AGENTS, true);

/** The route takes no person, whatever their role: it is for programs. */
export const ClosedToPersons = () => SetMetadata(CLOSED_TO_PERSONS, true);

/** The route takes persons and no key: it is about what is their own. @param scope that their role has to have; without one, whatever it is */
export const ForPersons = (scope?: KeyScope) =>
  applyDecorators(
    SetMetadata(FOR_PERSONS, true),
    SetMetadata(
      REQUIRED_SCOPE,
      scope === undefined ? ANY_SCOPE : ({ scopes: [scope], refusal: {} } satisfies ScopeDemand),
    ),
    onRoute({ admits: 'only a key' }),
  );

/** The route takes any live key, and no person: what the key may do is decided by what the request asks for. */
export const RequiresKey = () =>
  applyDecorators(SetMetadata(REQUIRED_SCOPE, ANY_SCOPE), onRoute({ admits: 'only a key' }));

/**
 * The route takes connector keys, and no other; every other route is closed to them. Which upstream it is about, it asks itself.
 *
 * @param settings whether what it carries was counted elsewhere
 */
export const ForConnectors = (settings: Pick<RouteSettings, 'carriesCalls'> = {}) =>
  applyDecorators(
    SetMetadata(FOR_CONNECTORS, true),
    SetMetadata(REQUIRED_SCOPE, ANY_SCOPE),
    onRoute({ admits: 'only a key', ...settings }),
  );

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
