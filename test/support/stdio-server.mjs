// @ts-check
// An MCP server on standard streams, for whoever starts one. It is small enough to start at once, and does as it is told:
//
//   node stdio-server.mjs [handshake|stateless|silent|strict|late] [FILE]
//
// The first says how it is spoken to: with a handshake; without (2026-07-28); with one, silent when it is asked anything that it does not
// know; with one, exiting when it is asked for anything before; without, half a second late. In FILE it writes a line for each call that it has seen, and for
// each that was cancelled.
import { spawn } from 'node:child_process';
import fs from 'node:fs';

const [asked = 'handshake', file = ''] = process.argv.slice(2);
const revision = asked === 'late' ? 'stateless' : asked;
const STATELESS = '2026-07-28';
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';

/** @typedef {{ id?: unknown, method?: string, params?: any, result?: any, error?: any }} Message */

/** Of calls that wait until they are cancelled. @type {Set<unknown>} */
const waiting = new Set();
/** @type {unknown[]} */
const subscriptions = [];
/** @type {Map<string, (message: Message) => void>} */
const questions = new Map();
/** Calls that ask once another has come. @type {(() => void)[]} */
const postponed = [];
const FORM = { type: 'object', properties: { name: { type: 'string' } } };
let remembered = 'nothing';
let lastLine = '';
let isGreeted = false;

/** @param {string} line */
const note = (line) => file && fs.appendFileSync(file, `${line}\n`);
/** @param {object} message */
const write = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
/** @param {string} text @param {object} [more] */
const said = (text, more = {}) => ({ content: [{ type: 'text', text }], ...more });

/** What the client says to a question, as JSON. @param {string} question */
async function answerTo(question) {
  write({ id: `q-${question}`, method: 'elicitation/create', params: { message: question, requestedSchema: FORM } });
  const { result, error } = await new Promise((resolve) => questions.set(`q-${question}`, resolve));
  const answer = JSON.stringify(result ?? error);
  note(`answered ${answer}`);
  return answer;
}

/** @type {Record<string, (args: any, message: Message) => unknown>} */
const TOOLS = {
  echo: ({ text }) => said(String(text), { structuredContent: { text } }),
  remember: ({ text }) => said(`was ${remembered}, is ${(remembered = String(text))}`),
  recall: () => said(remembered),
  environment: () => said(JSON.stringify(process.env)),
  arguments: () => said(JSON.stringify(process.argv)),
  // As it came.
  line: () => said(lastLine),
  pid: () => said(String(process.pid)),
  die: () => process.exit(3),
  deep: () => ({ content: [], structuredContent: JSON.parse('[ '.repeat(400) + ']'.repeat(400)) }),
  huge: ({ characters }) => said('é"'.repeat(characters / 2)),
  noise: ({ text }) => {
    process.stderr.write(`${text}\n`);
    return said('said');
  },
  // What it started does not end with its standard input.
  spawn: () => said(String(spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)'], { stdio: 'ignore' }).pid)),
  steps: async ({ steps }, { params }) => {
    const progressToken = params._meta?.progressToken;
    for (let progress = 1; progress <= steps; progress++) {
      write({ method: 'notifications/progress', params: { progressToken, progress, total: steps } });
      await new Promise((resolve) => setImmediate(resolve));
    }
    return said(`${steps} steps`);
  },
  wait: (_, { id }) => {
    waiting.add(id);
    return undefined;
  },
  change: () => {
    names.push('changed');
    if (revision !== 'stateless') write({ method: 'notifications/tools/list_changed' });
    for (const id of subscriptions)
      write({ method: 'notifications/tools/list_changed', params: { _meta: { [SUBSCRIPTION]: id } } });
    return said('changed');
  },
  ask: async ({ question, later = false }) => {
    if (later) await new Promise((resolve) => postponed.push(() => resolve(null)));
    return said(await answerTo(question));
  },
};

/** As they are listed. */
const names = Object.keys(TOOLS);
const CAPABILITIES = { tools: { listChanged: true }, prompts: {} };
const SERVER = { name: 'stdio-server', version: '1.0.0' };

/** @param {Message} message @returns {Promise<object | undefined>} undefined for no answer */
async function outcomeOf(message) {
  const { method, params, id } = message;
  if (method === 'ping') return { result: {} };
  if (method === 'server/discover' && revision === 'stateless')
    return { result: { supportedVersions: [STATELESS], capabilities: CAPABILITIES, serverInfo: SERVER } };
  if (method === 'subscriptions/listen' && revision === 'stateless') {
    subscriptions.push(id);
    write({ method: 'notifications/subscriptions/acknowledged', params: { _meta: { [SUBSCRIPTION]: id } } });
    return undefined;
  }
  if (method === 'initialize' && revision !== 'stateless') {
    isGreeted = true;
    const meta = params._meta === undefined ? '' : ` ${JSON.stringify(params._meta)}`;
    note(`initialize ${JSON.stringify(params.capabilities)}${meta}`);
    return { result: { protocolVersion: params.protocolVersion, capabilities: CAPABILITIES, serverInfo: SERVER } };
  }
  if (method === 'tools/list')
    return { result: { tools: names.map((name) => ({ name, inputSchema: { type: 'object' } })) } };
  if (method === 'prompts/list') return { result: { prompts: [{ name: 'asking' }] } };
  if (method === 'prompts/get' && revision !== 'stateless') {
    const content = { type: 'text', text: await answerTo('for a prompt?') };
    return { result: { messages: [{ role: 'user', content }] } };
  }
  const tool = method === 'tools/call' && Object.hasOwn(TOOLS, params.name) ? TOOLS[params.name] : undefined;
  if (tool) {
    note(`call ${params.name} ${JSON.stringify(params.arguments ?? {})}`);
    for (const goOn of postponed.splice(0)) goOn();
    const result = await tool(params.arguments ?? {}, message);
    return result === undefined ? undefined : { result };
  }
  if (revision === 'strict' && !isGreeted) process.exit(1);
  return revision === 'silent' ? undefined : { error: { code: -32601, message: 'Method not found' } };
}

/** @param {Message} message */
async function take(message) {
  if (message.method === undefined) return questions.get(String(message.id))?.(message);
  if (message.method === 'notifications/cancelled') {
    if (waiting.delete(message.params.requestId)) note('cancelled wait');
    return;
  }
  if (message.id === undefined) return;
  const outcome = await outcomeOf(message);
  if (outcome) write({ id: message.id, ...outcome });
}

if (asked === 'late') await new Promise((resolve) => setTimeout(resolve, 500));
let begun = '';
process.stdin.setEncoding('utf8').on('data', (chunk) => {
  const lines = (begun + String(chunk)).split('\n');
  begun = lines.pop() ?? '';
  for (const line of lines) {
    if (line === '') continue;
    lastLine = line;
    void take(JSON.parse(line));
  }
});
process.stdin.on('end', () => process.exit(0));
