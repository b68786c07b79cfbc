// What the trivial MCP servers of the benchmark answer.

const TOOL = {
  name: 'echo',
  description: 'Answers what it was given',
  inputSchema: { type: 'object', properties: { message: { type: 'string' } } },
};

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

interface Extent {
  tools: number;
  /** Whether these have names and definitions as long as those of others. */
  isDescribed?: boolean;
  /** How many letters an answer has, if not the message. */
  fill: number;
}

export function answer(method: string, params: any, { tools, isDescribed, fill }: Extent) {
  switch (method) {
    case 'initialize':
      return {
        result: {
          protocolVersion: params?.protocolVersion ?? '2025-06-18',
          capabilities: { tools: {} },
          serverInfo: { name: 'bench', version: '1.0.0' },
        },
      };
    case 'ping':
      return { result: {} };
    case 'tools/list':
      if (isDescribed) return { result: { tools: Array.from({ length: tools }, (_, n) => described(n)) } };
      return {
        result: { tools: [TOOL, ...Array.from({ length: tools - 1 }, (_, n) => ({ ...TOOL, name: `echo-${n}` }))] },
      };
    case 'tools/call':
      return {
        result: {
          content: [{ type: 'text', text: fill > 0 ? 'a'.repeat(fill) : String(params?.arguments?.message ?? '') }],
        },
      };
    default:
      return { error: { code: -32601, message: 'Method not found' } };
  }
}
