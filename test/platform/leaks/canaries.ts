import { formsOf, occurrences, randomText } from './traces.js';

/** What one request carried, and where in the request. */
export interface Canary {
  text: string;
  operation: string;
  place: string;
  /** The status of its answer; 0 when there was none. */
  status: number;
}

/** A trace of a canary: in which form, and whose it is where the form tells. */
export interface Trace {
  form: string;
  canary: Canary | null;
}

/** A canary for each request, all with one core, so that one search finds the traces of all. */
export class Canaries {
  private readonly core = randomText(20);
  private readonly forms = formsOf(this.core);
  private readonly sent: Canary[] = [];

  get count(): number {
    return this.sent.length;
  }

  next(operation: string, place: string): Canary {
    const canary = { text: `${this.core}z${this.sent.length}z`, operation, place, status: 0 };
    this.sent.push(canary);
    return canary;
  }

  /** Each canary with a trace in what was written, once. */
  tracesIn(written: Buffer | string): Trace[] {
    const haystack = typeof written === 'string' ? Buffer.from(written) : written;
    const traces = new Map<string, Trace>();
    for (const { form, pattern } of this.forms) {
      for (const trace of occurrences(haystack, pattern)) {
        const index = form === 'raw' ? /^z(\d+)z/.exec(trace.toString('latin1').slice(pattern.length))?.[1] : undefined;
        const canary = index === undefined ? null : (this.sent[Number(index)] ?? null);
        traces.set(`${form} ${canary?.text ?? ''}`, { form, canary });
      }
    }
    return [...traces.values()];
  }
}

/** Values that are shown once, or never. */
export class Secrets {
  private readonly kept = new Map<string, { form: string; pattern: Buffer }[]>();

  /** @param core the part of it that is secret */
  keep(name: string, core: string): void {
    if (core.length < 16) throw new Error(`${name} is too short to be looked for`);
    this.kept.set(`${name} ${this.kept.size}`, formsOf(core));
  }

  get count(): number {
    return this.kept.size;
  }

  /** The names of those with a trace in what was written, with the form. */
  tracesIn(written: Buffer | string, ...names: string[]): string[] {
    const haystack = typeof written === 'string' ? Buffer.from(written) : written;
    return [...this.kept]
      .filter(([name]) => names.length === 0 || names.includes(name.split(' ')[0] ?? ''))
      .flatMap(([name, forms]) =>
        forms.filter(({ pattern }) => haystack.includes(pattern)).map(({ form }) => `${name} ${form}`),
      );
  }
}
