import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What is decided about a call: allowed or refused, by which part of Haldir. */
export type DecisionKind = 'permission' | 'payment' | 'secret' | 'proxy' | 'approval';

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

  private readonly rehearsals = new Counter({
    name: 'haldir_policy_rehearsals_total',
    help: 'Calls that policies in rehearsal would have refused or held, by type of policy',
    labelNames: ['type', 'outcome'] as const,
    registers: [this.registry],
  });

  constructor(process: 'api' | 'worker') {
    this.registry.setDefaultLabels({ process });
    collectDefaultMetrics({ register: this.registry });
  }

  observeRequest(method: string, route: string, status: number, seconds: number): void {
    this.http.observe({ method, route, status: String(status) }, seconds);
  }

  countDecision(kind: DecisionKind, outcome: 'allowed' | 'denied' | 'held'): void {
    this.decisions.inc({ kind, outcome });
  }

  countDrifts(count: number): void {
    this.drifts.inc(count);
  }

  countRehearsal(type: string, outcome: 'denied' | 'held'): void {
    this.rehearsals.inc({ type, outcome });
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
