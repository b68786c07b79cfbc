import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { OperatorError } from '../embedded/home.mjs';

export const help = (rows: string[]) => `Usage: npm run bench -- [options]

Starts a Haldir of its own (embedded PostgreSQL with fsync, Redis when a redis-server of version 7 or newer is found, one
API process, one worker) and loads it together with what lies beneath it. Nothing of it stays when it ends.

  --rows a,b          rows whose name begins with one of these; default: all
  --seconds 5         how long each measurement takes
  --rounds 3          how often each is repeated, in alternation with its limits; the table shows medians
  --against folder    another checkout of Haldir, started beside this one: each row is held against the same row of it instead
                      of its limits. Many short rounds tell more of a machine that is not steady: --seconds 1 --rounds 20
  --connections 32    of the load generator
  --quota             count every request against an hourly limit that is never reached, instead of none (tier limit 0)
  --json file         also write every measurement to this file
  --profile folder    run the API and the worker under Node's CPU profiler; their profiles are in the folder afterwards
  --help              this text

Rows: ${rows.join(', ')}`;

export interface Options {
  /** Names */
  rows: string[];
  seconds: number;
  rounds: number;
  connections: number;
  /** A folder */
  against: string | null;
  quota: boolean;
  json: string | null;
  profile: string | null;
}

/**
 * @param rows the names of all rows
 * @returns null when help was asked for
 * @throws OperatorError for what it does not understand
 */
export function readOptions(args: string[], rows: string[]): Options | null {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: {
        rows: { type: 'string' },
        seconds: { type: 'string', default: '5' },
        rounds: { type: 'string', default: '3' },
        connections: { type: 'string', default: '32' },
        against: { type: 'string' },
        quota: { type: 'boolean', default: false },
        json: { type: 'string' },
        profile: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (error) {
    throw new OperatorError(`${error instanceof Error ? error.message : String(error)}; see npm run bench -- --help`);
  }
  if (values.help) return null;
  const wanted = (values.rows ?? '').split(',').filter(Boolean);
  for (const name of wanted) {
    if (!rows.some((row) => row.startsWith(name))) {
      throw new OperatorError(`--rows should name rows of ${rows.join(', ')}, for example --rows audit,check`);
    }
  }
  return {
    rows: rows.filter((row) => wanted.length === 0 || wanted.some((name) => row.startsWith(name))),
    seconds: number('seconds', values.seconds, 0.2, 600),
    rounds: Math.round(number('rounds', values.rounds, 1, 100)),
    connections: Math.round(number('connections', values.connections, 1, 1000)),
    against: values.against === undefined ? null : checkout(values.against),
    quota: values.quota,
    json: values.json ?? null,
    profile: values.profile ?? null,
  };
}

function checkout(folder: string) {
  const root = path.resolve(folder);
  if (fs.existsSync(path.join(root, 'scripts', 'bench.mjs'))) return root;
  throw new OperatorError('--against should be the folder of a checkout of Haldir, for example --against ../before');
}

function number(name: string, text: string, min: number, max: number) {
  const value = Number(text);
  if (value >= min && value <= max) return value;
  throw new OperatorError(
    `--${name} should be a number from ${min} to ${max}, for example --${name} ${Math.max(min, 5)}`,
  );
}
