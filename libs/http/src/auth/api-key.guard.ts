import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { FailedAuthThrottle } from '../quota/failed-auth-throttle.js';
import { Quota } from '../quota/quota.js';
import { setRateLimitHeaders } from '../quota/rate-limit-headers.js';
import { settingsOf } from '../platform/route-settings.js';
import {
  AgentKeyNotAllowed,
  ConnectorKeyNeeded,
  ConnectorKeyNotAllowed,
  PersonNeeded,
  PersonNotAllowed,
  requireKeyScope,
  Unauthenticated,
} from './authenticator.js';
import { originOf } from './origin.js';
import {
  ANY_SCOPE,
  type Caller,
  CLOSED_TO_PERSONS,
  FOR_CONNECTORS,
  FOR_PERSONS,
  hasCredential,
  type HaldirReply,
  type HaldirRequest,
  OPEN_TO_AGENTS,
  PUBLIC_ROUTE,
  REQUIRED_SCOPE,
  type ScopeDemand,
} from './caller.js';
import { Callers } from './callers.js';

interface RouteAccess {
  isPublic: boolean;
  ignoresKey: boolean;
  takesAgents: boolean;
  isForConnectors: boolean;
  isForPersons: boolean;
  takesPersons: boolean;
  /** Null for a route that asks for no scope in particular. */
  demand: ScopeDemand | null;
}

type Handler = ReturnType<ExecutionContext['getHandler']>;

/** Authentication, then the key's quota, then what its kind and its scopes let it do, for every route. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  private readonly access = new Map<Handler, RouteAccess>();

  constructor(
    private readonly callers: Callers,
    private readonly quota: Quota,
    private readonly failures: FailedAuthThrottle,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const access = this.accessOf(context);
    const http = context.switchToHttp();
    const request = http.getRequest<HaldirRequest>();
    if (access.isPublic && (access.ignoresKey || !hasCredential(request))) return true;

    let caller = request.caller ?? (await this.admit(request, http.getResponse<HaldirReply>()));
    if (caller.actor.kind === 'agent' && !access.takesAgents) throw new AgentKeyNotAllowed();
    if ((caller.actor.kind === 'connector') !== access.isForConnectors)
      throw access.isForConnectors ? new ConnectorKeyNeeded() : new ConnectorKeyNotAllowed();
    if (caller.actor.kind === 'person') caller = await this.stillSignedIn(caller, request);
    if (caller.actor.kind === 'person' && !access.takesPersons) throw new PersonNotAllowed();
    if (access.isForPersons && caller.actor.kind !== 'person') throw new PersonNeeded();
    if (access.demand) requireKeyScope(caller, access.demand.scopes, access.demand.refusal);
    return true;
  }

  /**
   * Authentication, then the key's quota. Of a route that asks for a key, or takes one that was sent, it comes before the body
   * is read, so whoever has no key learns nothing about what was sent.
   *
   * @throws Unauthenticated, QuotaExceeded
   */
  async admit(request: HaldirRequest, reply: HaldirReply): Promise<Caller> {
    const caller = await this.failures.during(request.ip, () => this.callers.of(request));
    caller.actor.origin = originOf(request);
    request.caller = caller;
    const state = carriesCalls(caller, request) ? null : await this.quota.take(caller);
    if (state) setRateLimitHeaders(reply, state);
    return caller;
  }

  /** A body may be on its way for half a minute: what a person changes, they change as who they are when it is there. */
  private async stillSignedIn(caller: Caller, request: HaldirRequest): Promise<Caller> {
    if (request.method === 'GET' || request.method === 'HEAD') return caller;
    const now = await this.callers.standing(request);
    if (!now) throw new Unauthenticated();
    now.actor.origin = originOf(request);
    request.caller = now;
    return now;
  }

  private accessOf(context: ExecutionContext): RouteAccess {
    const handler = context.getHandler();
    let access = this.access.get(handler);
    if (!access) {
      const read = (key: string): unknown =>
        Reflect.getMetadata(key, handler) ?? (Reflect.getMetadata(key, context.getClass()) as unknown);
      const open = read(PUBLIC_ROUTE) as { ignoreKey: boolean } | undefined;
      const named = read(REQUIRED_SCOPE) as ScopeDemand | typeof ANY_SCOPE | undefined;
      if (!open && named === undefined) throw new Error(`${context.getClass().name}.${handler.name} names no scope`);
      const demand = named === undefined || named === ANY_SCOPE ? null : named;
      const isForPersons = Reflect.getMetadata(FOR_PERSONS, handler) === true;
      access = {
        isPublic: open !== undefined,
        ignoresKey: open?.ignoreKey ?? false,
        demand,
        // Of the method alone: a whole controller is never opened at once.
        takesAgents: Reflect.getMetadata(OPEN_TO_AGENTS, handler) === true,
        isForConnectors: Reflect.getMetadata(FOR_CONNECTORS, handler) === true,
        isForPersons,
        // What asks for a scope is held to it; what asks for none in particular is decided by what keys may.
        takesPersons: isForPersons || ((demand !== null || open !== undefined) && read(CLOSED_TO_PERSONS) !== true),
      };
      this.access.set(handler, access);
    }
    return access;
  }
}

/** What passes through a connector was counted as the calls that it belongs to; all else that it asks counts, refused or not. */
function carriesCalls({ actor: { connector } }: Caller, request: HaldirRequest): boolean {
  if (!connector || settingsOf(request).carriesCalls !== true) return false;
  return (request.params as { name?: unknown }).name === connector.upstream;
}
