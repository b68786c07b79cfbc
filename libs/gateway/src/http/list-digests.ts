import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { stringifyJson, Turns } from '@haldir/kernel';
import { type Session } from '@haldir/gate';
import { type Caller } from '@haldir/http';
import { type Catalogue, type ResourceKind } from '@haldir/proxy';
import { OwnToolbox } from './tools/own-toolbox.js';
import { UpstreamResources } from './upstream-resources.js';
import { UpstreamTools } from './upstream-tools.js';

/** The lists that clients are told of, as their methods name them. */
export const CHANGING_LISTS = ['tools', 'prompts', 'resources'] as const;
export type ChangingList = (typeof CHANGING_LISTS)[number];

/** What a session is shown in each list, as a digest. */
export type ShownLists = Readonly<Record<ChangingList, string>>;

const KINDS: Readonly<Record<Exclude<ChangingList, 'tools'>, readonly ResourceKind[]>> = {
  prompts: ['prompts'],
  resources: ['resources', 'templates'],
};
/** Tools that are searched are in no list. */
const SEARCHED = 'searched';

/** Tells whether what a session is shown has changed. */
@Injectable()
export class ListDigests {
  /** A catalogue stays the same object while nothing changes. */
  private readonly ofTools = new WeakMap<Catalogue, Promise<string>>();

  constructor(
    private readonly own: OwnToolbox,
    private readonly tools: UpstreamTools,
    private readonly resources: UpstreamResources,
  ) {}

  async of(caller: Caller, session: Session): Promise<ShownLists> {
    const [tools, prompts, resources] = await Promise.all([
      this.toolsOf(caller, session),
      this.itemsOf(caller, session, KINDS.prompts),
      this.itemsOf(caller, session, KINDS.resources),
    ]);
    return { tools, prompts, resources };
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

  private async itemsOf(caller: Caller, session: Session, kinds: readonly ResourceKind[]): Promise<string> {
    const lists = await Promise.all(
      kinds.map(async (kind) => (await this.resources.readable(caller, session, kind)).items),
    );
    return digestOf(lists.flat(), ({ shown }) => stringifyJson(shown));
  }
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
