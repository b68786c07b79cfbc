import { text } from 'node:stream/consumers';
import { serveHttp, type Upstream } from './upstream-server.js';

/** An upstream that reads no numbers: what a call holds comes back as the text that came. */
export interface TextUpstream extends Upstream {
  /** The texts of the arguments of each call, as they came. */
  readonly calls: string[];
}

/** @param answers as one JSON text, or as an event stream in which progress is told first */
export async function startTextUpstream(answers: 'json' | 'sse' = 'json'): Promise<TextUpstream> {
  const calls: string[] = [];
  const served = await serveHttp((request, response) => {
    void text(request).then((body) => {
      const { id, method } = JSON.parse(body || '{}') as { id?: number; method?: string };
      const send = (result: string): void => {
        const message = `{"jsonrpc":"2.0","id":${id ?? null},"result":${result}}`;
        if (answers === 'json' || method !== 'tools/call')
          response.setHeader('content-type', 'application/json').end(message);
        else response.setHeader('content-type', 'text/event-stream').end(`event: message\ndata: ${message}\n\n`);
      };
      if (method === 'tools/list') send('{"tools":[{"name":"echo","inputSchema":{"type":"object"}}]}');
      else if (method === 'tools/call') {
        const args = argumentsIn(body);
        calls.push(args);
        send(`{"content":[{"type":"text","text":"ok"}],"structuredContent":${args},"_meta":{"n":1.0}}`);
      } else response.writeHead(404).end();
    });
  });
  return { ...served, calls };
}

/** The text of the member `arguments`, which holds no brackets in strings. */
function argumentsIn(body: string): string {
  const from = body.indexOf('{', body.indexOf('"arguments":'));
  let depth = 0;
  for (let at = from; at < body.length; at++) {
    if (body[at] === '{') depth++;
    if (body[at] === '}' && --depth === 0) return body.slice(from, at + 1);
  }
  return '';
}
