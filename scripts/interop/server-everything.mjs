// @ts-check
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { step } from '../launcher/console.mjs';
import { startEverything } from '../lib/everything.mjs';
import { Agent, textOf } from './agent.mjs';
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
  const { haldir, balancer, dir, check, defer } = stage;
  const server = await step('starting it', () => startEverything(0, path.join(dir, 'package.json')));
  defer(server.stop);
  const agent = await Agent.begin(haldir, balancer, 'everything-agent');
  defer(() => agent.close());
  const direct = await putBehind(stage, 'everything', server.url, agent);

  let calls = 0;
  for (const [tool, args, holds] of CALLS) {
    const said = await direct.callTool({ name: tool, arguments: args });
    const answers = await agent.everywhere(() => agent.call(`everything.${tool}`, args));
    calls += answers.length;
    check(
      `${tool} answers over both processes as it does without Haldir`,
      answers.every((answer) => holds(answer) && isDeepStrictEqual(answer.content, said.content)),
      { answers, said },
    );
  }
  const wrong = { name: 'get-sum', arguments: { a: 'one' } };
  const said = await direct.callTool(wrong);
  const refusals = await agent.everywhere(() => agent.call('everything.get-sum', wrong.arguments));
  check(
    'arguments that it refuses are a failure of the call, in its words',
    said.isError === true &&
      refusals.every((one) => one.isError === true && isDeepStrictEqual(one.content, said.content)),
    { refusals, said },
  );
  const logged = (await haldir.log(agent.name)).filter(({ tool }) => tool?.startsWith('everything.'));
  check('every call is in the log of its agent', logged.length === calls + refusals.length, logged);
}

/** @param {string} data */
const isPng = (data) => Buffer.from(data, 'base64').subarray(1, 4).toString() === 'PNG';
