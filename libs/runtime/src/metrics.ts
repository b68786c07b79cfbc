import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What is decided about a call: allowed or refused, by which part of Haldir. */
export type DecisionKind = 'permission' | 'payment' | 'secret' | 'proxy' | 'approval';

/** Of one process since it started. */
export interface RequestFigures {
  total: number;
  /** Answered with a 5xx. */
  errors: number;
  /** The seconds within which a share of them was answered, as exact as the buckets are; null when that is not known. */
  within: (share: number) => number | null;
}

/** The process's Prometheus metrics. Labels are route templates, kinds and outcomes: never ids. */
export class Metrics {
  readonly registry = new Registry();

  private readonly http = new Histogram({
    name: 'haldir_http_request_duration_seconds',
    help: 'Duration of HTTP requests by method, route template and status',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [this.registry],
  });

  /** Methods and routes that answer when there is something to say. */
  private readonly waiting = new Set<string>();

  private readonly decisions = new Counter({
    name: 'haldir_decisions_total',
    help: 'Decisions by kind and outcome',
    labelNames: ['kind', 'outcome'] as const,
    registers: [this.registry],
  });

  private readonly drifts = new Counter({
    name: 'haldir_tool_drifts_total',
    help: 'Tools held back because their upstream changed their definition',
    registers: [this.registry],
  });

  private readonly logOnly = new Counter({
    name: 'haldir_policy_log_only_total',
    help: 'Calls that policies in log_only would have refused or held, by type of policy',
    labelNames: ['type', 'outcome'] as const,
    registers: [this.registry],
  });

  /** What `logOnly` was called before; kept for one release. */
  private readonly formerLogOnly = new Counter({
    name: 'haldir_policy_rehearsals_total',
    help: 'Deprecated name of haldir_policy_log_only_total',
    labelNames: ['type', 'outcome'] as const,
    registers: [this.registry],
  });

  private readonly circuits = new Counter({
    name: 'haldir_upstream_circuit_changes_total',
    help: 'Circuits of upstreams that this process has opened, tried or closed',
    labelNames: ['to'] as const,
    registers: [this.registry],
  });

  private readonly exchanges = new Counter({
    name: 'haldir_connector_exchanges_total',
    help: 'Requests to upstreams behind connectors that this process has sent, by what became of them',
    labelNames: ['outcome'] as const,
    registers: [this.registry],
  });

  private readonly mails = new Counter({
    name: 'haldir_mails_total',
    help: 'E-mails to people, by what became of each attempt: sent, deferred (tried again), failed, dropped (more than a person is sent in an hour)',
    labelNames: ['outcome'] as const,
    registers: [this.registry],
  });

  private readonly pushes = new Counter({
    name: 'haldir_pushes_total',
    help: 'Messages to the browsers of people, by what became of each attempt: sent, deferred (tried again), failed, dropped (more than a person is sent in an hour)',
    labelNames: ['outcome'] as const,
    registers: [this.registry],
  });

  private readonly untold = new Counter({
    name: 'haldir_approvals_told_nobody_total',
    help: 'Requests for approval that were for no webhook and no person',
    registers: [this.registry],
  });

  constructor(process: 'api' | 'worker') {
    this.registry.setDefaultLabels({ process });
    collectDefaultMetrics({ register: this.registry });
  }

  /** @param waits whether the answer came when there was something to say: `requests()` counts it, and not how long it took */
  observeRequest(method: string, route: string, status: number, seconds: number, waits = false): void {
    if (waits) this.waiting.add(`${method} ${route}`);
    this.http.observe({ method, route, status: String(status) }, seconds);
  }

  /** What became of the requests so far, and how long most of them took. */
  async requests(): Promise<RequestFigures> {
    const { values } = await this.http.get();
    const below = new Map<number, number>();
    let [total, errors, timed] = [0, 0, 0];
    for (const { metricName, labels, value } of values) {
      const { le, status, method, route } = labels as Record<'le' | 'status' | 'method' | 'route', string | number>;
      const isTimed = !this.waiting.has(`${method} ${route}`);
      if (isTimed && metricName?.endsWith('_bucket') && typeof le === 'number')
        below.set(le, (below.get(le) ?? 0) + value);
      if (!metricName?.endsWith('_count')) continue;
      total += value;
      if (isTimed) timed += value;
      if (String(status).startsWith('5')) errors += value;
    }
    const within = (share: number): number | null =>
      [...below].find(([, count]) => count >= share * timed)?.[0] ?? null;
    return { total, errors, within: timed === 0 ? () => null : within };
  }

  countDecision(kind: DecisionKind, outcome: 'allowed' | 'denied' | 'held'): void {
    this.decisions.inc({ kind, outcome });
  }

  countDrifts(count: number): void {
    this.drifts.inc(count);
  }

  countLogOnly(type: string, outcome: 'denied' | 'held'): void {
    this.logOnly.inc({ type, outcome });
    this.formerLogOnly.inc({ type, outcome });
  }

  countCircuit(to: 'open' | 'half_open' | 'closed'): void {
    this.circuits.inc({ to });
  }

  countExchange(outcome: string): void {
    this.exchanges.inc({ outcome });
  }

  countMails(outcome: 'sent' | 'deferred' | 'failed' | 'dropped', count = 1): void {
    this.mails.inc({ outcome }, count);
  }

  countPushes(outcome: 'sent' | 'deferred' | 'failed' | 'dropped', count = 1): void {
    this.pushes.inc({ outcome }, count);
  }

  countUntold(): void {
    this.untold.inc();
  }

  /** A value read when Prometheus asks; `read` answers label sets with their values. A failing `read` leaves it out. */
  gauge(
    name: string,
    help: string,
    labelNames: string[],
    read: () => Promise<[Record<string, string>, number][]>,
  ): void {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [this.registry],
      async collect() {
        this.reset();
        try {
          for (const [labels, value] of await read()) this.set(labels, value);
        } catch {
          // The database or the queue is away; readiness says so.
        }
      },
    });
  }
}
