import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { type DoorImport, libOf, readDoorImports, readDoors } from './imports.js';

const root = join(import.meta.dirname, '..', '..');
const libs = readdirSync(join(root, 'libs')).sort();
const imports = readDoorImports();

/** `apps/api`, `libs/gate`, `scripts` or `test`. */
function userOf({ file }: DoorImport): string {
  return /^(?:(?:apps|libs)\/[^/]+|scripts|test)(?=\/)/.exec(file)?.[0] ?? file;
}

/** From the root of the repository; tests, but no migrations, which never change. */
const files = readdirSync(join(root, 'libs'), { recursive: true, encoding: 'utf8' })
  .map((name) => `libs/${name.replaceAll('\\', '/')}`)
  .filter((name) => name.endsWith('.ts') && !name.startsWith('libs/database/src/migrations/'));

const lines = (file: string): number => readFileSync(join(root, file), 'utf8').split('\n').length - 1;

describe('the files of tests', () => {
  it('have 400 lines at most', () => {
    const code = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
      .map((name) => `test/${name.replaceAll('\\', '/')}`)
      .filter((name) => /\.(ts|mjs)$/.test(name));
    expect(code.length).toBeGreaterThan(100);
    expect(code.filter((file) => lines(file) > 400)).toEqual([]);
  });

  it('stand in the folders that CONTRIBUTING names, and in no other', () => {
    const named = [...readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8').matchAll(/^\| `test\/([^`]+)` +\| \S/gm)];
    const entries = readdirSync(join(root, 'test'), { withFileTypes: true });
    expect(named.map(([, folder]) => folder)).toEqual(entries.map(({ name }) => name).sort());
    expect(entries.filter((entry) => !entry.isDirectory())).toEqual([]);
  });
});

describe('the files of libs', () => {
  it('have 300 lines at most, and 400 where they are tests', () => {
    expect(files.filter((file) => lines(file) > (file.endsWith('spec.ts') ? 400 : 300))).toEqual([]);
  });

  it('are named for the class in them that Nest makes', () => {
    const misnamed = files.flatMap((file) => {
      const decorated = readFileSync(join(root, file), 'utf8')
        .split(/^(?=@)/m)
        .slice(1);
      return decorated.flatMap((text) => {
        const [, name] = /^export class (\w+)/m.exec(text) ?? [];
        // Entities are named for what a row is, in `api-key.entity.ts`.
        if (name === undefined || text.startsWith('@Entity(')) return [];
        return kebab(name) === basename(file, '.ts').replaceAll('.', '-') ? [] : [`${file}: ${name}`];
      });
    });
    expect(misnamed).toEqual([]);
  });

  it('have no two types or doors of one name in one lib', () => {
    const places = new Map<string, string[]>();
    for (const file of files.filter((name) => !/\.(\w+-)?spec\.ts$/.test(name))) {
      for (const name of declaredIn(readFileSync(join(root, file), 'utf8'))) {
        const key = `${file.split('/')[1]}: ${name}`;
        places.set(key, [...(places.get(key) ?? []), file]);
      }
    }
    expect(places.size).toBeGreaterThan(1000);
    expect([...places].filter(([, found]) => new Set(found).size > 1)).toEqual([]);
  });
});

/** Types and classes, and what is exported. A function of one file alone may be named as that of another. */
function declaredIn(source: string): string[] {
  return [...source.matchAll(/^(?:export (?:abstract |async )?(?:const|function\*?) |(?:export )?(?:abstract )?(?:class|interface|type|enum) )(\w+)/gm)].map(([, name = '']) => name); // prettier-ignore
}

/** `ApiKeyService`, as a file of it is named. */
function kebab(name: string): string {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase();
}

describe('the front doors of libs', () => {
  const doors = readDoors();

  it('are there for every lib', () => {
    expect([...new Set(doors.map(({ lib }) => lib))].sort()).toEqual(libs);
  });

  // Who uses each name is shown by `vitest run --project unit test/house/architecture.spec.ts --reporter verbose`.
  it.for(doors)('$alias lists what others use, and nothing more', async ({ alias, lib, names }, { annotate }) => {
    const uses = imports.filter((use) => use.alias === alias && libOf(use.file) !== lib);
    const usersOf = (name: string): string[] => [
      ...new Set(uses.filter((use) => use.names.includes(name)).map(userOf)),
    ];
    await annotate(names.map((name) => `${name}: ${usersOf(name).join(', ') || 'nobody'}`).join('\n'));
    expect(names.filter((name) => usersOf(name).length === 0)).toEqual([]);
  });

  it('are for others: a lib’s own files import each other', () => {
    expect(imports.filter(({ file, lib }) => libOf(file) === lib).map(({ file }) => file)).toEqual([]);
  });
});

describe('the arrows between libs', () => {
  interface Rule {
    name: string;
    comment: string;
    to: { pathNot: string };
  }
  const { forbidden } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as { forbidden: Rule[] };
  const DOOR = /\/src\/(http|jobs)\//;

  const ruleOf = (name: string): Rule => {
    const rule = forbidden.find((each) => each.name === name);
    if (!rule) throw new Error(`.dependency-cruiser.cjs has no rule ${name}`);
    return rule;
  };
  /** The libs that a rule lets a lib import, itself left out. */
  const allowedBy = (name: string, lib: string): string[] => {
    const [, names = ''] = /^\^libs\/\(([^)]*)\)\/$/.exec(ruleOf(name).to.pathNot) ?? [];
    return names.split('|').filter((each) => each !== lib && each !== '');
  };
  const usedBy = (lib: string, isDoor: boolean): string[] => {
    const files = imports.filter(
      ({ file }) => libOf(file) === lib && !file.endsWith('spec.ts') && DOOR.test(file) === isDoor,
    );
    return [...new Set(files.map((each) => each.lib))].filter((each) => each !== lib).sort();
  };

  it('are listed for every lib', () => {
    const listed = forbidden.flatMap(({ name }) => /^(.*)(?<!-door)-arrows$/.exec(name)?.[1] ?? []);
    expect(listed.sort()).toEqual(libs);
  });

  it.each(libs)('of %s are those that it uses, each with its reason', (lib) => {
    const [core, doors] = [allowedBy(`${lib}-arrows`, lib), allowedBy(`${lib}-door-arrows`, lib)];
    const beyond = (names: string[]): string[] => names.filter((name) => !core.includes(name)).sort();
    expect({ core: usedBy(lib, false), doors: beyond(usedBy(lib, true)) }).toEqual({
      core: core.sort(),
      doors: beyond(doors),
    });
    // A rule says its arrows' reasons, because they stand in what it says when it is broken.
    for (const other of doors)
      expect(ruleOf(`${lib}-door-arrows`).comment).toMatch(new RegExp(`\\b${other} \\((?!undefined)`));
  });
});
