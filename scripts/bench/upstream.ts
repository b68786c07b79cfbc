// A trivial MCP server: JSON answers, no session, one tool, or as many as its address says (`?tools=25`), and answers as long as that
// says (`?fill=1000`); with `?described=true` its tools have names and definitions as long as those of others.
import http from 'node:http';
import { answer } from './answer.js';
import { listen, serve } from './child.js';

const VERBS =
  'create list get delete update search merge close open send read write move copy archive export import assign label comment'.split(
    ' ',
  );
const NOUNS = 'issue pull_request repository file folder mail invoice customer order ticket branch commit release workflow comment user team project board card page document sheet row column'.split(' '); // prettier-ignore
const USE =
  'Use this tool when a customer asks for the thing; it takes an identifier and answers with the document as JSON, and an error when there is none such in the repository. ';

/** One of up to 500 tools; its definition is of about 1.1 kB. */
function described(n: number) {
  const [verb, noun] = [VERBS[Math.floor(n / NOUNS.length)] ?? 'do', NOUNS[n % NOUNS.length] ?? 'thing'];
  const parameter = { type: 'string', description: 'The identifier of the thing in question' };
  return {
    name: `${verb}_${noun}`,
    description: `${verb} a ${noun.replace('_', ' ')}. ${USE.repeat(2)}`,
    inputSchema: {
      type: 'object',
      properties: Object.fromEntries(NOUNS.slice(0, 8).map((each) => [`${each}Id`, parameter])),
    },
  };
}

const server = http.createServer((request, response) => {
  let text = '';
  request.setEncoding('utf8');
  request.on('data', (part) => (text += part));
  request.on('end', () => {
    const { id, method, params } = JSON.parse(text || '{}');
    if (request.method !== 'POST') return response.writeHead(405).end();
    if (id === undefined) return response.writeHead(202).end();
    const { searchParams: asked } = new URL(request.url ?? '', 'http://localhost');
    const extent = {
      tools: Number(asked.get('tools') ?? 1),
      isDescribed: asked.get('described') === 'true',
      fill: Number(asked.get('fill') ?? 0),
    };
    const body = JSON.stringify({ jsonrpc: '2.0', id, ...answer(method, params, extent) });
    response
      .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
      .end(body);
  });
});

serve({ port: await listen(server) }, () => ({}));
