import { RouteConfig } from '@nestjs/platform-fastify';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import { type FastifyRequest } from 'fastify';

/** What is said of a failure, however it is said. */
export interface ErrorAnswer {
  status: number;
  code: string;
  message: string;
  details?: Readonly<Record<string, unknown>>;
}

/** What is known of a route before Nest sees the request. */
export interface RouteSettings {
  /** Whose key is looked at before the body is read. */
  admits?: 'only a key' | 'a key';
  /** The route answers itself for a body it cannot use: it is given any JSON value, or the refusal in place of a body that is none. */
  answersBadBody?: boolean;
  /** What a connector asks there was counted against limits as the calls that it belongs to, while it is about its own upstream (`:name`). */
  carriesCalls?: boolean;
  /** Its answers come when there is something to say: how long they take says nothing of how fast Haldir is. */
  waits?: boolean;
  /** How a refusal is said there, where it is not as everywhere else. */
  refusal?: (answer: ErrorAnswer, request: FastifyRequest) => object;
}

/** Adds to what is known of the decorated route, or of all routes of a controller; what a route says of itself stands. */
export function onRoute(settings: RouteSettings): MethodDecorator & ClassDecorator {
  return (target: object, name?: string | symbol, descriptor?: PropertyDescriptor): void => {
    const handlers = descriptor ? [descriptor] : Object.values(methodsOf(target as { prototype: object }));
    for (const one of handlers) {
      const known = Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, one.value as object) as
        RouteSettings | undefined;
      RouteConfig({ ...settings, ...known })(target, name ?? '', one);
    }
  };
}

/** The route answers when there is something to say. */
export const Waits = () => onRoute({ waits: true });

function methodsOf({ prototype }: { prototype: object }): Record<string, PropertyDescriptor> {
  const { constructor: _, ...members } = Object.getOwnPropertyDescriptors(prototype) as Record<
    string,
    PropertyDescriptor
  >;
  return Object.fromEntries(Object.entries(members).filter(([, { value }]) => typeof value === 'function'));
}

export function settingsOf(request: { routeOptions: { config: unknown } }): RouteSettings {
  return request.routeOptions.config as RouteSettings;
}
