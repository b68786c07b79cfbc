import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { descendantsOf, onPath } from '../../scripts/embedded/processes.mjs';
import { IN_PYTHON, SERVERS } from '../../scripts/interop/servers.mjs';

const root = join(import.meta.dirname, '..', '..');
const read = <T>(file: string): T => JSON.parse(readFileSync(join(root, file), 'utf8')) as T;

interface Package {
  version?: string;
  dependencies?: Record<string, string>;
}
const { dependencies = {} } = read<Package>('test/interop/servers/package.json');

it('every server of the interop run has a version that stands still, and no other is installed', () => {
  const ofNpm = [...SERVERS.keys()].filter((name) => !IN_PYTHON.includes(name));
  const packages = new Set(ofNpm.map((name) => name.split(' ')[0]));
  expect(Object.keys(dependencies).sort()).toEqual([...packages].sort());
  const { packages: locked } = read<{ packages: Record<string, Package> }>('test/interop/servers/package-lock.json');
  expect(locked['']?.dependencies).toEqual(dependencies);
  for (const [name, version] of Object.entries(dependencies))
    expect([name, locked[`node_modules/${name}`]?.version]).toEqual([name, version]);
  const pinned = readFileSync(join(root, 'test/interop/servers/requirements.txt'), 'utf8').trim().split('\n');
  for (const line of pinned) expect(line).toMatch(/^[\w-]+==[\w.]+$/);
  for (const name of IN_PYTHON) expect(pinned.map((line) => line.split('==')[0])).toContain(name);
});

it('the Node of npm run node-24 is a Node 24, in a version that stands still', () => {
  const { node } = read<Package>('test/interop/node-24/package.json').dependencies ?? {};
  expect(node).toMatch(/^24\.\d+\.\d+$/);
  const { packages } = read<{ packages: Record<string, Package> }>('test/interop/node-24/package-lock.json');
  expect(packages['node_modules/node']?.version).toBe(node);
});

it('the reference server is the one that the tests have', () => {
  const name = '@modelcontextprotocol/server-everything';
  const own = read<{ devDependencies: Record<string, string> }>('package.json').devDependencies;
  expect(dependencies[name]).toBe(own[name]);
});

it('the processes below another are its children and theirs, for as long as they live', async () => {
  const sleeper = `setInterval(() => 0, 1000)`;
  const parent = spawn(process.execPath, [
    '-e',
    `const child = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(sleeper)}]);
     child.once('exit', () => console.log('gone'));
     process.stdin.once('data', () => child.kill('SIGKILL'));
     console.log(child.pid);`,
  ]);
  try {
    const [said] = (await once(parent.stdout, 'data')) as [Buffer];
    const child = Number(said.toString());
    expect(descendantsOf(parent.pid ?? 0)).toEqual([child]);
    expect(descendantsOf(process.pid)).toEqual(expect.arrayContaining([parent.pid, child]));
    const ended = once(parent.stdout, 'data');
    parent.stdin.write('end\n');
    await ended;
    expect(descendantsOf(parent.pid ?? 0)).toEqual([]);
  } finally {
    parent.kill('SIGKILL');
  }
});

it('programs are found where the PATH says, in its order', () => {
  const dir = mkdtempSync(join(tmpdir(), 'haldir-path-'));
  const before = process.env.PATH;
  try {
    const folders = ['none', 'two', 'one'].map((name) => join(dir, name));
    for (const folder of folders) mkdirSync(folder);
    for (const folder of folders.slice(1)) {
      writeFileSync(join(folder, 'haldir-none-such'), '#!/bin/sh\n');
      chmodSync(join(folder, 'haldir-none-such'), 0o755);
    }
    process.env.PATH = folders.join(delimiter);
    expect(onPath('haldir-none-such')).toEqual(folders.slice(1).map((folder) => join(folder, 'haldir-none-such')));
    expect(onPath('haldir-not-there')).toEqual([]);
  } finally {
    process.env.PATH = before;
    rmSync(dir, { recursive: true });
  }
});
