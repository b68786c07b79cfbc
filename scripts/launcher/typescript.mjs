// @ts-check
// Scripts in TypeScript, which need the packages.
import { OperatorError } from '../embedded/home.mjs';

/**
 * Runs a script in TypeScript. Packages that are missing are said, and the process ends with 1.
 *
 * @param {URL} script
 * @param {() => Promise<void>} [prepare] what has to be done first
 */
export async function runTypeScript(script, prepare) {
  try {
    await prepare?.();
    const { register } = await import('tsx/esm/api').catch(missing);
    register();
  } catch (error) {
    console.error(error instanceof OperatorError ? error.message : error);
    process.exitCode = 1;
    return;
  }
  await import(script.href);
}

/** @param {unknown} error @returns {never} */
function missing(error) {
  if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ERR_MODULE_NOT_FOUND') throw error;
  throw new OperatorError('packages are missing; install them: npm ci');
}
