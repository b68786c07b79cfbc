import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, sandboxed } from './sandbox.js';

const COMMAND = { program: 'node', args: ['a.js'], env: { PATH: '/bin' } };

it('has no network and nothing to write to but what is named', () => {
  const closed = sandboxed('/usr/bin/bwrap', COMMAND, { write: [], network: false });
  expect(closed).toMatchObject({ program: '/usr/bin/bwrap', env: { PATH: '/bin' } });
  expect(closed.args).toContain('--unshare-all');
  expect(closed.args).not.toContain('--share-net');
  expect(closed.args).not.toContain('--bind');
  expect(closed.args.slice(-3)).toEqual(['--', 'node', 'a.js']);
  const open = sandboxed('/usr/bin/bwrap', COMMAND, { write: ['/srv/a', 'b'], network: true }).args.join(' ');
  expect(open).toContain('--ro-bind / /');
  expect(open).toContain('--bind /srv/a /srv/a');
  expect(open).toContain(`--bind ${process.cwd()}/b ${process.cwd()}/b`);
  expect(open).toContain('--share-net');
});

// Where bubblewrap is installed and may make namespaces.
const BWRAP = findProgram('bwrap', process.env.PATH ?? '');
const run = (script: string, allowed: { write: string[]; network: boolean }) => {
  const command = { program: process.execPath, args: ['-e', script], env: { PATH: process.env.PATH ?? '' } };
  const { program, args, env } = sandboxed(BWRAP ?? '', command, allowed);
  return spawnSync(program, args, { env, encoding: 'utf8', timeout: 20_000 });
};
const works = BWRAP !== null && run('0', { write: [], network: false }).status === 0;

it.runIf(works)('writes to what is named alone, and reaches nobody', () => {
  const [open, closed] = ['open', 'closed'].map((name) => mkdtempSync(join(process.cwd(), `.haldir-${name}-`)));
  try {
    const script = (folder: string): string => `
      const fs = require('node:fs');
      try { fs.writeFileSync(${JSON.stringify(folder)} + '/a', 'x'); console.log('written'); } catch (e) { console.log(e.code); }
      console.log(Object.keys(require('node:os').networkInterfaces()).join());
    `;
    const allowed = { write: [open ?? ''], network: false };
    expect(run(script(open ?? ''), allowed).stdout).toBe('written\nlo\n');
    // EROFS, or ENOENT where the checkout is in /tmp.
    expect(run(script(closed ?? ''), allowed).stdout).toMatch(/^E[A-Z]+\nlo\n$/);
    expect(readdirSync(closed ?? '')).toEqual([]);
  } finally {
    for (const folder of [open, closed]) rmSync(folder ?? '', { recursive: true });
  }
});
