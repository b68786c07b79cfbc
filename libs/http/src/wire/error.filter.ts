import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { type ErrorKind, HaldirError } from '@haldir/kernel';
import { Log } from '@haldir/runtime';
import { type HaldirReply, type HaldirRequest } from '../auth/caller.js';
import { type ErrorAnswer, settingsOf } from '../platform/route-settings.js';
import { QuotaExceeded } from '../quota/quota.js';

const STATUS: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  unprocessable: 422,
  too_large: 413,
  unsupported_media: 415,
  limited: 429,
  unavailable: 503,
  bad_gateway: 502,
};

/** What Fastify itself refuses, before any route sees the request. */
const PARSER_REFUSALS: Readonly<Record<string, [number, string, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [413, 'too_large', 'Request body is larger than 1 MiB'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [400, 'invalid', 'Content-Type should be application/json'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [400, 'invalid', 'Content-Length does not match the request body'],
  FST_ERR_CTP_EMPTY_JSON_BODY: [400, 'invalid', 'request body: expected a JSON object'],
  FST_ERR_CTP_INVALID_JSON_BODY: [400, 'invalid', 'request body: expected valid JSON'],
};

/** Every failure becomes `{error, code, request_id, …}`. What nobody expected is logged, once, and answered as a bare 500. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(private readonly log: Log) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<HaldirRequest>();
    const reply = http.getResponse<HaldirReply>();
    if (error instanceof HaldirError && error.retryAfterSeconds !== null) {
      reply.header('retry-after', error.retryAfterSeconds);
    }
    if (error instanceof QuotaExceeded) error.setHeaders(reply);
    const answer = this.answerTo(error, request);
    if (answer.status === 401) reply.header('www-authenticate', 'Bearer realm="haldir"');
    void reply.status(answer.status).send(this.bodyOf(answer, request));
  }

  private bodyOf(answer: ErrorAnswer, request: HaldirRequest): object {
    const { code, message, details } = answer;
    return (
      settingsOf(request).refusal?.(answer, request) ?? { error: message, code, request_id: request.id, ...details }
    );
  }

  private answerTo(error: unknown, request: HaldirRequest): ErrorAnswer {
    if (error instanceof HaldirError) {
      const status = STATUS[error.kind];
      if (status >= 500)
        this.log.warn({ event: 'http.refused', request_id: request.id, reason: error.message, cause: causeOf(error) });
      return { status, code: error.code, message: error.message, details: error.details };
    }
    // Nest wraps what Fastify refuses.
    const { code, statusCode } = (error instanceof HttpException ? (error.cause ?? {}) : error) as {
      code?: unknown;
      statusCode?: unknown;
    };
    const refusal = typeof code === 'string' ? PARSER_REFUSALS[code] : undefined;
    if (refusal) return { status: refusal[0], code: refusal[1], message: refusal[2] };
    const status = error instanceof HttpException ? error.getStatus() : statusCode;
    if (typeof status === 'number' && status >= 400 && status < 500) {
      return { status, code: 'invalid', message: 'The request is malformed' };
    }
    this.log.error({ event: 'http.failed', request_id: request.id, route: request.routeOptions.url ?? '' }, error);
    return { status: 500, code: 'internal', message: 'Something went wrong on our side; the log has the request_id' };
  }
}

function causeOf(error: Error): string | null {
  return error.cause instanceof Error ? error.cause.message : null;
}
