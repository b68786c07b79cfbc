import { type ArgumentsHost, Catch, Injectable } from '@nestjs/common';
import { SessionInvalid } from '@haldir/gate';
import { type ErrorAnswer, ErrorFilter, type HaldirReply, type HaldirRequest } from '@haldir/http';
import { Log } from '@haldir/runtime';
import { idIn, RpcError, SERVER_ERROR, toErrorResponse } from './protocol/messages.js';

const WHAT_TO_DO: Readonly<Record<string, string>> = {
  unauthorized: 'Send a live API key as "Authorization: Bearer hld_…" or "X-API-Key: hld_…"; POST /v1/keys makes one.',
  invalid_session:
    'Open a session with POST /v1/sessions and send its session_id as X-Session-ID; without that header the key acts as the operator.',
};

/** What JSON-RPC has errors of its own for. */
@Catch()
@Injectable()
export class McpErrorFilter extends ErrorFilter {
  constructor(log: Log) {
    super(log);
  }

  override catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<HaldirReply>().header('content-type', 'application/json');
    const request = http.getRequest<HaldirRequest>();
    if (error instanceof RpcError) {
      void reply.status(error.status).send(toErrorResponse(idIn(request.body), error));
    } else if (error instanceof SessionInvalid) {
      // A client that is told 401 looks for a way to sign in, although its key is a live one.
      const { code, message, details } = error;
      void reply.status(403).send(rpcRefusal({ status: 403, code, message, details }, request));
    } else super.catch(error, host);
  }
}

/** Any other refusal, as JSON-RPC says it; an agent without a live key or session is told what to do. */
export function rpcRefusal({ code, message, details }: ErrorAnswer, request: HaldirRequest): object {
  const advice = WHAT_TO_DO[code];
  return {
    jsonrpc: '2.0',
    id: idIn(request.body),
    error: {
      code: SERVER_ERROR,
      message: advice === undefined ? message : `${message}. ${advice}`,
      data: { code, request_id: request.id, ...details },
    },
  };
}
