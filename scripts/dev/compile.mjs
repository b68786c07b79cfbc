// @ts-check
// Compiles into a folder of its own what `npm run build` compiles into dist/, and then each file that is saved.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { OperatorError } from '../embedded/home.mjs';

/** How long no other file may be saved before a change is passed on, in milliseconds: a checkout saves many. */
const QUIET_MS = 80;

/**
 * Compiles everything, and keeps watching. Lasts as long as the process.
 *
 * @param {object} options
 * @param {string} options.root the repository, and the working directory
 * @param {string} options.dist the folder to write to, emptied first
 * @param {(files: string[]) => void} options.onChange told what was compiled anew, whenever everything compiles
 * @param {(text: string) => void} options.onFail told what does not compile, and why
 * @throws OperatorError when something does not compile to begin with
 */
export async function compileAndWatch({ root, dist, onChange, onFail }) {
  const { default: compile } = createRequire(import.meta.url)('@swc/cli/lib/swc/dir');
  const { options } = JSON.parse(fs.readFileSync(path.join(root, 'nest-cli.json'), 'utf8')).compilerOptions.builder;
  const cliOptions = { ...options, outDir: dist, stripLeadingPaths: false, sync: false, quiet: true };
  const swcOptions = { swcrc: true };

  /** @type {Map<string, string>} */
  const broken = new Map();
  /** @type {Set<string>} */
  const changed = new Set();
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const pass = () => {
    if (broken.size > 0 || changed.size === 0) return;
    const files = [...changed];
    changed.clear();
    onChange(files);
  };
  let watching = false;
  const callbacks = {
    onSuccess: (/** @type {{ filename?: string }} */ { filename }) => {
      if (filename === undefined) return;
      broken.delete(filename);
      changed.add(filename);
      clearTimeout(timer);
      timer = setTimeout(pass, QUIET_MS);
    },
    onFail: (/** @type {{ reasons: Map<string, string> }} */ { reasons }) => {
      for (const [file, reason] of reasons) {
        broken.set(file, reason);
        if (watching) onFail(`${file} does not compile:\n${reason.split('\n\nCaused by:')[0]?.trimEnd()}`);
      }
    },
    onWatchReady: () => undefined,
  };
  fs.rmSync(path.join(root, dist), { recursive: true, force: true });
  await compile({ cliOptions: { ...cliOptions, watch: true }, swcOptions, callbacks });
  watching = true;
  if (broken.size > 0) throw new OperatorError([...broken.values()].join('\n'));
}
