import { addDecimals, type Decimal, decimalOf, isNumber, type MicroUsd, unitsAbove } from '@haldir/kernel';

/** What a call spends, exactly; null when it says nothing of that, and unclear when what it says is no plain number. */
export type Amount = Decimal | 'unclear' | null;

/** What a column of 64 bits holds: nine trillion dollars. */
const MAX_MICROS = 9_000_000_000_000_000_000n;

/**
 * What a call spends: its `amount` argument, a number or a text that is nothing but one, and the price of its tool. Any other
 * amount, also one that is put in place of a reference only when the call leaves, is unclear.
 */
export function amountOf(args: Readonly<Record<string, unknown>>, price: MicroUsd | null = null): Amount {
  const said = Object.hasOwn(args, 'amount') ? (args['amount'] ?? null) : null;
  const priced = price === null ? null : { units: price, scale: 6 };
  if (said === null) return priced;
  const amount = isNumber(said) ? decimalOf(said) : typeof said === 'string' ? decimalOf(said.trim()) : null;
  if (amount === null) return 'unclear';
  // What is given back does not pay for the call.
  return priced === null ? amount : amount.units > 0n ? addDecimals(amount, priced) : priced;
}

/** Micro-dollars of what a call spends: rounded up, never below zero, never beyond what can be kept. */
export function ceilMicroUsd(amount: Decimal): MicroUsd {
  const micros = unitsAbove(amount, 6);
  return (micros < 0n ? 0n : micros > MAX_MICROS ? MAX_MICROS : micros) as MicroUsd;
}

/** The same as approval rules see it. */
export function ruledAmount(amount: Amount): MicroUsd | 'unclear' | null {
  return amount === null || amount === 'unclear' ? amount : ceilMicroUsd(amount);
}
