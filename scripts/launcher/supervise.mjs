// @ts-check
import { OperatorError } from '../embedded/home.mjs';
import { say } from './console.mjs';
import { onceOrphaned } from './lineage.mjs';
import { launch } from './launch.mjs';

/** @typedef {{ signal: AbortSignal, defer: import('./launch.mjs').Defer }} Life until when, and what comes after */

/**
 * Starts and keeps running until a signal asks to end; then undoes everything that was started, last things first.
 *
 * @param {string} root the repository
 * @param {(life: Life) => Promise<unknown>} [start] what to start; default: a Haldir as it is run
 * @returns {Promise<number>} the exit code: 0 after a signal, 1 when it could not start
 */
export async function supervise(root, start = (life) => launchAndSay(root, life)) {
  const ending = new AbortController();
  /** @type {(() => Promise<void> | void)[]} */
  const undo = [];
  let exitCode = 0;

  const asked = new Promise((resolve) => ending.signal.addEventListener('abort', resolve, { once: true }));
  for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(name, () => {
      if (!ending.signal.aborted) say('\nStopping …');
      ending.abort();
    });
  }
  // Whoever reads what we say may go before us.
  process.stdout.on('error', () => undefined);
  const stopWatching = onceOrphaned(() => ending.abort());
  try {
    await start({ signal: ending.signal, defer: (action) => void undo.push(action) });
    await asked;
  } catch (error) {
    if (!ending.signal.aborted) {
      exitCode = 1;
      console.error(error instanceof OperatorError ? `Haldir did not start: ${error.message}` : error);
    }
  }
  ending.abort();
  for (const action of undo.reverse()) {
    try {
      await action();
    } catch (error) {
      console.error(error);
    }
  }
  if (exitCode === 0) say('Stopped.');
  stopWatching();
  return exitCode;
}

/**
 * @param {string} root
 * @param {Life} life
 */
async function launchAndSay(root, life) {
  const { summary } = await launch({ root, env: process.env, ...life });
  say(await summary());
}
