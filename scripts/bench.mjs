// @ts-check
// `npm run bench`: how fast a Haldir is on this machine, held against what lies beneath it. `--help` says more.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runTypeScript } from './launcher/typescript.mjs';
import { prepare } from './launcher/prepare.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
await runTypeScript(new URL('./bench/main.ts', import.meta.url), () => prepare(root));
