// @ts-check
// `npm start` (and `npm run dev`) is npm, a shell and we. Whoever ends npm means all of it, but npm ends the shell alone, or, killed, nobody.
import { isRunning, parentOf } from '../embedded/processes.mjs';

const EVERY_MS = 500;

/**
 * Calls `act` once the npm that started us, or the shell between, is gone. Never when something else started us: a terminal
 * that closes may leave us running. Keeps the process awake until the answer is called.
 *
 * @param {() => void} act
 * @returns {() => void} stops watching
 */
export function onceOrphaned(act) {
  const before = lineage();
  let gone = before === null;
  const timer = setInterval(() => {
    if (gone || lineage()?.join() === before?.join()) return;
    gone = true;
    act();
  }, EVERY_MS);
  return () => clearInterval(timer);
}

/** @returns {number[] | null} the processes between npm and us, npm itself the last; null when it was not npm */
function lineage() {
  if (!process.env.npm_lifecycle_event || process.platform === 'win32') return null;
  const parent = process.ppid;
  // A shell runs the script as its child, or has become the script; then the parent is npm already.
  return isRunning(parent, 'scripts') ? [parent, parentOf(parent)] : [parent];
}
