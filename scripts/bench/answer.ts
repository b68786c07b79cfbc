// What the trivial MCP servers of the benchmark answer.

const TOOL = {
  name: 'echo',
  description: 'Answers what it was given',
  inputSchema: { type: 'object', properties: { message: { type: 'string' } } },
};

/** @param extent how many tools there are, and how many letters an answer has, if not the message */
export function answer(method: string, params: any, { tools, fill }: { tools: number; fill: number }) {
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
