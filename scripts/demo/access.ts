// What a scenario needs to begin: a Haldir that answers, and a key.
import { OperatorError } from '../embedded/home.mjs';
import { type ScenarioRunner } from './scenario-runner.js';
import { type Options } from './options.js';

/** @throws OperatorError when no Haldir answers there */
export async function checkReachable(runner: ScenarioRunner) {
  const answer = await runner.ask('GET', '/healthz').catch(() => null);
  runner.signal.throwIfAborted();
  if (answer?.body?.service === 'haldir') return;
  const found = answer === null ? 'Nothing answers' : 'What answers is no Haldir';
  throw new OperatorError(
    `${found} at ${runner.url}. Start one in another terminal with npm start, or say where it is: PORT=3001 npm run demo`,
  );
}

/**
 * The key the scenario begins with: the one that was given, else the first of a tenant of its own. The first key of a fresh
 * Haldir stays for whoever runs it.
 *
 * @throws OperatorError when key or token do not open, or when there is neither
 */
export async function scenarioKey(
  runner: ScenarioRunner,
  { key, bootstrapToken }: Options,
): Promise<{ key: string; isNew: boolean }> {
  if (key !== null) {
    const { status } = await runner.ask('GET', '/v1/keys', { key });
    if (status === 200) return { key, isNew: false };
    throw new OperatorError(
      status === 401
        ? 'the key is not one of this Haldir; give another: npm run demo -- --key hld_…'
        : `the key was answered with ${status}; the scenario needs one with all scopes: npm run demo -- --key hld_…`,
    );
  }
  if (bootstrapToken === null) {
    throw new OperatorError(
      `No npm start of this folder runs at ${runner.url}. Give the token that opens new tenants there, HALDIR_BOOTSTRAP_TOKEN=…, or a key with all scopes: npm run demo -- --key hld_…`,
    );
  }
  const body = { name: 'demo', tier: 'enterprise', bootstrap_token: bootstrapToken };
  const minted = await runner.ask('POST', '/v1/keys', { body, key: null });
  if (minted.status === 201) return { key: String(minted.body.key), isNew: true };
  throw new OperatorError(
    `the bootstrap token was answered with ${minted.status}; give the one of this Haldir, HALDIR_BOOTSTRAP_TOKEN=…, or a key: npm run demo -- --key hld_…`,
  );
}
