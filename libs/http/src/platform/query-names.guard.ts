import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { type z } from 'zod';
import { type HaldirRequest, PUBLIC_ROUTE } from '../auth/caller.js';
import { membersOf, refuseUnknownQuery } from '../wire/members.js';

type RouteHandler = ReturnType<ExecutionContext['getHandler']>;

/** No name in a query goes unheard: a filter that is misspelt would be a list without it. Pages and probes take any. */
@Injectable()
export class QueryNamesGuard implements CanActivate {
  private readonly known = new Map<RouteHandler, ReadonlySet<string> | null>();

  canActivate(context: ExecutionContext): boolean {
    const query = context.switchToHttp().getRequest<HaldirRequest>().query as object;
    const known = this.namesOf(context);
    if (known) refuseUnknownQuery(known, query);
    return true;
  }

  /** The names that a route's query schema has; null for a route that takes any. */
  private namesOf(context: ExecutionContext): ReadonlySet<string> | null {
    const handler = context.getHandler();
    let names = this.known.get(handler);
    if (names === undefined) {
      names = isOpen(context) ? null : queryOf(context);
      this.known.set(handler, names);
    }
    return names;
  }
}

function isOpen(context: ExecutionContext): boolean {
  const open = [context.getHandler(), context.getClass()]
    .map((target) => Reflect.getMetadata(PUBLIC_ROUTE, target) as { ignoreKey: boolean } | undefined)
    .find((found) => found !== undefined);
  return open?.ignoreKey ?? false;
}

function queryOf(context: ExecutionContext): ReadonlySet<string> {
  const args = (Reflect.getMetadata(ROUTE_ARGS_METADATA, context.getClass(), context.getHandler().name) ??
    {}) as Record<string, { schema?: z.ZodType }>;
  const query = Object.entries(args).find(([key]) => key.startsWith(`${RouteParamtypes.QUERY}:`))?.[1];
  return query?.schema ? membersOf(query.schema) : new Set();
}
