// @ts-check
import { say } from '../launcher/console.mjs';
import { connect } from './agent.mjs';

/**
 * Puts a server behind Haldir and holds what an agent is shown of it, by every process, against what the server itself
 * says: each tool is listed, or named among the refused with a reason.
 *
 * @param {import('./servers.mjs').Stage} stage
 * @param {string} name of the upstream
 * @param {string} url
 * @param {import('./agent.mjs').Agent} agent
 * @param {boolean} [overStream] whether it speaks over an event stream, as in 2024-11-05
 * @returns {Promise<import('@modelcontextprotocol/client').Client>} a client of the server itself
 */
export async function putBehind({ haldir, check, defer }, name, url, agent, overStream = false) {
  const direct = await connect(url, {}, overStream);
  defer(() => direct.close());
  const registered = await haldir.register(name, url);
  const sessions = (await haldir.upstream(name))?.sessions;
  const whose = overStream ? 'has one for all, its stream' : 'begins a session for each of Haldir’s';
  check(`is registered, and ${whose}`, registered.healthy && sessions === (overStream ? 'shared' : 'own'), {
    registered,
    sessions,
  });
  await compareLists({ check }, name, direct, registered.refused_tools ?? [], agent);
  return direct;
}

/**
 * @param {Pick<import('./servers.mjs').Stage, 'check'>} stage
 * @param {string} name of the upstream
 * @param {import('@modelcontextprotocol/client').Client} direct of the server itself
 * @param {{ name: string, reason: string }[]} refused
 * @param {import('./agent.mjs').Agent} agent
 */
export async function compareLists({ check }, name, direct, refused, agent) {
  const given = (await direct.listTools()).tools.map((tool) => tool.name).sort();
  const lists = await agent.everywhere(() => agent.tools(name));
  const [listed = []] = lists;
  check(
    `${listed.length} of its ${given.length} tools are listed by every process${refused.length === 0 ? '' : ', and refused is:'}`,
    listed.length > 0 &&
      lists.every(
        (list) =>
          [...list, ...refused]
            .map((tool) => tool.name)
            .sort()
            .join() === given.join(),
      ) &&
      refused.every(({ reason }) => reason !== ''),
    { given, lists: lists.map((list) => list.map((tool) => tool.name)), refused },
  );
  for (const { name: tool, reason } of refused) say(`    ${tool}: ${reason}`);
}
