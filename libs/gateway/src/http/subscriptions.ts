import { Injectable } from '@nestjs/common';
import { type Session } from '@haldir/gate';
import { HANDSHAKE_VERSIONS, INVALID_PARAMS, isObject, type JsonObject } from '@haldir/mcp';
import { type Asking } from './asking.js';
import { ChangeStreams, TooManyStreams } from './change-streams.js';
import { CHANGING_LISTS, type ChangingList, type ShownLists } from './list-digests.js';
import { type Exchange } from './protocol/exchange.js';
import { headerOf } from './protocol/mcp-headers.js';
import { RpcError, type RpcRequest, SERVER_ERROR } from './protocol/messages.js';
import { requireTasks } from './tasks/task-shape.js';

const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId';
/** Of the revisions that know streams to be taken up again. */
const MARKED_SINCE = '2025-11-25';

/** An exchange that a client takes events of. */
type Standing = Asking & { exchange: Exchange };

/** Tells clients of changed lists: those of 2026-07-28 by the answer to `subscriptions/listen`, those before it by the stream that they get. */
@Injectable()
export class Subscriptions {
  constructor(private readonly streams: ChangeStreams) {}

  /**
   * The result that ends a subscription, once the client has gone or its key or session has ended.
   *
   * @param session null for an operator, whose list never changes
   * @throws RpcError
   */
  async listen(asking: Asking, session: Session | null, { id, params }: RpcRequest): Promise<JsonObject> {
    const { exchange } = asking;
    if (!exchange?.takesEvents) throw new RpcError(SERVER_ERROR, 'Accept: expected text/event-stream', { status: 406 });
    const wanted = wantedIn(params);
    // No task says anything by itself: whoever may ask for them is acknowledged without.
    if (isObject(params['notifications']) && params['notifications']['taskIds'] !== undefined) requireTasks(params);
    const wants = new Set(session ? wanted : []);
    const _meta = { [SUBSCRIPTION_ID]: id };
    const begin = (): void => {
      const notifications = Object.fromEntries([...wants].map((list) => [`${list}ListChanged`, true]));
      exchange.notify('notifications/subscriptions/acknowledged', { notifications, _meta });
      exchange.expectWaiting();
    };
    const tell = (list: ChangingList): void => exchange.notify(methodOf(list), { _meta });
    if (session && wants.size > 0)
      await this.follow({ ...asking, exchange }, session, { wants, known: null, tell, begin });
    else begin();
    return { _meta };
  }

  /**
   * The stream of a client that has shaken hands: it says nothing but that lists have changed. Each event is marked with what the client
   * knows by then, so that one that comes back, to whichever process, is told what has changed meanwhile.
   *
   * @throws RpcError
   */
  async stand(asking: Standing, session: Session): Promise<void> {
    const { exchange, request } = asking;
    const version = headerOf(request.headers, 'mcp-protocol-version');
    if (version !== undefined && !HANDSHAKE_VERSIONS.includes(version))
      throw new RpcError(SERVER_ERROR, `MCP-Protocol-Version: expected one of ${HANDSHAKE_VERSIONS.join(', ')}`, {
        status: 400,
      });
    const begin = (shown: ShownLists): void => {
      exchange.stand();
      if (version !== undefined && version >= MARKED_SINCE) exchange.mark(markOf(shown));
    };
    const tell = (list: ChangingList, shown: ShownLists): void =>
      exchange.notify(methodOf(list), {}, version !== undefined && version >= MARKED_SINCE ? markOf(shown) : undefined);
    const known = knownBy(headerOf(request.headers, 'last-event-id'));
    await this.follow(asking, session, { wants: new Set(CHANGING_LISTS), known, tell, begin });
    exchange.leave();
  }

  private async follow(
    { caller, request, exchange }: Standing,
    session: Session,
    {
      begin,
      ...told
    }: {
      wants: ReadonlySet<ChangingList>;
      known: ShownLists | null;
      tell: (list: ChangingList, shown: ShownLists) => void;
      begin: (shown: ShownLists) => void;
    },
  ): Promise<void> {
    const listener = { ...told, request, sessionId: session.id, signal: exchange.signal };
    await this.streams.tell(caller, session, listener, begin).catch((error: unknown) => {
      if (!(error instanceof TooManyStreams)) throw error;
      throw new RpcError(SERVER_ERROR, 'Too many streams are open; lists say for how long they may be used', {
        status: 429,
        data: { code: 'too_many_streams' },
      });
    });
  }
}

/** @throws RpcError that names the parameter */
function wantedIn({ notifications }: JsonObject): ChangingList[] {
  if (!isObject(notifications)) throw new RpcError(INVALID_PARAMS, 'params.notifications: expected an object');
  return CHANGING_LISTS.filter((list) => {
    const { [`${list}ListChanged`]: wanted = false } = notifications;
    if (typeof wanted !== 'boolean')
      throw new RpcError(INVALID_PARAMS, `params.notifications.${list}ListChanged: expected true or false`);
    return wanted;
  });
}

function methodOf(list: ChangingList): string {
  return `notifications/${list}/list_changed`;
}

function markOf(shown: ShownLists): string {
  return CHANGING_LISTS.map((list) => shown[list]).join('.');
}

/** Null for what is no mark of such a stream. */
function knownBy(mark: string | undefined): ShownLists | null {
  const [, tools, prompts, resources] = /^([\w-]{1,64})\.([\w-]{1,64})\.([\w-]{1,64})$/.exec(mark ?? '') ?? [];
  return tools === undefined || prompts === undefined || resources === undefined ? null : { tools, prompts, resources };
}
