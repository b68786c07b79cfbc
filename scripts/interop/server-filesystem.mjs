// @ts-check
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Agent, textOf } from './agent.mjs';
import { connectServer } from './connecting.mjs';

const TEXT = 'one\u2028two\r\n✓ three\n';

/** One process for everybody, by way of `haldir connect`. @param {import('./servers.mjs').Stage} stage */
export async function tryFilesystem(stage) {
  const { haldir, balancer, dir, check, defer } = stage;
  const folder = path.join(dir, 'shared');
  fs.mkdirSync(folder);
  const entry = createRequire(path.join(dir, 'package.json')).resolve(
    '@modelcontextprotocol/server-filesystem/dist/index.js',
  );
  const agent = await Agent.begin(haldir, balancer, 'files-agent');
  defer(() => agent.close());
  const { direct } = await connectServer(stage, 'files', { args: [entry, folder] }, agent);

  const file = path.join(folder, 'a ✓.txt');
  const written = await agent.call('files.write_file', { path: file, content: TEXT });
  check('write_file writes what it is given', fs.readFileSync(file, 'utf8') === TEXT, written);
  for (const [tool, args] of /** @type {[string, Record<string, unknown>][]} */ ([
    ['read_text_file', { path: file }],
    ['list_directory', { path: folder }],
    ['search_files', { path: folder, pattern: '*.txt' }],
  ])) {
    const said = await direct.callTool({ name: tool, arguments: args });
    const answers = await agent.everywhere(() => agent.call(`files.${tool}`, args));
    check(
      `${tool} answers over both processes as it does without Haldir`,
      answers.every((answer) => JSON.stringify(answer.content) === JSON.stringify(said.content)) &&
        JSON.stringify(said.content).includes(tool === 'read_text_file' ? 'three' : 'a ✓.txt'),
      { answers, said },
    );
  }
  const outside = await agent.call('files.read_text_file', { path: path.join(dir, 'package.json') });
  check('what is not in its folder is refused, in its words', outside.isError === true && textOf(outside).includes('denied'), outside); // prettier-ignore
}
