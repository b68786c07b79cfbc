import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Client, type EverythingServer, startEverything, startWorld, type World } from '@haldir/test-support';

const root = join(import.meta.dirname, '..', '..');
/** Not below node_modules, whose TypeScript nobody runs. */
const folder = join(root, 'coverage', `generated-${process.pid}`);
const file = join(folder, 'openapi.json');

let world: World;
let upstream: EverythingServer;
let tenant: Client;
let sessionId: string;
beforeAll(async () => {
  [world, upstream] = await Promise.all([startWorld(), startEverything()]);
  tenant = await world.newTenant();
  await tenant.post('/v1/proxy/upstreams', { name: 'everything', url: upstream.url });
  sessionId = await tenant.session({ scopes: ['execute'] });
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, JSON.stringify((await world.operator.get('/openapi.json')).body, null, 1));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await Promise.all([world.stop(), upstream.kill()]);
});

/** Runs a program of node_modules; fails with what it says unless it ends well. */
async function run(program: string, ...args: string[]): Promise<string> {
  const child = spawn(process.execPath, [join(root, 'node_modules', program), ...args], { cwd: folder });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(code, said).toBe(0);
  return said;
}

interface Generator {
  name: string;
  generate: () => Promise<unknown>;
  /** A module whose `call(url, key, session)` answers the text of a governed call of `echo`. */
  use: string;
}

const CALL = `{ session_id: session, tool: 'everything.echo', arguments: { message: 'hello' } }`;

const GENERATORS: Generator[] = [
  {
    name: 'openapi-typescript',
    generate: () => run('openapi-typescript/bin/cli.js', file, '-o', join(folder, 'types.ts')),
    use: `import createClient from 'openapi-fetch';
      import { type paths } from './types';
      export async function call(url: string, key: string, session: string): Promise<string | undefined> {
        const client = createClient<paths>({ baseUrl: url, headers: { authorization: 'Bearer ' + key } });
        const { data } = await client.POST('/v1/proxy/call', { body: ${CALL} });
        return data?.content?.[0]?.text;
      }`,
  },
  {
    name: 'hey-api',
    generate: () => run('@hey-api/openapi-ts/bin/run.js', '-i', file, '-o', join(folder, 'hey-api')),
    use: `import { client } from './hey-api/client.gen';
      import { proxyCall } from './hey-api/sdk.gen';
      export async function call(url: string, key: string, session: string): Promise<string | undefined> {
        client.setConfig({ baseUrl: url, auth: key });
        const { data } = await proxyCall({ body: ${CALL} });
        return data?.content?.[0]?.text;
      }`,
  },
  {
    name: 'orval, with zod',
    generate: async () => {
      const config = join(folder, 'orval.config.cjs');
      const target = (name: string, client: string): object => ({
        input: file,
        output: {
          target: join(folder, name),
          client,
          mode: 'single',
          ...(client === 'fetch' && { baseUrl: 'http://haldir' }),
        },
      });
      const targets = { api: target('orval.ts', 'fetch'), schemas: target('orval.zod.ts', 'zod') };
      writeFileSync(config, `module.exports = ${JSON.stringify(targets)}`);
      await run('orval/dist/bin/orval.js', '--config', config);
    },
    use: `import { getProxyCallUrl } from './orval';
      import { proxyCallBody, proxyCallResponse } from './orval.zod';
      export async function call(url: string, key: string, session: string): Promise<string | undefined> {
        const response = await fetch(getProxyCallUrl().replace('http://haldir', url), {
          method: 'POST',
          headers: { authorization: 'Bearer ' + key, 'content-type': 'application/json' },
          body: JSON.stringify(proxyCallBody.parse(${CALL})),
        });
        return proxyCallResponse.parse(await response.json()).content?.[0]?.text;
      }`,
  },
  {
    name: 'swagger-typescript-api',
    generate: () =>
      run('swagger-typescript-api/dist/cli.mjs', 'generate', '-p', file, '-o', folder, '-n', 'swagger.ts', '--silent'),
    use: `import { Api } from './swagger';
      export async function call(url: string, key: string, session: string): Promise<string | undefined> {
        const api = new Api({ baseUrl: url, baseApiParams: { format: 'json', headers: { authorization: 'Bearer ' + key } } });
        const { data } = await api.v1.proxyCall(${CALL});
        return data.content?.[0]?.text;
      }`,
  },
];

describe('a client that is generated from the document', () => {
  it.each(GENERATORS)(
    'by $name compiles, and makes a governed call',
    async ({ name, generate, use }) => {
      await generate();
      const module = join(folder, `use-${name.replace(/\W+/g, '-')}.ts`);
      writeFileSync(module, use);
      await run(
        ...([
          'typescript/bin/tsc',
          '--noEmit',
          '--strict',
          '--ignoreConfig',
          '--skipLibCheck',
          '--target',
          'es2022',
        ] as const),
        ...([
          '--module',
          'esnext',
          '--moduleResolution',
          'bundler',
          '--lib',
          'es2023,dom,dom.iterable',
          module,
        ] as const),
      );
      const { call } = (await import(pathToFileURL(module).href)) as {
        call: (url: string, key: string, session: string) => Promise<string | undefined>;
      };
      expect(await call(tenant.url, tenant.key ?? '', sessionId)).toBe('Echo: hello');
    },
    120_000,
  );
});

describe('a linter', () => {
  it('of Redocly, at its strictest recommended rules, finds nothing', async () => {
    const said = await run('@redocly/cli/bin/cli.js', 'lint', file, '--extends=recommended-strict', '--format=json');
    expect(JSON.parse(said.slice(said.indexOf('{'), said.lastIndexOf('}') + 1))).toMatchObject({
      totals: { errors: 0, warnings: 0, ignored: 0 },
    });
  }, 60_000);

  it('of Spectral, at its rules for OpenAPI, finds nothing', async () => {
    const rules = join(folder, 'spectral.yml');
    writeFileSync(rules, 'extends: ["spectral:oas"]\n');
    const said = await run('@stoplight/spectral-cli/dist/index.js', 'lint', '--fail-severity=hint', '-r', rules, file);
    expect(said).toContain('No results');
  }, 60_000);
});
