import {
  type GetPromptResult,
  type InputRequiredResult,
  type Prompt,
  ProtocolError,
  ProtocolErrorCode,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server';

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';

const TEXT = { uri: 'test://static-text', name: 'Static text', mimeType: 'text/plain' };
const BINARY = { uri: 'test://static-binary', name: 'Static binary', mimeType: 'image/png' };
const TEMPLATE = { uriTemplate: 'test://template/{id}/data', name: 'Template', mimeType: 'application/json' };

type Message = GetPromptResult['messages'][number];
const user = (content: Message['content']): Message => ({ role: 'user', content });
const text = (value: string): Message => user({ type: 'text', text: value });

interface Fixture {
  arguments?: NonNullable<Prompt['arguments']>;
  answer: (args: Record<string, string>, context: ServerContext) => GetPromptResult | InputRequiredResult;
}

const PROMPTS: Record<string, Fixture> = {
  test_simple_prompt: { answer: () => ({ messages: [text('This is a simple prompt for testing.')] }) },
  test_prompt_with_arguments: {
    arguments: [
      { name: 'arg1', required: true },
      { name: 'arg2', required: true },
    ],
    answer: ({ arg1, arg2 }) => ({ messages: [text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)] }),
  },
  test_prompt_with_embedded_resource: {
    arguments: [{ name: 'resourceUri', required: true }],
    answer: ({ resourceUri = '' }) => ({
      messages: [
        user({ type: 'resource', resource: { uri: resourceUri, mimeType: 'text/plain', text: 'Embedded resource.' } }),
        text('Please process the embedded resource above.'),
      ],
    }),
  },
  test_prompt_with_image: {
    answer: () => ({ messages: [user({ type: 'image', data: PIXEL, mimeType: 'image/png' }), text('Analyze it.')] }),
  },
  test_input_required_result_prompt: {
    answer: (_, { mcpReq }) =>
      mcpReq.inputResponses?.['user_context'] === undefined
        ? {
            resultType: 'input_required',
            inputRequests: {
              user_context: {
                method: 'elicitation/create',
                params: {
                  mode: 'form',
                  message: 'What context should the prompt use?',
                  requestedSchema: { type: 'object', properties: { context: { type: 'string' } } },
                },
              },
            },
          }
        : { messages: [text('It has its context.')] },
  },
};

/** Serves the resources and prompts of the official conformance suite. */
export function addConformanceFixtures(server: Server): void {
  server.setRequestHandler('resources/list', () => ({ resources: [TEXT, BINARY] }));
  server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: [TEMPLATE] }));
  server.setRequestHandler('resources/read', ({ params: { uri } }) => {
    if (uri === TEXT.uri) return { contents: [{ ...TEXT, text: 'This is the content of the static text resource.' }] };
    if (uri === BINARY.uri) return { contents: [{ ...BINARY, blob: PIXEL }] };
    const [, id] = /^test:\/\/template\/([^/]+)\/data$/.exec(uri) ?? [];
    if (id === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Resource not found', { uri });
    return { contents: [{ uri, mimeType: 'application/json', text: JSON.stringify({ id, templateTest: true }) }] };
  });
  server.setRequestHandler('prompts/list', () => ({
    prompts: Object.entries(PROMPTS).map(([name, { arguments: args }]) => ({
      ...{ name, description: `The prompt ${name}` },
      ...(args ? { arguments: args } : {}),
    })),
  }));
  server.setRequestHandler('prompts/get', ({ params }, context) => {
    const prompt = PROMPTS[params.name];
    if (!prompt) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Unknown prompt');
    return prompt.answer(params.arguments ?? {}, context);
  });
  server.setRequestHandler('completion/complete', ({ params }) => ({
    completion: { values: [`${params.argument.value}-1`, `${params.argument.value}-2`], total: 2, hasMore: false },
  }));
}
