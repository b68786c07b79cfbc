// @ts-check
// `npm run faults`: a mixed load on two API and two worker processes while they, PostgreSQL and Redis are killed at random;
// afterwards everything that was acknowledged is compared with what is there. One line for each seed, then for each violation.
//
//   npm run faults                        one seed
//   npm run faults -- --seeds 20          so many seeds, from 1 on
//   npm run faults -- --seed 7            this one, or from this one on
//   npm run faults -- --seconds 120       so long a load for each; 25 without it
//   npm run faults -- --connector-kills 200
//                                         `haldir connect` in place of it: connector, API and PostgreSQL killed so often
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { prepare } from './launcher/prepare.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string' },
    seconds: { type: 'string' },
    'connector-kills': { type: 'string' },
  },
});
for (const [name, value] of Object.entries(values)) {
  if (/^[1-9]\d{0,8}$/.test(value)) continue;
  console.error(`--${name} should be a whole number from 1, for example --${name} 20`);
  process.exit(2);
}

const { 'connector-kills': kills } = values;

await prepare(root);
const report = path.join(root, 'coverage', `faults-${process.pid}.json`);
const child = spawn(
  process.execPath,
  [
    path.join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    ...['run', '--project', 'e2e', `test/faults/${kills === undefined ? '' : 'connector-'}faults.e2e-spec.ts`],
    '--disableConsoleIntercept',
    // What a seed has to say it says itself, in its lines.
    ...['--reporter', 'json', `--outputFile.json=${report}`],
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      ...(values.seeds === undefined ? {} : { FAULTS_SEEDS: values.seeds }),
      ...(values.seed === undefined ? {} : { FAULTS_SEED: values.seed }),
      ...(kills === undefined ? {} : { FAULTS_CONNECTOR_KILLS: kills }),
      ...(values.seconds === undefined ? {} : { FAULTS_SECONDS: values.seconds }),
    },
  },
);
for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(name, () => child.kill('SIGTERM'));
child.on('exit', (code) => {
  fs.rmSync(report, { force: true });
  process.exitCode = code ?? 1;
});
