import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bootstrapTokenFile, OperatorError } from '../embedded/home.mjs';

export const HELP = `Usage: npm run demo -- [options]

Plays a scenario against the Haldir that runs (npm start, in another terminal): an agent's session, a secret, payments within a
budget, calls to a real MCP server, an approval, webhooks and the audit log. Each step is shown as request and answer.

  --key hld_…    an API key with all scopes; default: one of a new tenant
  --url URL      where Haldir is; default: HOST and PORT, else what runs in HALDIR_HOME (.haldir), else http://127.0.0.1:3000
  --help         this text

It plays in a tenant of its own, as often as you like, before or after anything else. What opens that tenant is
HALDIR_BOOTSTRAP_TOKEN, or what npm start keeps in HALDIR_HOME.`;

export interface Options {
  /** The origin, without a slash at the end */
  url: string;
  key: string | null;
  bootstrapToken: string | null;
}

/**
 * @returns null when help was asked for
 * @throws OperatorError for what it does not understand
 */
export function readOptions(args: string[], env: NodeJS.ProcessEnv): Options | null {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: {
        key: { type: 'string' },
        url: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (error) {
    throw new OperatorError(`${error instanceof Error ? error.message : String(error)}; see npm run demo -- --help`);
  }
  if (values.help) return null;
  const home = path.resolve(env.HALDIR_HOME || '.haldir');
  const launched = urlOfLauncher(home);
  const url = values.url ?? urlOf(env, launched);
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new OperatorError('--url should be where Haldir is, for example --url http://127.0.0.1:3000');
  }
  const { origin } = new URL(url);
  // What opens the Haldir of this home is said to no other.
  const ownToken = origin === launched ? readToken(home) : null;
  return { url: origin, key: values.key || null, bootstrapToken: env.HALDIR_BOOTSTRAP_TOKEN || ownToken };
}

function urlOf(env: NodeJS.ProcessEnv, launched: string | null) {
  const host = !env.HOST || env.HOST === '0.0.0.0' ? '127.0.0.1' : env.HOST;
  if (env.PORT) return `http://${host.includes(':') ? `[${host}]` : host}:${env.PORT}`;
  return launched ?? `http://${host}:3000`;
}

function readToken(home: string) {
  try {
    return fs.readFileSync(bootstrapTokenFile(home), 'utf8').trim();
  } catch {
    return null;
  }
}

/** @returns where the Haldir that `npm start` runs in this home serves, as far as it has said so */
function urlOfLauncher(home: string): string | null {
  try {
    const { url } = JSON.parse(fs.readFileSync(path.join(home, 'launcher.json'), 'utf8'));
    return typeof url === 'string' ? url : null;
  } catch {
    return null;
  }
}
