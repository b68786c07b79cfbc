import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** Everything that people read, or that is printed for them. */
const files = [
  ...readdirSync(root).filter((name) => /\.(md|yml|json)$|^Dockerfile$|^\.env\.example$/.test(name)),
  ...['docs', 'scripts', 'apps', 'libs'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  ),
].filter(
  (name) => /\.(md|mjs|ts|js|html|json|yml|example)$|Dockerfile$/.test(name) && !/package-lock|spec\.ts$/.test(name),
);

/** Ways to have a registry's `haldir` fetched and run: npx and its like, an install, the arguments of an `npx` in JSON. */
const FETCHES = [
  /\b(npx|bunx|pnpx|uvx|pipx( run| install)?|npm (x|exec|init|create)|(pnpm|yarn|bun) (dlx|create|x))\s+(-\S+\s+)*(["'`])?@?haldir\b/,
  /\b(npm|pnpm|yarn|bun|pip|pip3)\s+(i|install|add|update)\s+(-\S+\s+)*(["'`])?@?haldir\b/,
  /"command":\s*"(npx|bunx|uvx)"[^}]*"@?haldir(@[^"]*)?"/,
  /\bdocker (pull|run)\b[^\n]*\bhaldir\b(?!:local)/,
];

it('no document and no output has anyone fetch a haldir from a registry, where the name is not ours', () => {
  expect(files.length).toBeGreaterThan(200);
  const found = files.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    return FETCHES.flatMap((pattern) => pattern.exec(text)?.[0] ?? []).map((what) => `${file}: ${what}`);
  });
  expect(found).toEqual([]);
});

it('what it looks for is found', () => {
  const texts = ['npx haldir audit', 'npx --yes haldir@latest mcp', 'npm install -g haldir', 'pnpm dlx haldir'];
  expect(texts.filter((text) => !FETCHES.some((pattern) => pattern.test(text)))).toEqual([]);
  const harmless = [
    'npm run --silent haldir -- audit verify',
    'cd haldir && npm ci',
    'npx openapi-typescript x -o haldir.d.ts',
  ];
  expect(harmless.filter((text) => FETCHES.some((pattern) => pattern.test(text)))).toEqual([]);
});

it('and no such package is published by mistake', () => {
  expect((JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { private: unknown }).private).toBe(true);
});
