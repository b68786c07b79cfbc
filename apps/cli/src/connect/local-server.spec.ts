import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { UsageError } from '../command.js';
import { type CommandOptions } from './connect-options.js';
import { localServer } from './local-server.js';
import { Stage } from './stage.for-spec.js';

let stage: Stage;
beforeEach(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.close());

const options = (over: Partial<CommandOptions>): CommandOptions => ({
  ...{
    program: process.execPath,
    args: stage.command().args,
    perSession: false,
    maxSessions: 8,
    env: {},
    sandbox: null,
  },
  ...over,
});

const around = (env: Record<string, string>, secrets = new Map<string, string>()) => ({
  ...{ env, secrets, instance: stage.instance },
  said: (line: string) => void stage.said.push(line),
  room: () => null,
});

it('gives a server four variables of its own environment, and what it is told, with secrets in it', async () => {
  const env = { ...{ PATH: process.env.PATH ?? '', HOME: '/root', LANG: 'C' }, HALDIR_API_KEY: 'hld_key', OTHER: 'x' };
  const server = await localServer(
    { name: 'up', server: options({ env: { TOKEN: 'Bearer {{vault:token}}', LANG: 'de' } }) },
    around(env, new Map([['token', 'value']])),
  );
  await stage.connect(() => server);
  const told = JSON.parse(await stage.call(await stage.begin(), 'environment')) as Record<string, string>;
  expect(told).toEqual({ PATH: env.PATH, HOME: '/root', LANG: 'de', TOKEN: 'Bearer value' });
});

it('says at once that a program, or the sandbox, is not there', async () => {
  const PATH = mkdtempSync(`${tmpdir()}/haldir-path-`);
  try {
    await expect(
      localServer({ name: 'up', server: options({ program: 'no-such' }) }, around({ PATH })),
    ).rejects.toThrow(new UsageError('no-such is not there, or no program'));
    const sandbox = { write: [], network: false };
    await expect(localServer({ name: 'up', server: options({ sandbox }) }, around({ PATH }))).rejects.toThrow('bwrap');
  } finally {
    rmSync(PATH, { recursive: true });
  }
});
