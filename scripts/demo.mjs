// @ts-check
// `npm run demo`: a scenario that exercises the Haldir that runs. Ends with 0 only when every step was answered as it should be.
import { runTypeScript } from './launcher/typescript.mjs';

await runTypeScript(new URL('./demo/main.ts', import.meta.url));
