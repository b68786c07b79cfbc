/** The only source of time in domain code, so that tests can set it. */
export abstract class Clock {
  abstract now(): Date;
}

export class SystemClock extends Clock {
  now(): Date {
    return new Date();
  }
}

/** Unix seconds with a millisecond fraction, the API's form of a time. */
export function toUnixSeconds(time: Date): number {
  return time.getTime() / 1000;
}
