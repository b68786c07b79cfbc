import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Injectable } from '@nestjs/common';

/** Where `npm run build` puts what it makes of apps/console. */
const BUILT = new URL('../../../console/', import.meta.url);
/** Every file but the page is in here, as vite is told. */
const FOLDER = 'console/';

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** A file of the console. */
export interface ConsoleFile {
  type: string;
  body: Buffer;
  gzipped: Buffer;
  /** Whether its name has a digest of it, so that the file of a name never changes. */
  isHashed: boolean;
}

/** The console as it was built: one page, and the files that it asks for. Read once, when somebody first asks. */
@Injectable()
export class ConsoleFiles {
  private built: { page: string; files: ReadonlyMap<string, ConsoleFile> } | null = null;

  /**
   * The page for an address. It asks for its files by addresses that are relative to its own, so that it is the same below any path
   * that a proxy takes away.
   *
   * @param path without a query
   * @returns null where the console was not built, as by `nest build`
   */
  page(path: string): string | null {
    const depth = path.split('/').length - 2;
    return this.read()?.page.replaceAll(`"./${FOLDER}`, `"${depth > 0 ? '../'.repeat(depth) : './'}${FOLDER}`) ?? null;
  }

  file(name: string): ConsoleFile | null {
    return this.read()?.files.get(name) ?? null;
  }

  private read(): ConsoleFiles['built'] {
    if (this.built !== null || !existsSync(new URL('index.html', BUILT))) return this.built;
    const folder = new URL(FOLDER, BUILT);
    const files = readdirSync(folder).map((name): [string, ConsoleFile] => {
      const body = readFileSync(new URL(name, folder));
      const type = TYPES[extname(name)] ?? 'application/octet-stream';
      return [name, { type, body, gzipped: gzipSync(body), isHashed: /-[\w-]{8}\.\w+$/.test(name) }];
    });
    this.built = { page: readFileSync(new URL('index.html', BUILT), 'utf8'), files: new Map(files) };
    return this.built;
  }
}
