/** US dollars with 2 to 6 places, never with an exponent. */
const USD = new Intl.NumberFormat('en-US', {
  style: 'currency',
  currency: 'USD',
  minimumFractionDigits: 2,
  maximumFractionDigits: 6,
});

export function usd(amount: number): string {
  return USD.format(amount);
}
