const PLACES = 6;

/** US dollars with 2 to 6 places, never with an exponent. */
const USD = new Intl.NumberFormat('en-US', {
  style: 'currency',
  currency: 'USD',
  minimumFractionDigits: 2,
  maximumFractionDigits: PLACES,
});

export function usd(amount: number): string {
  return USD.format(amount);
}

/**
 * An amount with its currency, US dollars by their sign and others by their code: no sign stands for two.
 *
 * @param currency by ISO 4217
 * @throws RangeError where it is not three letters
 */
export function inCurrency(amount: number, currency: string): string {
  if (currency === 'USD') return usd(amount);
  const options = { style: 'currency', currency, currencyDisplay: 'code', maximumFractionDigits: PLACES } as const;
  return new Intl.NumberFormat('en-US', options).format(amount);
}
