import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { stringifyJson, Turns } from '@haldir/kernel';
import { type Session } from '@haldir/gate';
import { type Caller } from '@haldir/http';
import { type Catalogue, type ShownResource, type VisibleResources } from '@haldir/proxy';
import { mayCall } from './tool-call.js';
import { OwnToolbox } from './tools/own-toolbox.js';
import { UpstreamResources } from './upstream-resources.js';
import { UpstreamTools } from './upstream-tools.js';

/** The lists that clients are told of, as their methods name them. */
export const CHANGING_LISTS = ['tools', 'prompts', 'resources'] as const;
export type ChangingList = (typeof CHANGING_LISTS)[number];

/** What a session is shown in each list, as a digest. */
export type ShownLists = Readonly<Record<ChangingList, string>>;

/** Tools that are searched are in no list. */
const SEARCHED = 'searched';

/** What a session is shown, of whatever was found out for it and others together. */
export type DigestsOf = (caller: Caller, session: Session) => Promise<ShownLists>;

/** Tells whether what a session is shown has changed. */
@Injectable()
export class ListDigests {
  /** A catalogue stays the same object while nothing changes. */
  private readonly ofTools = new WeakMap<Catalogue, Promise<string>>();
  private readonly ofOthers = new WeakMap<VisibleResources, Promise<Pick<ShownLists, 'prompts' | 'resources'>>>();

  constructor(
    private readonly own: OwnToolbox,
    private readonly tools: UpstreamTools,
    private readonly resources: UpstreamResources,
  ) {}

  async of(caller: Caller, session: Session): Promise<ShownLists> {
    const [tools, others] = await Promise.all([this.toolsOf(caller, session), this.othersOf(caller, session)]);
    return { tools, ...others };
  }

  /** For sessions that are looked at together: of all that are shown the same, one is found out about. */
  together(): DigestsOf {
    const found = new Map<string, Promise<ShownLists>>();
    return (caller, session) => {
      const { tenantId, agent } = caller.actor;
      const { agentId, catalogue } = session;
      const key = JSON.stringify([tenantId, agent?.upstreams ?? null, agentId, catalogue, mayCall(caller, session)]);
      let shown = found.get(key);
      if (!shown) found.set(key, (shown = this.of(caller, session)));
      return shown;
    };
  }

  private async toolsOf(caller: Caller, session: Session): Promise<string> {
    if (session.catalogue === 'search') return SEARCHED;
    const catalogue = await this.tools.catalogueFor(caller, session, this.own.names('agent'));
    let digest = this.ofTools.get(catalogue);
    if (!digest)
      this.ofTools.set(
        catalogue,
        (digest = digestOf(catalogue.tools, ({ shownName, definition }) => shownName + definition)),
      );
    return digest;
  }

  private async othersOf(caller: Caller, session: Session): Promise<Pick<ShownLists, 'prompts' | 'resources'>> {
    const visible = await this.resources.readable(caller, session);
    let digests = this.ofOthers.get(visible);
    if (!digests) this.ofOthers.set(visible, (digests = digestsOf(visible)));
    return digests;
  }
}

async function digestsOf(visible: VisibleResources): Promise<Pick<ShownLists, 'prompts' | 'resources'>> {
  const of = (items: readonly ShownResource[]): Promise<string> => digestOf(items, ({ shown }) => stringifyJson(shown));
  return { prompts: await of(visible.prompts), resources: await of([...visible.resources, ...visible.templates]) };
}

/** In turns. */
async function digestOf<Item>(items: readonly Item[], textOf: (item: Item) => string): Promise<string> {
  const turns = new Turns();
  const digest = createHash('sha256');
  for (const item of items) {
    if (turns.isOver) await turns.next();
    digest.update(`${textOf(item)}\n`);
  }
  return digest.digest('base64url');
}
