import { type ServerResponse } from 'node:http';
import { NO_SUCH_METHOD, type RpcQuestion, serveHttp, type Upstream } from './upstream-server.js';
import { text as bodyOf } from 'node:stream/consumers';
import { text } from './upstreams.js';

/** An answer that is about to be sent. */
export interface OddAnswer {
  question: RpcQuestion;
  path: string;
  /** The message. */
  json: string;
}

/** An upstream whose answers come in whatever way the test says, over HTTP as over any wire. */
export interface OddUpstream extends Upstream {
  /** Calls that arrived. */
  calls: number;
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
      if (id === undefined) return void response.writeHead(202).end();
      if (method === 'tools/call') odd.calls++;
      const json = JSON.stringify({ jsonrpc: '2.0', id, ...answerTo(method) });
      return void odd.say(response, { question, path: request.url ?? '', json });
    });
  });
  const odd: OddUpstream = {
    ...served,
    calls: 0,
    say: (response, { json }) => response.setHeader('content-type', 'application/json').end(json),
  };
  return odd;
}

function answerTo(method: string): object {
  if (method === 'tools/list') return { result: { tools: [{ name: 'echo', inputSchema: { type: 'object' } }] } };
  if (method === 'tools/call') return { result: text('said') };
  return NO_SUCH_METHOD as object;
}
