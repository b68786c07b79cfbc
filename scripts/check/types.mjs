// @ts-check
// The type check, which begins with what it knew last time. Besides, it says which files a change reaches: those that changed,
// and those that use something whose type did. The lint goes by types, so these have to pass it again.
//
//   node scripts/check/types.mjs FOLDER     its caches are in FOLDER
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { readLinted, writeLinted } from './linted.mjs';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const folder = path.resolve(process.argv[2] ?? '');

/** What runs in Node, and what runs in browsers. */
const PROJECTS = { types: 'tsconfig.json', console: 'apps/console/tsconfig.json' };

const linted = readLinted(folder);
const programs = Object.entries(PROJECTS)
  .filter(([, file]) => ts.sys.fileExists(path.join(root, file)))
  .map(([name, file]) => programOf(name, path.join(root, file)));
for (const program of programs) {
  for (;;) {
    const next = program.getSemanticDiagnosticsOfNextAffectedFile();
    if (next === undefined) break;
    const files = 'fileName' in next.affected ? [next.affected] : next.affected.getSourceFiles();
    for (const { fileName } of files) delete linted[path.relative(root, fileName)];
  }
}
// Before the type check forgets what it found to be reached.
writeLinted(folder, linted);
for (const program of programs) program.emit();

const found = programs.flatMap((program) => [
  ...program.getConfigFileParsingDiagnostics(),
  ...program.getOptionsDiagnostics(),
  ...program.getGlobalDiagnostics(),
  ...program.getSyntacticDiagnostics(),
  ...program.getSemanticDiagnostics(),
]);
if (found.length > 0) {
  const host = { getCanonicalFileName: String, getCurrentDirectory: () => root, getNewLine: () => '\n' };
  process.stdout.write(ts.formatDiagnosticsWithColorAndContext(found, host));
  process.exitCode = 1;
}

/**
 * @param {string} name of its cache
 * @param {string} file
 */
function programOf(name, file) {
  const { config, error } = ts.readConfigFile(file, ts.sys.readFile);
  const parsed = ts.parseJsonConfigFileContent(config, ts.sys, path.dirname(file), undefined, file);
  return ts.createIncrementalProgram({
    rootNames: parsed.fileNames,
    options: {
      ...parsed.options,
      noEmit: true,
      incremental: true,
      tsBuildInfoFile: path.join(folder, `${name}.tsbuildinfo`),
    },
    configFileParsingDiagnostics: [...(error ? [error] : []), ...parsed.errors],
  });
}
