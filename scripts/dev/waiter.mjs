// @ts-check
// A process that has loaded every package, and runs an app of ours once it is told to: most of a start is loading packages, and
// of a change only our own files are new.
//
//   node scripts/dev/waiter.mjs DEBUG_PORT ENTRY
import fs from 'node:fs';
import inspector from 'node:inspector';
import { pathToFileURL } from 'node:url';

const [, , debugPort = '', entry = ''] = process.argv;
const told = new Promise((resolve) => process.once('message', resolve));
const endAlone = () => process.exit(0);
process.once('disconnect', endAlone);

await import('reflect-metadata');
const { dependencies } = JSON.parse(fs.readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
// One that has no entry of its own is loaded by what uses it.
for (const name of Object.keys(dependencies)) await import(name).catch(() => undefined);

await told;
process.off('disconnect', endAlone);
inspector.open(Number(debugPort), '127.0.0.1');
await import(pathToFileURL(entry).href);
