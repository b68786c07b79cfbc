// @ts-check
import { createRequire } from 'node:module';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { step } from '../launcher/console.mjs';
import { startEverything } from '../lib/everything.mjs';
import { Agent, textOf } from './agent.mjs';
import { connectServer } from './connecting.mjs';
import { putBehind } from './listing.mjs';

/** @typedef {import('./agent.mjs').Answer} Answer */

const CHICAGO = { temperature: 36, conditions: 'Light rain / drizzle', humidity: 82 };

/** @type {[tool: string, args: Record<string, unknown>, holds: (answer: Answer) => boolean][]} */
const CALLS = [
  ['echo', { message: 'a ✓ b' }, (answer) => textOf(answer) === 'Echo: a ✓ b'],
  ['get-sum', { a: 19, b: 23 }, (answer) => textOf(answer) === 'The sum of 19 and 23 is 42.'],
  [
    'get-structured-content',
    { location: 'Chicago' },
    ({ structuredContent }) => isDeepStrictEqual(structuredContent, CHICAGO),
  ],
  ['get-tiny-image', {}, ({ content }) => content.some((part) => part.type === 'image' && isPng(part.data))],
  ['trigger-long-running-operation', { duration: 1, steps: 2 }, (answer) => textOf(answer).includes(' Steps: 2.')],
];

/** @param {import('./servers.mjs').Stage} stage */
export async function tryEverything(stage) {
  await tryItsTools(stage, 'everything', () => startEverything(0, path.join(stage.dir, 'package.json')));
}

/** @param {import('./servers.mjs').Stage} stage */
export async function tryEverythingOverSse(stage) {
  const start = () => startEverything(0, path.join(stage.dir, 'package.json'), 'sse');
  await tryItsTools(stage, 'everything-sse', start, true);
}

/** On its standard streams, through `haldir connect`: one process for all, and one for each session. @param {import('./servers.mjs').Stage} stage */
export async function tryEverythingConnected(stage) {
  const { haldir, balancer, dir, defer } = stage;
  const entry = createRequire(path.join(dir, 'package.json')).resolve(
    '@modelcontextprotocol/server-everything/dist/index.js',
  );
  const agent = await Agent.begin(haldir, balancer, 'lines-agent');
  defer(() => agent.close());
  for (const options of [[], ['--per-session']]) {
    const name = options.length === 0 ? 'lines' : 'lines-each';
    const { direct } = await connectServer(stage, name, { args: [entry, 'stdio'], options }, agent);
    await tryCalls(stage, agent, name, direct);
  }
}

/**
 * Tries out the reference server, in whatever way it is started.
 *
 * @param {import('./servers.mjs').Stage} stage
 * @param {string} name of the upstream
 * @param {() => Promise<import('../lib/mcp-server.mjs').McpServer>} start
 * @param {boolean} [overStream] whether it speaks over an event stream, as in 2024-11-05
 * @returns {Promise<Agent>} the agent that has called them
 */
export async function tryItsTools(stage, name, start, overStream = false) {
  const { haldir, balancer, defer } = stage;
  const server = await step('starting it', start);
  defer(server.stop);
  const agent = await Agent.begin(haldir, balancer, `${name}-agent`);
  defer(() => agent.close());
  await tryCalls(stage, agent, name, await putBehind(stage, name, server.url, agent, overStream));
  return agent;
}

/**
 * @param {import('./servers.mjs').Stage} stage
 * @param {Agent} agent
 * @param {string} name of the upstream
 * @param {import('@modelcontextprotocol/client').Client} direct
 */
async function tryCalls({ haldir, check }, agent, name, direct) {
  let calls = 0;
  for (const [tool, args, holds] of CALLS) {
    const said = await direct.callTool({ name: tool, arguments: args });
    const answers = await agent.everywhere(() => agent.call(`${name}.${tool}`, args));
    calls += answers.length;
    check(
      `${tool} answers over both processes as it does without Haldir`,
      answers.every((answer) => holds(answer) && isDeepStrictEqual(answer.content, said.content)),
      { answers, said },
    );
  }
  const wrong = { name: 'get-sum', arguments: { a: 'one' } };
  const said = await direct.callTool(wrong);
  const refusals = await agent.everywhere(() => agent.call(`${name}.get-sum`, wrong.arguments));
  check(
    'arguments that it refuses are a failure of the call, in its words',
    said.isError === true &&
      refusals.every((one) => one.isError === true && isDeepStrictEqual(one.content, said.content)),
    { refusals, said },
  );
  const logged = (await haldir.log(agent.name)).filter(({ tool }) => tool?.startsWith(`${name}.`));
  check('every call is in the log of its agent', logged.length === calls + refusals.length, logged);
}

/** @param {string} data */
const isPng = (data) => Buffer.from(data, 'base64').subarray(1, 4).toString() === 'PNG';
