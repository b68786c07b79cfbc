import { type KeyObject, randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { parseJson, stringifyJson } from '@haldir/kernel';
import { associatedData, KeyRing, open, seal } from '@haldir/crypto';
import { Notices } from '@haldir/database';
import { isObject, type JsonObject } from '@haldir/mcp';
import { Log } from '@haldir/runtime';
import { type Asking } from './asking.js';
import { type Ability, keyOfRequest, type McpParty, type McpSession } from './protocol/mcp-session.js';
import { type RpcAnswer } from './protocol/messages.js';

const CHANNEL = 'haldir_mcp_answered';
/** The key is derived, so it has one version. */
const KEY_VERSION = 1;
const MAX_QUESTIONS = 16;
/** Open in a process at most, and those of one tenant, so that it leaves room for others; what is asked beyond is not answered. */
const MAX_OPEN = 5_000;
const MAX_OF_TENANT = 500;

interface Question {
  method: string;
  params: JsonObject;
}

interface Open {
  tenantId: string;
  hear: (answer: JsonObject | null) => void;
}

/**
 * What tools of 2026-07-28 ask in the middle of a call, put to clients of the older revisions in their way: as requests on the call's
 * stream. The client answers with a POST, which may come to another process; that one tells the others.
 */
@Injectable()
export class Questions implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly open = new Map<string, Open>();
  private sealingKey: KeyObject | undefined;
  private ending = false;

  constructor(
    private readonly notices: Notices,
    private readonly keys: KeyRing,
    private readonly log: Log,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.notices.listen(CHANNEL, (text) => {
      const [key = '', sealed = ''] = text.split(' ');
      this.open.get(key)?.hear(this.opened(key, sealed));
    });
  }

  /** Calls that wait for an answer end before the process does. */
  beforeApplicationShutdown(): void {
    this.ending = true;
    for (const { hear } of this.open.values()) hear(null);
  }

  /** Whether anything can be asked at all. */
  canAsk({ exchange, mcpSession }: Asking): boolean {
    return mcpSession !== null && mcpSession.can.size > 0 && (exchange?.takesEvents ?? false);
  }

  /**
   * The client's answers, by the names of the questions; null when one of them is not answered in time, or cannot be asked.
   *
   * @param inputRequests as the tool gives them
   */
  async ask(asking: Asking, inputRequests: unknown, ms: number): Promise<JsonObject | null> {
    const { caller, sessionId, exchange, mcpSession, cancelled } = asking;
    const questions = questionsIn(inputRequests);
    if (!questions || !mcpSession || !exchange || this.ending || ms <= 0) return null;
    if (!this.hasRoomFor(questions.length, caller.actor.tenantId)) return null;
    if (!questions.every(([, question]) => canAnswer(mcpSession, question))) return null;
    const signal = AbortSignal.any([
      exchange.signal,
      AbortSignal.timeout(Math.ceil(ms)),
      ...(cancelled ? [cancelled] : []),
    ]);
    // One for each question, or Node takes them for a leak.
    setMaxListeners(MAX_QUESTIONS, signal);
    const party = { tenantId: caller.actor.tenantId, sessionId, mcpSession };
    const answers = await Promise.all(
      questions.map(async ([name, { method, params }]): Promise<[string, JsonObject | null]> => {
        const id = randomUUID();
        const answer = this.answerTo(caller.actor.tenantId, keyOfRequest(party, id), signal);
        exchange.request(id, method, params);
        return [name, await answer];
      }),
    );
    return answers.some(([, answer]) => answer === null) ? null : Object.fromEntries(answers);
  }

  /** Hands on what a client has answered, to whichever process has asked. */
  async hear(by: McpParty, { id, result }: RpcAnswer): Promise<void> {
    const key = keyOfRequest(by, id);
    const here = this.open.get(key);
    if (here) here.hear(result);
    else {
      await this.notices.send(CHANNEL, `${key} ${this.sealed(key, result)}`).catch((error: unknown) => {
        this.log.warn({ event: 'mcp.answer_lost', reason: (error as Error).message });
      });
    }
  }

  /** What a human has said is read by no other role of the database, each of which may listen. */
  private sealed(key: string, result: JsonObject | null): string {
    return seal(this.key(), KEY_VERSION, Buffer.from(stringifyJson(result)), placeOf(key)).toString('base64');
  }

  /** @throws SealBroken */
  private opened(key: string, sealed: string): JsonObject | null {
    return parseJson(open(this.key(), Buffer.from(sealed, 'base64'), placeOf(key)).toString()) as JsonObject | null;
  }

  private key(): KeyObject {
    return (this.sealingKey ??= this.keys.derive('haldir.mcp-answer.v1'));
  }

  private hasRoomFor(count: number, tenantId: string): boolean {
    if (this.open.size + count > MAX_OPEN) return false;
    let own = count;
    for (const open of this.open.values()) if (open.tenantId === tenantId) own++;
    return own <= MAX_OF_TENANT;
  }

  private answerTo(tenantId: string, key: string, signal: AbortSignal): Promise<JsonObject | null> {
    return new Promise((resolve) => {
      const giveUp = (): void => hear(null);
      const hear = (answer: JsonObject | null): void => {
        this.open.delete(key);
        signal.removeEventListener('abort', giveUp);
        resolve(answer);
      };
      this.open.set(key, { tenantId, hear });
      signal.addEventListener('abort', giveUp, { once: true });
      if (signal.aborted) giveUp();
    });
  }
}

function placeOf(key: string): Buffer {
  return associatedData(['haldir.mcp-answer.v1', key]);
}

/** Null when there is nothing in it that a client could be asked. */
function questionsIn(inputRequests: unknown): [string, Question][] | null {
  if (!isObject(inputRequests)) return null;
  const entries = Object.entries(inputRequests);
  if (entries.length === 0 || entries.length > MAX_QUESTIONS) return null;
  const questions: [string, Question][] = [];
  for (const [name, question] of entries) {
    if (!isObject(question) || typeof question['method'] !== 'string') return null;
    const { method, params } = question;
    questions.push([name, { method, params: paramsFor(method, isObject(params) ? params : {}) }]);
  }
  return questions;
}

/** The older revisions name what is to be done at an address. */
function paramsFor(method: string, params: JsonObject): JsonObject {
  const needsId = method === 'elicitation/create' && params['mode'] === 'url' && params['elicitationId'] === undefined;
  return needsId ? { ...params, elicitationId: randomUUID() } : params;
}

function canAnswer({ can }: McpSession, { method, params }: Question): boolean {
  const needed: Readonly<Record<string, Ability>> = {
    'elicitation/create': params['mode'] === 'url' ? 'url' : 'form',
    'sampling/createMessage': 'sampling',
    'roots/list': 'roots',
  };
  const ability = Object.hasOwn(needed, method) ? needed[method] : undefined;
  return ability !== undefined && can.has(ability);
}
