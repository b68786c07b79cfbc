import { median, ratio } from './row.js';
import { type Measured } from './row.js';
import { type Sample } from './measurement.js';

/** The targets are for as many connections. */
const TARGET_CONNECTIONS = 32;

/** The rows beside their targets, and the limits they were held against. */
export function table(measured: Measured[], connections: number): string {
  const head = ['', 'per second', 'p50 ms', 'p99 ms', 'of its limit', 'target', 'also', 'CPU µs each'];
  const lines = measured
    .filter(({ samples }) => samples.length > 0)
    .map(({ row, samples, limits }) => {
      const [first, ...others] = limits.map(({ name, samples: limit }) => ({ name, part: ratio(samples, limit) }));
      return [
        row.title,
        ...speed(samples),
        first ? `${first.part.toFixed(2)} of ${first.name}` : '',
        row.target === null || !first ? '' : target(row.target, first.part, connections),
        others.map(({ name, part }) => `${part.toFixed(2)} of ${name}`).join(', '),
        cost(samples),
      ];
    });
  const limits = limitsOf(measured).map(([name, samples]) => [name, ...speed(samples), '', '', '', cost(samples)]);
  return layOut([head, ...lines, [], ...limits], ['left', 'right', 'right', 'right', 'left', 'left', 'left', 'left']);
}

/** Whether the figures count. */
export function gates(measured: Measured[]) {
  return measured
    .map(({ row, gates: found, notes }) =>
      [
        row.title,
        ...found.map(({ claim, holds, detail }) => {
          const verdict = holds === null ? 'not checked' : holds ? 'holds' : 'FAILS';
          return `  ${verdict}: ${claim}${detail === undefined ? '' : ` (${detail})`}`;
        }),
        ...notes.map((note) => `  ${note}`),
      ].join('\n'),
    )
    .join('\n');
}

/** Each limit once, with the samples of all rows. */
function limitsOf(measured: Measured[]): [name: string, samples: Sample[]][] {
  const all: Map<string, Sample[]> = new Map();
  for (const { name, samples } of measured.flatMap(({ limits }) => limits)) {
    all.set(name, [...(all.get(name) ?? []), ...samples]);
  }
  return [...all].filter(([, samples]) => samples.length > 0);
}

function speed(samples: Sample[]): [rate: string, p50: string, p99: string] {
  const milliseconds = (name: 'p50' | 'p99') => {
    const middle = median(samples.map((sample) => sample[name] ?? NaN));
    return Number.isNaN(middle) ? '' : middle.toFixed(1);
  };
  const rate = Math.round(median(samples.map(({ rate }) => rate)));
  return [rate.toLocaleString('en-US'), milliseconds('p50'), milliseconds('p99')];
}

function cost(samples: Sample[]) {
  return Object.keys(samples[0]?.cpu ?? {})
    .map((name) => ({ name, micros: median(samples.map(({ cpu }) => cpu[name] ?? NaN)) }))
    .filter(({ micros }) => !Number.isNaN(micros))
    .map(({ name, micros }) => `${name} ${Math.round(micros)}`)
    .join(' + ');
}

function target(wanted: number, reached: number, connections: number) {
  const text = `≥ ${wanted.toFixed(2)}`;
  if (connections !== TARGET_CONNECTIONS) return `${text} at ${TARGET_CONNECTIONS}`;
  return `${text} ${reached >= wanted ? 'met' : 'missed'}`;
}

function layOut(lines: string[][], sides: ('left' | 'right')[]) {
  const widths = sides.map((_, i) => Math.max(...lines.map((line) => (line[i] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((text, i) => (sides[i] === 'right' ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0)))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}
