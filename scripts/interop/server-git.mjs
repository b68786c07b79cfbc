// @ts-check
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Agent, textOf } from './agent.mjs';
import { connectServer } from './connecting.mjs';

/** One process in Python for everybody, by way of `haldir connect`. @param {import('./servers.mjs').Stage} stage */
export async function tryGit(stage) {
  const { haldir, balancer, dir, check, defer, python } = stage;
  const repository = path.join(dir, 'repository');
  const git = (/** @type {string[]} */ ...args) =>
    execFileSync('git', ['-C', repository, '-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args]);
  fs.mkdirSync(repository);
  git('init', '--quiet', '--initial-branch', 'main');
  fs.writeFileSync(path.join(repository, 'note.txt'), 'one\n');
  git('add', 'note.txt');
  git('commit', '--quiet', '--message', 'The first note');
  fs.writeFileSync(path.join(repository, 'note.txt'), 'one\ntwo ✓\n');

  const agent = await Agent.begin(haldir, balancer, 'git-agent');
  defer(() => agent.close());
  const server = { command: python, args: ['-m', 'mcp_server_git', '--repository', repository] };
  const { direct } = await connectServer(stage, 'git', server, agent);

  for (const [tool, args, part] of /** @type {[string, Record<string, unknown>, string][]} */ ([
    ['git_status', {}, 'note.txt'],
    ['git_log', { max_count: 1 }, 'The first note'],
    ['git_diff_unstaged', {}, '+two ✓'],
  ])) {
    const asked = { repo_path: repository, ...args };
    const said = await direct.callTool({ name: tool, arguments: asked });
    const answers = await agent.everywhere(() => agent.call(`git.${tool}`, asked));
    check(
      `${tool} answers over both processes as it does without Haldir`,
      answers.every((answer) => JSON.stringify(answer.content) === JSON.stringify(said.content)) &&
        answers.every((answer) => textOf(answer).includes(part)),
      { answers, said },
    );
  }
  const added = await agent.call('git.git_add', { repo_path: repository, files: ['note.txt'] });
  check('git_add stages what it is told to', git('diff', '--cached', '--name-only').toString() === 'note.txt\n', added);
  const outside = await agent.call('git.git_status', { repo_path: dir });
  check('another folder is refused, in its words', outside.isError === true && textOf(outside) !== '', outside);
}
