// @ts-check
// Scripts in TypeScript, which need the packages.
import { OperatorError } from '../embedded/home.mjs';

/**
 * Runs a script in TypeScript. Packages that are missing are installed, or said, and the process ends with 1.
 *
 * @param {URL} script
 * @param {() => Promise<void>} [install] what to do when packages are missing
 */
export async function runTypeScript(script, install) {
  try {
    const { register } = await loader(install);
    register();
  } catch (error) {
    console.error(error instanceof OperatorError ? error.message : error);
    process.exitCode = 1;
    return;
  }
  await import(script.href);
}

/**
 * @param {() => Promise<void>} [install]
 * @returns {Promise<typeof import('tsx/esm/api')>}
 */
async function loader(install) {
  try {
    return await import('tsx/esm/api');
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    if (!install) throw new OperatorError('packages are missing; install them: npm ci');
    await install();
    return import('tsx/esm/api');
  }
}
