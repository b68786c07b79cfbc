import { type ClaimedDelivery, type EndpointKey } from '../delivery.repository.js';
import { type EndpointHealth } from '../endpoint-health.js';
import { type OpenEndpoint } from './delivery-attempts.js';

/** Deliveries claimed ahead of those under way, as a multiple of them, from an endpoint that is doing well. */
const CLAIM_AHEAD = 4;
/** An endpoint has one job at a time, so what becomes due while that one waits for slow answers is looked for in between. */
const LOOK_AGAIN_MS = 1000;

/** Attempts whose outcome is not written down yet. */
const MAX_UNWRITTEN = 512;

/** A delivery together with the endpoint as it was when the delivery was claimed. */
export interface Assignment {
  delivery: ClaimedDelivery;
  endpoint: OpenEndpoint;
}

/** What a lane asks of its surroundings. */
export interface LaneWork {
  /** Up to `take` due deliveries, held for this lane; fewer means that no more are due now. */
  claim: (take: number) => Promise<Assignment[]>;
  /** Sends one and updates the lane's health; answers how to write the outcome down, and whether to go on. */
  send: (assignment: Assignment) => Promise<{ goOn: boolean; written: Promise<void> }>;
  /** Lets go of deliveries that will not be sent. */
  release: (assignments: Assignment[]) => Promise<void>;
}

/**
 * Sends what is due to one endpoint, as many at once as its health allows, until nothing is due, the endpoint takes
 * no more, or the process ends. Outcomes are written while the next ones are under way.
 */
export class EndpointLane {
  private claimed: Assignment[] = [];
  private sending = 0;
  private unwritten = 0;
  private claiming = false;
  private moreDue = true;
  private stopped = false;
  private looking: NodeJS.Timeout | undefined;
  private settle: { resolve: () => void; reject: (error: unknown) => void } | null = null;
  private failure: unknown = null;

  constructor(
    readonly key: EndpointKey,
    private readonly health: EndpointHealth,
    private readonly work: LaneWork,
  ) {}

  /** Resolves when everything it took is sent and written down. Call once. */
  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
      this.looking = setInterval(() => this.again(), LOOK_AGAIN_MS);
      this.step();
    });
  }

  /** Something became due meanwhile. */
  again(): void {
    this.moreDue = true;
    this.step();
  }

  /** Finishes what is under way and lets go of the rest. */
  stop(): void {
    this.stopped = true;
    this.step();
  }

  private step(): void {
    if (this.stopped) this.letGo();
    else {
      this.refill();
      while (this.claimed.length > 0 && this.sending < this.health.lanes && this.unwritten < MAX_UNWRITTEN) {
        const next = this.claimed.shift();
        if (next) this.launch(next);
      }
    }
    const idle = this.claimed.length === 0 && this.sending + this.unwritten === 0 && !this.claiming;
    if (!idle || (this.moreDue && !this.stopped)) return;
    clearInterval(this.looking);
    const { settle } = this;
    this.settle = null;
    if (this.failure === null) settle?.resolve();
    else settle?.reject(this.failure);
  }

  private refill(): void {
    const { lanes } = this.health;
    const ahead = lanes > 1 ? lanes * CLAIM_AHEAD : 1;
    const take = ahead - this.claimed.length;
    if (this.claiming || !this.moreDue || take < ahead / 2) return;
    this.claiming = true;
    this.moreDue = false;
    this.work.claim(take).then(
      (assignments) => {
        this.claiming = false;
        this.claimed.push(...assignments);
        if (assignments.length === take) this.moreDue = true;
        this.step();
      },
      (error: unknown) => {
        this.claiming = false;
        this.fail(error);
      },
    );
  }

  private launch(assignment: Assignment): void {
    this.sending++;
    this.unwritten++;
    this.work.send(assignment).then(
      ({ goOn, written }) => {
        this.sending--;
        if (!goOn) this.stopped = true;
        written.then(
          () => this.wrote(),
          (error: unknown) => {
            this.unwritten--;
            this.fail(error);
          },
        );
        this.step();
      },
      (error: unknown) => {
        this.sending--;
        this.unwritten--;
        this.fail(error);
      },
    );
  }

  private wrote(): void {
    this.unwritten--;
    this.step();
  }

  /** The database is away: what is held becomes due again when its lease ends. */
  private fail(error: unknown): void {
    this.failure ??= error;
    this.stopped = true;
    this.step();
  }

  private letGo(): void {
    const left = this.claimed;
    this.claimed = [];
    if (left.length > 0) void this.work.release(left).catch(() => undefined);
  }
}
