const here = import.meta.url;

/**
 * The path below which this Haldir is served, without a slash at its end; empty at the root of a host. Nothing else in the console knows
 * it. The console's own files are one level below it, and a page asks for them by addresses that are relative to its own.
 */
export const BASE = new URL('..', here).pathname.replace(/\/$/, '');
