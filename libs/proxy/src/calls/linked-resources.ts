import { Injectable } from '@nestjs/common';
import { type Session } from '@haldir/gate';
import { isObject, type JsonObject } from '@haldir/mcp';
import { Log } from '@haldir/runtime';
import { LinkedResourceRepository } from '../catalogue/linked-resource.repository.js';
import { addressIn } from '../catalogue/resource-lookup.js';

/** Of an answer; as long as an address may be that is asked for. */
const MAX_LINKS = 256;
const MAX_ADDRESS = 4_400;
const MAX_PURGED = 1_000;

/**
 * What tools and prompts link to (`resource_link`): the session they said it to may read it, like what is listed, though it is
 * listed nowhere.
 */
@Injectable()
export class LinkedResources {
  constructor(
    private readonly links: LinkedResourceRepository,
    private readonly log: Log,
  ) {}

  /** Keeps what an answer links to before anybody has it. The call was made, whatever becomes of this. */
  async keep(session: Session, upstream: string, answer: JsonObject): Promise<void> {
    const addresses = linksIn(answer);
    if (addresses.length === 0) return;
    await this.links.keep(session, upstream, addresses).catch((error: unknown) => {
      this.log.warn({ event: 'proxy.links_forgotten', upstream, reason: (error as Error).message });
    });
  }

  /** Forgets what was named to sessions that are over. Several processes may do it at once. */
  async purge(now: Date): Promise<void> {
    while ((await this.links.purge(now, MAX_PURGED)) === MAX_PURGED);
  }

  /** The upstreams that have named an address to a session. */
  upstreamsOf(tenantId: string, sessionId: string, address: string): Promise<string[]> {
    return this.links.upstreamsOf(tenantId, sessionId, addressIn(address).id);
  }
}

/** Addresses in the content of a tool's answer, or in the messages of a prompt. */
function linksIn({ content, messages }: JsonObject): string[] {
  const said = Array.isArray(messages)
    ? messages.map((message) => (isObject(message) ? message['content'] : null))
    : [];
  const found = new Set<string>();
  for (const block of [content, ...said].flat()) {
    if (found.size === MAX_LINKS) break;
    if (!isObject(block) || block['type'] !== 'resource_link') continue;
    const { uri } = block;
    if (typeof uri === 'string' && uri !== '' && uri.length <= MAX_ADDRESS) found.add(uri);
  }
  return [...found];
}
