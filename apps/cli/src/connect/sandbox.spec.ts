import { spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
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
  expect(open).toContain('/run/systemd/resolve');
  expect(closed.args.join(' ')).not.toContain('/run/systemd/resolve');
  // What is named may lie in what is emptied.
  expect(open).toMatch(/--tmpfs \/tmp .*--bind \/srv\/a/);
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

// Where sockets of services are: of the system's, else of the user's.
const runtime = ['/run', process.env.XDG_RUNTIME_DIR ?? ''].find((folder) => {
  try {
    accessSync(folder, constants.W_OK);
    return folder.startsWith('/run');
  } catch {
    return false;
  }
});

it.runIf(works && runtime !== undefined)('connects to no service of the machine by its socket in /run', async () => {
  const folder = mkdtempSync(join(runtime ?? '', 'haldir-'));
  const socket = join(folder, 'service.sock');
  const server = createServer((connection) => connection.end());
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  try {
    const script = `
      require('node:net').connect(${JSON.stringify(socket)}, () => { console.log('connected'); process.exit(); })
        .on('error', ({ code }) => console.log(code));
    `;
    for (const network of [false, true]) expect(run(script, { write: [], network }).stdout).toBe('ENOENT\n');
    expect(run(script, { write: [folder], network: false }).stdout).toBe('connected\n');
  } finally {
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
  }
});

it.runIf(works && runtime !== undefined)('finds programs of the PATH that are in /run, or linked there', () => {
  const [folder, home] = [mkdtempSync(join(runtime ?? '', 'haldir-')), mkdtempSync('/var/tmp/haldir-')];
  try {
    // As fnm has it: a link in /run to a folder elsewhere, with a link to what is beside that.
    for (const name of ['home/bin', 'home/lib']) mkdirSync(join(home, name), { recursive: true });
    mkdirSync(join(folder, 'own'));
    for (const place of [join(home, 'home/lib/linked'), join(folder, 'own/tool')])
      writeFileSync(place, '#!/bin/sh\necho it runs\n', { mode: 0o755 });
    symlinkSync('../lib/linked', join(home, 'home/bin/linked'));
    symlinkSync(join(home, 'home'), join(folder, 'shell'));
    writeFileSync(join(folder, 'private'), '');
    const path = [join(folder, 'shell/bin'), '/usr/bin', '/bin'].join(':');
    for (const asked of ['linked', join(folder, 'own/tool'), join(folder, 'shell/bin/linked')]) {
      const command = { program: asked, args: [], env: { PATH: path } };
      const { program, args, env } = sandboxed(BWRAP ?? '', command, { write: [], network: true });
      expect(spawnSync(program, args, { env, encoding: 'utf8', timeout: 20_000 })).toMatchObject({
        ...{ stderr: '', stdout: 'it runs\n' },
      });
    }
    const list = { program: 'ls', args: [folder], env: { PATH: path } };
    const { program, args, env } = sandboxed(BWRAP ?? '', list, { write: [], network: false });
    expect(spawnSync(program, args, { env, encoding: 'utf8', timeout: 20_000 }).stdout).toBe('shell\n');
  } finally {
    for (const each of [folder, home]) rmSync(each, { recursive: true });
  }
});

it('shows nothing of a folder that sockets of services are in, also where the PATH names it', () => {
  const env = { PATH: '/run:/var/run:/run/user:/run/user/0:/run/user/1000' };
  const { args } = sandboxed('/usr/bin/bwrap', { ...COMMAND, env }, { write: [], network: false });
  expect(args.filter((_, i) => args[i - 1] === '--ro-bind-try')).toEqual(['/run/current-system']);
});
