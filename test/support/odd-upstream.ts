import { type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { NO_SUCH_METHOD, type RpcAnswer, type RpcQuestion, serveHttp, type Upstream } from './upstream-server.js';
import { text as bodyOf } from 'node:stream/consumers';
import { text } from './upstreams.js';

/** An answer that is about to be sent. */
export interface OddAnswer {
  question: RpcQuestion;
  path: string;
  headers: IncomingHttpHeaders;
  /** The message. */
  json: string;
}

type Answer = Exclude<RpcAnswer, null | 'drop'>;

/** An upstream whose answers come in whatever way the test says, over HTTP as over any wire. */
export interface OddUpstream extends Upstream {
  /** Calls that arrived, and those of them that are not answered yet. */
  calls: number;
  underWay: number;
  /** The methods it was asked for, in order. */
  readonly methods: string[];
  answer: (question: RpcQuestion) => Answer;
  /** Puts an answer on the wire; default: as it should be. */
  say: (response: ServerResponse, answer: OddAnswer) => unknown;
}

/** Its one tool, `echo`, answers `said`. */
export async function startOddUpstream(): Promise<OddUpstream> {
  const served = await serveHttp((request, response) => {
    void bodyOf(request).then((body) => {
      if (request.method !== 'POST' || body === '') return void response.writeHead(405).end();
      const question = JSON.parse(body) as RpcQuestion;
      const { id, method } = question;
      odd.methods.push(method);
      if (id === undefined) return void response.writeHead(202).end();
      if (method === 'tools/call') {
        odd.calls++;
        odd.underWay++;
        response.once('close', () => odd.underWay--);
      }
      const json = JSON.stringify({ jsonrpc: '2.0', id, ...odd.answer(question) });
      return void odd.say(response, { question, path: request.url ?? '', headers: request.headers, json });
    });
  });
  const odd: OddUpstream = {
    ...served,
    ...{ calls: 0, underWay: 0, methods: [], answer: answerOf },
    say: (response, { json }) => response.setHeader('content-type', 'application/json').end(json),
  };
  return odd;
}

function answerOf({ method }: RpcQuestion): Answer {
  if (method === 'tools/list') return { result: { tools: [{ name: 'echo', inputSchema: { type: 'object' } }] } };
  if (method === 'tools/call') return { result: text('said') };
  return NO_SUCH_METHOD as Answer;
}

/** What it answers after a handshake of 2025, and to that. */
export function withHandshake(question: RpcQuestion): Answer {
  if (question.method !== 'initialize') return answerOf(question);
  const serverInfo = { name: 'odd', version: '1.0.0' };
  return { result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo } };
}
