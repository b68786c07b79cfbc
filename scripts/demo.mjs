// @ts-check
// `npm run demo`: a story that exercises the Haldir that runs. Ends with 0 only when every step was answered as it should be.
import { entranceKey, knock } from './demo/entrance.mjs';
import { HELP, readOptions } from './demo/options.mjs';
import { startReceiver } from './demo/receiver.mjs';
import { StoryBroken, Teller } from './demo/teller.mjs';
import { OperatorError } from './embedded/home.mjs';
import { say, step } from './launcher/console.mjs';

const ending = new AbortController();
for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(name, () => ending.abort());

/** @type {(() => Promise<unknown>)[]} */
const undo = [];
const defer = (/** @type {() => Promise<unknown>} */ action) => void undo.push(action);
try {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options === null) say(HELP);
  else await demo(options);
} catch (error) {
  process.exitCode = 1;
  if (ending.signal.aborted) {
    say('\ninterrupted');
    process.exitCode = 130;
  } else if (error instanceof StoryBroken) {
    say(`   ✗ ${error.message}`);
  } else {
    console.error(error instanceof OperatorError ? error.message : error);
  }
}
for (const action of undo.reverse()) await action().catch(() => undefined);

/** @param {import('./demo/options.mjs').Options} options */
async function demo(options) {
  const teller = new Teller(options.url, ending.signal);
  await knock(teller);
  const { startEverything } = await import('./demo/everything.mjs');
  const { play } = await import('./demo/story.mjs').catch((error) => {
    if (error.code === 'ERR_MODULE_NOT_FOUND') throw new OperatorError('packages are missing; install them: npm ci');
    throw error;
  });
  const { key, isNew } = await entranceKey(teller, options);
  teller.key = key;
  say(`A story with the Haldir at ${options.url}`);
  // Said at once: whatever happens to the story, the key is not shown again.
  if (isNew) say(`It has a tenant of its own. To look around in it afterwards, for instance at /docs: ${key}`);

  const receiver = await startReceiver();
  defer(receiver.stop);
  const everything = await step('starting an MCP server', startEverything);
  defer(everything.stop);
  await play({ teller, mcpUrl: everything.url, receiver, defer });
  say('\nEvery step was answered as it should be. What the story made is removed again; the log keeps what happened.');
}
