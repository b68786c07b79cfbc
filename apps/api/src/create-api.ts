import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type FastifyInstance } from 'fastify';
import { APPROVAL_PAGES } from '@haldir/approvals/http';
import { KeyRing } from '@haldir/crypto';
import {
  ApiKeyGuard,
  BODY_LIMIT_BYTES,
  type HaldirRequest,
  KnownRoutes,
  refuseAddress,
  refuseConnection,
  refuseExpectation,
  requestId,
  useJsonBodies,
  useRequestHooks,
  useWarnings,
} from '@haldir/http';
import { SIGN_IN_PAGES } from '@haldir/people/http';
import { createLogger, type HaldirConfig, Log, Metrics, RuntimeModule } from '@haldir/runtime';
import { ApiModule } from './api.module.js';
import { DOCS_PAGES, serveDocs } from './openapi/document.js';
import { CONSOLE_PAGES, unknownPage } from './platform/console.controller.js';
import { ConsoleFiles } from './platform/console-files.js';

/** What a page of another origin may read of an answer. */
const READABLE_HEADERS = [
  ...['X-Request-ID', 'Retry-After', 'Allow', 'WWW-Authenticate', 'Idempotent-Replayed'],
  ...['RateLimit', 'RateLimit-Policy', 'Mcp-Session-Id'],
  ...['Limit', 'Remaining', 'Used', 'Reset', 'Reset-After', 'Resource'].map((part) => `X-RateLimit-${part}`),
  ...['Content-Disposition', 'X-Haldir-Export-Manifest'],
];

/** How long a request may take to arrive, to its last byte; what is done with it and answered may take as long as it likes. */
const RECEIVE_TIMEOUT_MS = 30_000;
/** Node forgets the time for the whole when that for its head is longer. */
const HEADERS_TIMEOUT_MS = 20_000;
const RECEIVE_CHECK_MS = 2_000;

/** The whole API on a Fastify server that does not listen yet. */
export async function createApi(
  config: HaldirConfig,
  log: Log = createLogger(config.logLevel),
): Promise<NestFastifyApplication> {
  @Module({ imports: [RuntimeModule.with(config, 'api', log), ApiModule] })
  class ApiProcess {}

  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT_BYTES,
    genReqId: requestId,
    frameworkErrors: refuseAddress,
    clientErrorHandler: refuseConnection,
    routerOptions: { maxParamLength: 2048, ignoreTrailingSlash: true },
    logger: false,
    trustProxy: false,
    requestTimeout: RECEIVE_TIMEOUT_MS,
    http: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: RECEIVE_CHECK_MS,
      // What lacks a Host is refused in our own words.
      requireHostHeader: false,
    },
    forceCloseConnections: 'idle',
  } as ConstructorParameters<typeof FastifyAdapter>[0]);
  const routes = new KnownRoutes();
  routes.watch(adapter.getInstance<FastifyInstance>());
  const app = await NestFactory.create<NestFastifyApplication>(ApiProcess, adapter, {
    logger: log.nest,
    bodyParser: false,
    abortOnError: false,
  });
  const fastify = adapter.getInstance<FastifyInstance>();
  fastify.server.on('checkExpectation', refuseExpectation);
  useJsonBodies(fastify);
  useWarnings(fastify);
  const files = app.get(ConsoleFiles);
  const pages = {
    served: [DOCS_PAGES, APPROVAL_PAGES, SIGN_IN_PAGES, ...CONSOLE_PAGES],
    unknown: (request: HaldirRequest) => unknownPage(files, request),
  };
  useRequestHooks(fastify, routes, pages, app.get(ApiKeyGuard), app.get(Log), app.get(Metrics));
  app.enableCors({
    origin: '*',
    allowedHeaders: [
      ...['Authorization', 'X-API-Key', 'X-Session-ID', 'X-Request-ID', 'Idempotency-Key', 'Content-Type'],
      ...['MCP-Protocol-Version', 'Mcp-Method', 'Mcp-Name', 'Mcp-Session-Id'],
    ],
    exposedHeaders: READABLE_HEADERS,
    methods: ['GET', 'POST', 'PATCH', 'PUT', 'DELETE', 'OPTIONS'],
    maxAge: 86_400,
    // What is no preflight is answered like one.
    strictPreflight: false,
    preflightContinue: true,
  });
  serveDocs(app);
  await app.get(KeyRing).load();
  await app.init();
  return app;
}
