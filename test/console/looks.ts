import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Visitor } from './browser.js';

/** What every view is looked at in. */
export const LOOKS = [
  { width: 1280, colorScheme: 'light' },
  { width: 1280, colorScheme: 'dark' },
  { width: 390, colorScheme: 'light' },
  { width: 390, colorScheme: 'dark' },
] as const;

/** Texts of somebody hostile: were one of them markup, it would run. */
export const PAYLOADS = [
  '<img src=x onerror=window.hacked=1>',
  '</script><script>window.hacked=1</script>',
  '<a href="javascript:window.hacked=1">press</a>',
  '"><svg onload=window.hacked=1>',
  '{{constructor.constructor("window.hacked=1")()}}',
];

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/**
 * That what is shown fits, can be read by everybody, and has no text of somebody else as markup or with what turns the text around it.
 * Keeps a picture of it, where they are wanted.
 *
 * @param name of the view, and of the state that it is in
 */
export async function looksGood(visitor: Visitor, name: string, look: (typeof LOOKS)[number]): Promise<void> {
  const { page } = visitor;
  await visitor.picture(`${name}-${look.width}-${look.colorScheme}`);
  const [images, hacked] = await page.evaluate<[string[], unknown]>(
    `[[...document.images].map((image) => new URL(image.src).pathname), window.hacked]`,
  );
  expect(images.filter((path) => !/^\/console\/mark-[\w-]{8}\.svg$/.test(path))).toEqual([]);
  expect(hacked).toBeUndefined();
  expect(await page.evaluate('document.body.innerText'), name).not.toMatch(/[\u202e\u200b]/);
  expect(await page.evaluate('document.documentElement.scrollWidth'), name).toBeLessThanOrEqual(look.width);
  await page.evaluate(AXE);
  const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
    `axe.run({ runOnly: ${JSON.stringify(RULES)} })`,
  );
  expect(violations.map(({ id, nodes }) => [name, id, nodes.map(({ html }) => html)])).toEqual([]);
}
