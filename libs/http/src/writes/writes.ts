import { createHmac, hash, type KeyObject } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Clock, parseJson, stringifyJson } from '@haldir/kernel';
import { associatedData, KeyRing, open, seal } from '@haldir/crypto';
import { Transactions, type Tx } from '@haldir/database';
import { Unauthenticated } from '../auth/authenticator.js';
import { IdempotencyInProgress, IdempotencyMismatch, OutcomeUnknown } from './idempotency.errors.js';
import { type Claim, type IdempotencyId, IdempotencyRepository, type StoredWrite } from './idempotency.repository.js';
import { type WriteRequest } from './write-request.js';

/** An answer with a status of its own, where it is not the route's success. */
export class Answer<Body> {
  constructor(
    readonly status: number,
    readonly body: Body,
  ) {}
}

/** What came of work that reaches outside the database, and with it of the `Idempotency-Key`. */
export type Attempt<Outcome> =
  /** The key stands for it. */
  | { kind: 'done'; outcome: Outcome }
  /** It certainly had no effect, and may have one if it is tried again: the key stays free. */
  | { kind: 'undone'; outcome: Outcome }
  /** It failed, which is answered, after something may have happened: of the key, the outcome is unknown. */
  | { kind: 'interrupted'; error: unknown };

const LOCK_NOT_AVAILABLE = '55P03';
/** How long a request waits for the first one with its key; the same as the lock timeout of `run`. */
const RACE_MS = 2_000;
const RACE_STEP_MS = 50;
/** Whoever sends no key may retry for a minute only: a guessed `Idempotency-Key` must not hand out a key later. */
export const ANONYMOUS_REPLAY_MS = 60_000;

/**
 * Runs the writes of routes: in one transaction, and at most once per `Idempotency-Key`. The claim on the key, the
 * change and the answer commit together, so a retry finds either nothing or the answer. Answers are kept sealed, because
 * some hold a value that is shown only once.
 */
@Injectable()
export class Writes {
  private sealingKey: KeyObject | undefined;
  private fingerprintKey: KeyObject | undefined;

  constructor(
    private readonly records: IdempotencyRepository,
    private readonly transactions: Transactions,
    private readonly keys: KeyRing,
    private readonly clock: Clock,
  ) {}

  /**
   * Answers what `work` answers, or what it answered the first time. An `Answer` sets its own status; a failure rolls
   * everything back and leaves the key free.
   *
   * @throws IdempotencyMismatch, IdempotencyInProgress
   */
  async run<Body>(request: WriteRequest, work: (tx: Tx) => Promise<Body | Answer<Body>>): Promise<Body> {
    const { idempotencyKey } = request;
    if (idempotencyKey === null) return this.send(request, await this.transactions.run(request.tenantId, work));
    const id = identify(request, idempotencyKey);
    const fingerprint = this.fingerprint(request);
    const outcome = await this.transactions.run(request.tenantId, async (tx) => {
      const records = this.records.in(tx);
      await records.waitForLocks(2);
      const wanted = { fingerprint, lockedUntil: null, createdAt: this.clock.now() };
      const isClaimed = await records.claim(id, wanted).catch((error: unknown) => {
        throw (error as { code?: string }).code === LOCK_NOT_AVAILABLE ? new IdempotencyInProgress() : error;
      });
      if (!isClaimed) return this.replay<Body>(request, id, fingerprint, await records.find(id));
      await records.waitForLocks(10);
      const result = await work(tx);
      await tx.flush();
      await this.store(tx, request, id, result);
      return result;
    });
    return this.send(request, outcome);
  }

  /**
   * What the first request with the key answered, or null while there is none: for work before `run` that a retry should not
   * do again. Two that race may both get null; `run` still does its part once.
   *
   * @throws IdempotencyMismatch
   */
  async earlier<Body>(request: WriteRequest): Promise<Body | null> {
    const { idempotencyKey } = request;
    if (idempotencyKey === null) return null;
    const id = identify(request, idempotencyKey);
    const stored = await this.records.find(id);
    return stored ? this.send(request, this.replay<Body>(request, id, this.fingerprint(request), stored)) : null;
  }

  /**
   * The same for work that reaches outside the database and so cannot share its transaction: the key is claimed
   * first, `call` runs, and `finish` writes its outcome together with the answer. A crash in between leaves the
   * outcome unknown; the retry says so and never calls again.
   *
   * @param call is told what the key is known by; when it throws, nothing has happened, and the key stays free
   * @param lockMs how long `call` may take at most
   * @param finish gets no transaction of an outcome that is not kept under the key
   * @param unwritten is told an outcome of which nobody knows whether it was written under the key, or that was not
   */
  async around<Outcome, Body>(
    request: WriteRequest,
    lockMs: number,
    call: (claim: Claim | null) => Promise<Attempt<Outcome>>,
    finish: (outcome: Outcome, tx: Tx | null) => Promise<Body | Answer<Body>>,
    unwritten: (outcome: Outcome) => void,
  ): Promise<Body> {
    const { idempotencyKey } = request;
    if (idempotencyKey === null) {
      const attempt = await call(null);
      if (attempt.kind === 'interrupted') throw attempt.error;
      return this.send(request, await finish(attempt.outcome, null));
    }
    const id = identify(request, idempotencyKey);
    const fingerprint = this.fingerprint(request);
    const first = await this.claimOrReplay<Body>(request, id, fingerprint, lockMs);
    if (first) return this.send(request, first);
    const attempt = await call({ route: id[1], keyHash: id[2].toString('hex') }).catch(async (error: unknown) => {
      await this.records.release(id);
      throw error;
    });
    if (attempt.kind === 'interrupted') throw attempt.error;
    const { outcome } = attempt;
    if (attempt.kind === 'undone') {
      try {
        return this.send(request, await finish(outcome, null));
      } finally {
        await this.records.release(id);
      }
    }
    const written = this.transactions.run(request.tenantId, async (tx) => {
      const result = await finish(outcome, tx);
      await tx.flush();
      await this.store(tx, request, id, result);
      return result;
    });
    const answer = await written.catch((error: unknown) => {
      unwritten(outcome);
      throw error;
    });
    return this.send(request, answer);
  }

  /** Null when the key is claimed now; else what the first request answered, for which a racing one waits two seconds at most. */
  private async claimOrReplay<Body>(
    request: WriteRequest,
    id: IdempotencyId,
    fingerprint: Buffer,
    lockMs: number,
  ): Promise<Answer<Body> | null> {
    const giveUpAt = performance.now() + RACE_MS;
    for (;;) {
      const now = this.clock.now();
      const lockedUntil = new Date(now.getTime() + lockMs);
      if (await this.records.claim(id, { fingerprint, lockedUntil, createdAt: now })) return null;
      const stored = await this.records.find(id);
      try {
        return this.replay<Body>(request, id, fingerprint, stored);
      } catch (error) {
        if (!(error instanceof IdempotencyInProgress) || performance.now() > giveUpAt) throw error;
      }
      await pause(RACE_STEP_MS);
    }
  }

  private async store<Body>(
    tx: Tx,
    request: WriteRequest,
    id: IdempotencyId,
    result: Body | Answer<Body>,
  ): Promise<void> {
    const { status, body } = result instanceof Answer ? result : { status: request.reply.statusCode, body: result };
    const response = seal(this.key(), 1, Buffer.from(stringifyJson(body)), placeOf(id));
    await this.records.in(tx).store(id, status, response);
  }

  private replay<Body>(
    request: WriteRequest,
    id: IdempotencyId,
    fingerprint: Buffer,
    stored: StoredWrite | null,
  ): Answer<Body> {
    if (!stored) throw new IdempotencyInProgress();
    if (!stored.fingerprint.equals(fingerprint)) throw new IdempotencyMismatch();
    const age = this.clock.now().getTime() - stored.createdAt.getTime();
    if (request.tenantId === '' && age > ANONYMOUS_REPLAY_MS) throw new Unauthenticated();
    if (stored.status === null || stored.response === null) {
      if (stored.lockedUntil !== null && stored.lockedUntil > this.clock.now()) throw new IdempotencyInProgress();
      throw new OutcomeUnknown();
    }
    request.reply.header('idempotent-replayed', 'true');
    const body = parseJson(open(this.key(), stored.response, placeOf(id)).toString()) as Body;
    return new Answer(stored.status, body);
  }

  private send<Body>(request: WriteRequest, result: Body | Answer<Body>): Body {
    if (!(result instanceof Answer)) return result;
    void request.reply.status(result.status);
    return result.body;
  }

  /** Keyed, because the body may be a secret: its plain hash would let whoever reads the database guess until it fits. */
  private fingerprint(request: WriteRequest): Buffer {
    this.fingerprintKey ??= this.keys.derive('haldir.idempotency-fingerprint.v1');
    return createHmac('sha256', this.fingerprintKey).update(request.fingerprint()).digest();
  }

  private key(): KeyObject {
    return (this.sealingKey ??= this.keys.derive('haldir.idempotency.v1'));
  }
}

/** No principal's id and no key has a NUL. */
function identify({ tenantId, route, principal }: WriteRequest, key: string): IdempotencyId {
  return [tenantId, route, hash('sha256', `${principal}\0${key}`, 'buffer')];
}

function placeOf([tenantId, route, keyHash]: IdempotencyId): Buffer {
  return associatedData(['haldir.idempotency.v1', tenantId, route, keyHash.toString('hex')]);
}
