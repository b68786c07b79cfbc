import { setTimeout as pause } from 'node:timers/promises';
import {
  CLIENT_CAPABILITIES_META_KEY,
  type CallToolResult,
  type ElicitRequestFormParams,
  type ClientCapabilities,
  type InputRequests,
  type InputRequiredResult,
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type ServerContext,
  type Tool,
} from '@modelcontextprotocol/server';
import { addConformanceFixtures } from './conformance-resources.js';
import { serveMcp, type Upstream } from './upstream-server.js';

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';
const SILENCE = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=';

type Answer = CallToolResult | InputRequiredResult;

interface Fixture {
  tool: Omit<Tool, 'name' | 'inputSchema'> & { inputSchema?: Tool['inputSchema'] };
  answer: (context: ServerContext, args: Record<string, unknown>) => Answer | Promise<Answer>;
}

const text = (value: string): CallToolResult => ({ content: [{ type: 'text', text: value }] });

type FormProperties = ElicitRequestFormParams['requestedSchema']['properties'];
const formOf = (message: string, properties: FormProperties, required: string[] = []) => ({
  method: 'elicitation/create' as const,
  params: {
    mode: 'form' as const,
    message,
    requestedSchema: { type: 'object' as const, properties, ...(required.length === 0 ? {} : { required }) },
  },
});
const form = (message: string, property: string) => formOf(message, { [property]: { type: 'string' } }, [property]);
const sample = (question: string) => ({
  method: 'sampling/createMessage' as const,
  params: { messages: [{ role: 'user' as const, content: { type: 'text' as const, text: question } }], maxTokens: 100 },
});
const roots = { method: 'roots/list' as const, params: {} };

const ask = (inputRequests: InputRequests, requestState?: string): InputRequiredResult => ({
  resultType: 'input_required',
  inputRequests,
  ...(requestState === undefined ? {} : { requestState }),
});
const answered = ({ mcpReq }: ServerContext, key: string): boolean => mcpReq.inputResponses?.[key] !== undefined;
const said = ({ mcpReq }: ServerContext, key: string): string => JSON.stringify(mcpReq.inputResponses?.[key]);
/** @throws ProtocolError for a state that was not given out */
const stateOf = ({ mcpReq }: ServerContext, ...known: string[]): string | undefined => {
  const state: unknown = mcpReq.requestState();
  if (state === undefined) return undefined;
  if (typeof state !== 'string' || !known.includes(state))
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'The request state is not one of this server');
  return state;
};

/** A tool that asks once and says what it was answered. */
const asksOnce = (
  description: string,
  question: (args: Record<string, unknown>) => InputRequests[string],
  inputSchema: Tool['inputSchema'] = { type: 'object' },
): Fixture => ({
  tool: { description, inputSchema },
  answer: (call, args) =>
    answered(call, 'it') ? text(`The client answered: ${said(call, 'it')}`) : ask({ it: question(args) }),
});
const withText = (name: string): Tool['inputSchema'] => ({
  type: 'object',
  properties: { [name]: { type: 'string' } },
  required: [name],
});
const titled = (...titles: string[]) => titles.map((title, i) => ({ const: `value${i + 1}`, title }));

/** Tools that older clients are asked something by. */
const ASKING_OLDER: Record<string, Fixture> = {
  test_sampling: asksOnce('Asks a model', ({ prompt }) => sample(String(prompt)), withText('prompt')),
  test_elicitation: asksOnce(
    'Asks a human',
    ({ message }) =>
      formOf(
        String(message),
        {
          username: { type: 'string', description: "User's response" },
          email: { type: 'string', description: "User's email address" },
        },
        ['username', 'email'],
      ),
    withText('message'),
  ),
  test_elicitation_sep1034_defaults: asksOnce('Asks with defaults', () =>
    formOf('Please check', {
      name: { type: 'string', default: 'John Doe' },
      age: { type: 'integer', default: 30 },
      score: { type: 'number', default: 95.5 },
      status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
      verified: { type: 'boolean', default: true },
    }),
  ),
  test_elicitation_sep1330_enums: asksOnce('Asks to choose', () =>
    formOf('Please choose', {
      untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
      titledSingle: { type: 'string', oneOf: titled('First Option', 'Second Option', 'Third Option') },
      legacyEnum: {
        type: 'string',
        enum: ['opt1', 'opt2', 'opt3'],
        enumNames: ['Option One', 'Option Two', 'Option Three'],
      },
      untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
      titledMulti: { type: 'array', items: { anyOf: titled('First Choice', 'Second Choice', 'Third Choice') } },
    }),
  ),
};

/** Tools that ask for input during the call. */
const ASKING: Record<string, Fixture> = {
  test_input_required_result_elicitation: {
    tool: { description: 'Asks for a name' },
    answer: (call) =>
      answered(call, 'user_name')
        ? text(`Hello, ${said(call, 'user_name')}!`)
        : ask({ user_name: form('What is your name?', 'name') }),
  },
  test_input_required_result_sampling: {
    tool: { description: 'Asks a model' },
    answer: (call) =>
      answered(call, 'capital_question')
        ? text(said(call, 'capital_question'))
        : ask({ capital_question: sample('What is the capital of France?') }),
  },
  test_input_required_result_list_roots: {
    tool: { description: 'Asks for roots' },
    answer: (call) =>
      answered(call, 'client_roots') ? text(said(call, 'client_roots')) : ask({ client_roots: roots }),
  },
  test_input_required_result_request_state: {
    tool: { description: 'Keeps its state at the client' },
    answer: (call) =>
      stateOf(call, 'state-1') === 'state-1' && answered(call, 'confirm')
        ? text('state-ok')
        : ask({ confirm: form('Please confirm', 'ok') }, 'state-1'),
  },
  test_input_required_result_multiple_inputs: {
    tool: { description: 'Asks for several things' },
    answer: (call) =>
      stateOf(call, 'state-1') === 'state-1' &&
      ['user_name', 'greeting', 'client_roots'].every((key) => answered(call, key))
        ? text('thank you')
        : ask(
            {
              user_name: form('What is your name?', 'name'),
              greeting: sample('Generate a greeting'),
              client_roots: roots,
            },
            'state-1',
          ),
  },
  test_input_required_result_multi_round: {
    tool: { description: 'Asks twice' },
    answer: (call) => {
      const state = stateOf(call, 'round-1', 'round-2');
      if (state === 'round-2' && answered(call, 'step2')) return text('done');
      return state === 'round-1' && answered(call, 'step1')
        ? ask({ step2: form('Step 2: What is your favorite color?', 'color') }, 'round-2')
        : ask({ step1: form('Step 1: What is your name?', 'name') }, 'round-1');
    },
  },
  test_input_required_result_tampered_state: {
    tool: { description: 'Knows its state from another' },
    answer: (call) =>
      stateOf(call, 'state-1') === 'state-1' ? text('done') : ask({ confirm: form('Please confirm', 'ok') }, 'state-1'),
  },
  test_input_required_result_capabilities: {
    tool: { description: 'Asks what it may ask' },
    answer: ({ mcpReq }) => {
      const envelope = mcpReq.envelope as Record<string, unknown> | undefined;
      const can = envelope?.[CLIENT_CAPABILITIES_META_KEY] as ClientCapabilities | undefined;
      return ask({
        ...(can?.elicitation ? { name: form('What is your name?', 'name') } : {}),
        ...(can?.sampling ? { greeting: sample('Generate a greeting') } : {}),
      });
    },
  },
  test_missing_capability: {
    tool: { description: 'Asks a model' },
    answer: () => ask({ greeting: sample('Greet me') }),
  },
};

/** The tools that the official conformance suite looks for in a server. */
const FIXTURES: Record<string, Fixture> = {
  test_simple_text: {
    tool: { description: 'Answers a text' },
    answer: () => text('This is a simple text response for testing.'),
  },
  test_image_content: {
    tool: { description: 'Answers an image' },
    answer: () => ({ content: [{ type: 'image', data: PIXEL, mimeType: 'image/png' }] }),
  },
  test_audio_content: {
    tool: { description: 'Answers a sound' },
    answer: () => ({ content: [{ type: 'audio', data: SILENCE, mimeType: 'audio/wav' }] }),
  },
  test_embedded_resource: {
    tool: { description: 'Answers a resource' },
    answer: () => ({
      content: [
        {
          type: 'resource',
          resource: {
            uri: 'test://embedded-resource',
            mimeType: 'text/plain',
            text: 'This is an embedded resource content.',
          },
        },
      ],
    }),
  },
  test_multiple_content_types: {
    tool: { description: 'Answers several blocks' },
    answer: () => ({
      content: [
        { type: 'text', text: 'Multiple content types test:' },
        { type: 'image', data: PIXEL, mimeType: 'image/png' },
        {
          type: 'resource',
          resource: {
            uri: 'test://mixed-content-resource',
            mimeType: 'application/json',
            text: '{"test":"data","value":123}',
          },
        },
      ],
    }),
  },
  test_error_handling: {
    tool: { description: 'Always fails' },
    answer: () => ({ ...text('This tool intentionally returns an error for testing'), isError: true }),
  },
  test_tool_with_progress: {
    tool: { description: 'Says how far it is' },
    answer: async ({ mcpReq }) => {
      const progressToken = mcpReq._meta?.progressToken;
      for (const progress of [0, 50, 100]) {
        if (progressToken !== undefined)
          await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } });
        await pause(50);
      }
      return text('done');
    },
  },
  json_schema_2020_12_tool: {
    tool: {
      description: 'Has a schema with much of JSON Schema 2020-12 in it',
      inputSchema: {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        type: 'object',
        $defs: {
          address: {
            $anchor: 'addressDef',
            type: 'object',
            properties: { street: { type: 'string' }, city: { type: 'string' } },
          },
        },
        properties: {
          name: { type: 'string' },
          address: { $ref: '#/$defs/address' },
          contactMethod: { type: 'string', enum: ['phone', 'email'] },
          phone: { type: 'string' },
          email: { type: 'string' },
        },
        allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
        if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
        then: { required: ['phone'] },
        else: { required: ['email'] },
        additionalProperties: false,
      },
    },
    answer: () => text('ok'),
  },
  test_x_mcp_header: {
    tool: {
      description: 'Wants an argument repeated as a header',
      inputSchema: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } },
    },
    answer: () => text('ok'),
  },
  test_streaming_elicitation: { tool: { description: 'Answers at once' }, answer: () => text('ok') },
  test_logging_tool: { tool: { description: 'Logs nothing unless it is asked to' }, answer: () => text('ok') },
  ...ASKING,
  ...ASKING_OLDER,
};

/** An upstream with the tools, resources and prompts of the official conformance suite. */
export function startConformanceUpstream(): Promise<Upstream> {
  return serveMcp(() => {
    const server = new Server(
      { name: 'conformance', version: '1.0.0' },
      { capabilities: { tools: {}, resources: {}, prompts: {}, completions: {} } },
    );
    addConformanceFixtures(server);
    server.setRequestHandler('tools/list', () => ({
      tools: Object.entries(FIXTURES).map(([name, { tool }]) => ({
        ...{ name, inputSchema: { type: 'object' as const } },
        ...tool,
      })),
    }));
    server.setRequestHandler('tools/call', async ({ params }, context) => {
      const fixture = FIXTURES[params.name];
      return fixture
        ? fixture.answer(context, params.arguments ?? {})
        : { ...text(`Unknown tool ${params.name}`), isError: true };
    });
    return server;
  });
}
