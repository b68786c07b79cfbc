// `npm run demo`: a scenario that exercises the Haldir that runs. Ends with 0 only when every step was answered as it should be.
import { scenarioKey, checkReachable } from './access.js';
import { startEverything } from '../lib/everything.mjs';
import { HELP, type Options, readOptions } from './options.js';
import { startReceiver } from './receiver.js';
import { runScenario } from './scenario.js';
import { ScenarioFailed, ScenarioRunner } from './scenario-runner.js';
import { OperatorError } from '../embedded/home.mjs';
import { say, step } from '../launcher/console.mjs';

const ending = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => ending.abort());

const undo: (() => Promise<unknown>)[] = [];
const defer = (action: () => Promise<unknown>) => void undo.push(action);
try {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options === null) say(HELP);
  else await demo(options);
} catch (error) {
  process.exitCode = 1;
  if (ending.signal.aborted) {
    say('\ninterrupted');
    process.exitCode = 130;
  } else if (error instanceof ScenarioFailed) {
    say(`   ✗ ${error.message}`);
  } else {
    console.error(error instanceof OperatorError ? error.message : error);
  }
}
for (const action of undo.reverse()) await action().catch(() => undefined);

async function demo(options: Options) {
  const runner = new ScenarioRunner(options.url, ending.signal);
  await checkReachable(runner);
  const { key, isNew } = await scenarioKey(runner, options);
  runner.key = key;
  say(`A scenario with the Haldir at ${options.url}`);
  // Said at once: whatever happens then, the key is not shown again.
  if (isNew) say(`It has a tenant of its own. To look around in it afterwards, for instance at /docs: ${key}`);

  const receiver = await startReceiver();
  defer(receiver.stop);
  const everything = await step('starting an MCP server', startEverything);
  defer(everything.stop);
  await runScenario({ runner, mcpUrl: everything.url, receiver, defer });
  say(
    '\nEvery step was answered as it should be. What the scenario made is removed again; the log keeps what happened.',
  );
}
