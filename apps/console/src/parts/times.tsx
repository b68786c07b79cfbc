import { type ReactNode, useEffect, useState } from 'react';
import { serverSeconds } from '../api/server-clock.ts';

const ZONE = new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** With the zone, where there is room for it. @param seconds since 1970 */
export function wholeTime(seconds: number): string {
  return `${new Date(seconds * 1000).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' })} (${ZONE})`;
}

export function When({ at }: { at: number }): ReactNode {
  const date = new Date(at * 1000);
  const isToday = date.toDateString() === new Date(serverSeconds() * 1000).toDateString();
  return (
    <time dateTime={date.toISOString()} title={wholeTime(at)}>
      {date.toLocaleString(undefined, isToday ? { timeStyle: 'medium' } : { dateStyle: 'medium', timeStyle: 'short' })}
    </time>
  );
}

/** In the two largest units: `1 h 5 min`. */
export function inUnits(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const units: [number, string][] = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ];
  const first = units.findIndex(([count]) => count > 0);
  if (first < 0) return '0 s';
  return units
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

/** How long there is until then, by the server's clock. @param until seconds since 1970 */
export function Countdown({ until }: { until: number }): ReactNode {
  const left = until - useServerSeconds();
  if (left <= 0) return <span className="countdown">its time is up</span>;
  return (
    <time className={left < 300 ? 'countdown soon' : 'countdown'} title={wholeTime(until)}>
      {inUnits(left)} left
    </time>
  );
}

function useServerSeconds(): number {
  const [seconds, set] = useState(serverSeconds);
  useEffect(() => {
    const timer = setInterval(() => set(serverSeconds()), 1000);
    return () => clearInterval(timer);
  }, []);
  return seconds;
}
