import { type ReactNode } from 'react';
import { usd } from '../parts/money.ts';
import { visible } from '../parts/hidden.ts';
import { OTHERS, type Spend } from './spend.ts';

/** As many have a colour of their own (`.s0` to `.s7`); the API names no more. */
const COLOURS = 8;

/** The colour of a name, the same in each bar and in the legend. @param names of the whole period, the most first */
export function colourOf(names: Spend['names'], name: string | null): string {
  const at = names.findIndex((each) => each.name === name);
  return name === null || at < 0 || at >= COLOURS ? 'others' : `s${at}`;
}

/** What was paid each day, in bars divided by who, or for what, it was. @param days every day of the period */
export function DayBars({ days, names }: { days: Spend['days']; names: Spend['names'] }): ReactNode {
  const top = niceTop(Math.max(...days.map(({ total_usd: total }) => total)));
  const width = 100 / days.length;
  const first = days[0]?.day ?? '';
  const last = days.at(-1)?.day ?? '';
  return (
    <figure className="chart">
      <div className="chart-scale" aria-hidden="true">
        <span>{usd(top)}</span>
        <span>{usd(top / 2)}</span>
        <span>{usd(0)}</span>
      </div>
      <svg
        viewBox="0 0 100 100"
        preserveAspectRatio="none"
        role="img"
        aria-label={`Paid each day from ${first} to ${last}; the table has the numbers`}
      >
        {[0, 50, 100].map((y) => (
          <line key={y} x1="0" x2="100" y1={y} y2={y} />
        ))}
        {days.map(({ day, names: parts }, i) => {
          let below = 100;
          // The largest of the whole period is lowest in each bar.
          const order = names.flatMap(({ name }) => parts.find((part) => part.name === name) ?? []);
          return order.map(({ name, total_usd: total }) => {
            const height = (total / top) * 100;
            below -= height;
            return (
              <rect
                key={`${day} ${name}`}
                className={colourOf(names, name)}
                x={(i + 0.15) * width}
                y={below}
                width={width * 0.7}
                height={height}
              >
                <title>{`${day}: ${visible(name ?? OTHERS)} ${usd(total)}`}</title>
              </rect>
            );
          });
        })}
      </svg>
      <div className="chart-days" aria-hidden="true">
        {labelsOf(days.map(({ day }) => day)).map((label) => (
          <span key={label}>{label}</span>
        ))}
      </div>
    </figure>
  );
}

/** The least of 1, 2 and 5, times a power of ten, that is no less. */
export function niceTop(most: number): number {
  if (most <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return ([1, 2, 5, 10].find((step) => step * power >= most * 0.999_999) ?? 10) * power;
}

const MOST_LABELS = 10;

/** Each day, or the first, the middle and the last of many. */
function labelsOf(days: readonly string[]): string[] {
  const short = (day: string | undefined): string =>
    new Date(day ?? 0).toLocaleDateString(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' });
  if (days.length <= MOST_LABELS) return days.map(short);
  return [short(days[0]), short(days[Math.floor(days.length / 2)]), short(days.at(-1))];
}
