// @ts-check
import { createRequire } from 'node:module';
import path from 'node:path';
import { Agent, textOf } from './agent.mjs';
import { connectServer } from './connecting.mjs';

const ADA = { name: 'Ada', entityType: 'person', observations: ['wrote the first program'] };
const ENGINE = { name: 'Engine', entityType: 'machine', observations: ['was never built'] };

/** One process for everybody, with a file that its environment names. @param {import('./servers.mjs').Stage} stage */
export async function tryMemory(stage) {
  const { haldir, balancer, dir, check, defer } = stage;
  const entry = createRequire(path.join(dir, 'package.json')).resolve(
    '@modelcontextprotocol/server-memory/dist/index.js',
  );
  const agent = await Agent.begin(haldir, balancer, 'memory-agent');
  defer(() => agent.close());
  const env = { MEMORY_FILE_PATH: path.join(dir, 'memory.jsonl') };
  const { direct } = await connectServer(stage, 'memory', { args: [entry], env }, agent);

  const created = await agent.call('memory.create_entities', { entities: [ADA, ENGINE] });
  check('create_entities answers what it made', JSON.stringify(created).includes('was never built'), created);
  const relation = { from: 'Ada', to: 'Engine', relationType: 'programmed' };
  await agent.call('memory.create_relations', { relations: [relation] });
  for (const [tool, args, part] of /** @type {[string, Record<string, unknown>, string][]} */ ([
    ['read_graph', {}, 'programmed'],
    ['search_nodes', { query: 'first program' }, 'Ada'],
    ['open_nodes', { names: ['Engine'] }, 'machine'],
  ])) {
    const said = await direct.callTool({ name: tool, arguments: args });
    const answers = await agent.everywhere(() => agent.call(`memory.${tool}`, args));
    check(
      `${tool} answers over both processes as another process of it does, of the same file`,
      answers.every((answer) => JSON.stringify(answer.content) === JSON.stringify(said.content)) &&
        answers.every((answer) => textOf(answer).includes(part)),
      { answers, said },
    );
  }
}
