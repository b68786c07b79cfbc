/** By how many milliseconds the server's clock is ahead of this one, to the second. */
let ahead = 0;

export function noteServerTime({ headers }: Response): void {
  const said = Date.parse(headers.get('date') ?? '');
  // The header has whole seconds: what is less than two apart may be none.
  if (!Number.isNaN(said)) ahead = Math.abs(said - Date.now()) < 2000 ? 0 : said - Date.now();
}

/** What time it is at the server: seconds since 1970. */
export function serverSeconds(): number {
  return (Date.now() + ahead) / 1000;
}
