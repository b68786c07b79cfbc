import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(root, 'docs', 'architecture.md'), 'utf8');
const quoted = [...page.matchAll(/`([^`\s]+)`/g)].map(([, text = '']) => text);

describe('docs/architecture.md', () => {
  it('names files and folders that are there', () => {
    const paths = quoted.filter((text) => /^(apps|libs|test|docs|scripts)\//.test(text) || text.startsWith('.dep'));
    expect(paths.length).toBeGreaterThan(40);
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it('names every lib', () => {
    const libs = readdirSync(join(root, 'libs')).map((name) => `libs/${name}`);
    expect(libs.filter((lib) => !quoted.includes(lib))).toEqual([]);
  });

  it('has a glossary of at most 25 words', () => {
    const [, glossary = ''] = page.split('## Words');
    const words = glossary.split('\n').filter((line) => line.startsWith('| ')).length - 2;
    expect(words).toBeGreaterThan(10);
    expect(words).toBeLessThanOrEqual(25);
  });
});

describe('docs/adr/README.md', () => {
  const folder = join(root, 'docs', 'adr');
  const list = readFileSync(join(folder, 'README.md'), 'utf8');

  it('lists every decision, with its date and whether it stands', () => {
    const files = readdirSync(folder).filter((name) => /^\d{4}-/.test(name));
    const line = (name: string): RegExp =>
      new RegExp(
        `\\| \\[${name.slice(0, 4)}\\]\\(${name}\\) +\\| .+ \\| \\d{4}-\\d\\d-\\d\\d \\| (stands|replaced by .+?) +\\|`,
      );
    expect(files.filter((name) => !line(name).test(list))).toEqual([]);
  });
});
