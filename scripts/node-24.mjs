// @ts-check
// `npm run node-24`: unit tests, and the tests of the programs that run on the machines of agents (bridge, connector), on Node 24,
// whichever Node is installed. It is npm's package `node` in the version of test/interop/node-24, in a temporary directory. What it
// ends with is what `npm test` does.
//
//   npm run node-24                              those
//   npm run node-24 -- e2e test/mcp/protocol     what `npm test` is given, instead
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { OperatorError } from './embedded/home.mjs';
import { openScratch } from './embedded/scratch.mjs';
import { installPackages, must, nodeIn } from './interop/packages.mjs';
import { say, step } from './launcher/console.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
/** What `npm test` is given, one run after the other. */
const RUNS = [['unit'], ['e2e', 'test/mcp/bridge', '/connect']];

const ending = new AbortController();
for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(name, () => ending.abort());

const scratch = await openScratch();
try {
  const given = process.argv.slice(2);
  await runOn(await node(), given.length === 0 ? RUNS : [given]);
} catch (error) {
  if (!ending.signal.aborted) console.error(error instanceof OperatorError ? error.message : error);
  process.exitCode = 1;
}
await scratch.remove();
if (ending.signal.aborted) process.exitCode = 130;

/** @returns {Promise<string>} a Node 24 */
async function node() {
  const dir = path.join(scratch.dir, 'node');
  const pins = path.join(root, 'test', 'interop', 'node-24');
  await step('installing Node 24 (npm ci)', () => installPackages(pins, dir, ending.signal));
  const program = nodeIn(dir);
  await must(
    dir,
    program,
    ['-e', `if (!/^v24\\./.test(process.version)) throw new Error(process.version)`],
    ending.signal,
  );
  return program;
}

/**
 * @param {string} program
 * @param {string[][]} runs
 */
async function runOn(program, runs) {
  // What starts `node` by its name gets that one, too.
  const PATH = [path.dirname(program), process.env.PATH].join(path.delimiter);
  for (const args of runs) {
    ending.signal.throwIfAborted();
    say(`\nnpm test -- ${args.join(' ')}, on ${program}`);
    const child = spawn(program, [path.join(root, 'scripts', 'test.mjs'), ...args], {
      cwd: root,
      env: { ...process.env, PATH },
      stdio: 'inherit',
    });
    const forward = () => child.kill('SIGTERM');
    ending.signal.addEventListener('abort', forward);
    const code = await new Promise((resolve) => {
      child.once('error', () => resolve(1));
      child.once('exit', resolve);
    });
    ending.signal.removeEventListener('abort', forward);
    if (code !== 0) process.exitCode = 1;
  }
}
