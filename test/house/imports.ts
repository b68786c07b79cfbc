import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';

const root = join(import.meta.dirname, '..', '..');

/** A front door of a lib. */
export interface Door {
  /** As it is imported: `@haldir/x`, `@haldir/x/http` or `@haldir/x/jobs`. */
  alias: string;
  lib: string;
  names: string[];
}

/** Names that a file takes through a door. */
export interface DoorImport {
  /** From the root of the repository. */
  file: string;
  alias: string;
  /** The lib behind the door. */
  lib: string;
  names: string[];
}

/** Every front door of every lib, with the names that it lists. */
export function readDoors(): Door[] {
  const { compilerOptions } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')) as {
    compilerOptions: { paths: Record<string, string[]> };
  };
  return Object.entries(compilerOptions.paths).flatMap(([alias, [file = '']]) => {
    const lib = libOf(file.slice(2));
    if (lib === null) return [];
    const names = parse(join(root, file)).statements.flatMap((statement) => {
      if (!ts.isExportDeclaration(statement) || !statement.exportClause || !ts.isNamedExports(statement.exportClause))
        throw new Error(`${file}: expected lists of names, so that one sees what the door shows`);
      return statement.exportClause.elements.map(({ name }) => name.text);
    });
    return [{ alias, lib, names: names.sort() }];
  });
}

/**
 * What files of apps, libs, tests and scripts import through the doors of libs, types included.
 *
 * @throws for a file that imports a door otherwise than by names: nobody could tell what it uses
 */
export function readDoorImports(): DoorImport[] {
  return ['apps', 'libs', 'scripts', 'test'].flatMap(filesIn).flatMap((path) => {
    const text = readFileSync(path, 'utf8');
    return text.includes('@haldir/') ? importsIn(path) : [];
  });
}

/** The lib that a file is of; null for one of an app, a test or a script. */
export function libOf(file: string): string | null {
  return /^libs\/([^/]+)\//.exec(file)?.[1] ?? null;
}

function importsIn(path: string): DoorImport[] {
  const file = relative(root, path);
  const found: DoorImport[] = [];
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node);
    const [, lib] = /^@haldir\/([^/]+)/.exec(specifier ?? '') ?? [];
    if (specifier !== null && lib !== undefined && lib !== 'test-support') {
      const names = namesIn(node);
      if (!names) throw new Error(`${file}: expected an import of ${specifier} by names`);
      found.push({ file, alias: specifier, lib, names });
    }
    ts.forEachChild(node, visit);
  };
  visit(parse(path));
  return found;
}

function specifierOf(node: ts.Node): string | null {
  const of = (expression: ts.Node | undefined): string | null =>
    expression && ts.isStringLiteral(expression) ? expression.text : null;
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return of(node.moduleSpecifier);
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return of(node.argument.literal);
  return ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
    ? of(node.arguments[0])
    : null;
}

function namesIn(node: ts.Node): string[] | null {
  if (!ts.isImportDeclaration(node)) return null;
  const bindings = node.importClause?.namedBindings;
  if (!bindings || !ts.isNamedImports(bindings)) return null;
  return bindings.elements.map(({ name, propertyName = name }) => propertyName.text);
}

function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs)$/.test(entry.name) && !entry.parentPath.includes('node_modules'))
    .map((entry) => join(entry.parentPath, entry.name));
}

function parse(path: string): ts.SourceFile {
  return ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
}
