import { Inject, Injectable } from '@nestjs/common';
import { type MicroUsd, minorToMicros } from '@haldir/kernel';
import { HaldirConfig } from '@haldir/runtime';

/** An exact sum in one currency: `minor` units of it, of which `10^exponent` make one. */
export interface Amount {
  minor: bigint;
  /** ISO 4217. */
  currency: string;
  exponent: number;
}

/** What an amount is worth in US dollars. */
export interface UsdValue {
  micros: MicroUsd;
  /** US dollars for one unit of the currency, as configured; null for dollars. */
  rate: string | null;
}

interface Rate {
  text: string;
  /** The rate is `digits / 10^decimals`. */
  digits: bigint;
  decimals: number;
}

/** The operator's exchange rates, applied exactly and rounded up, to the micro-dollar, in the budget's favour. */
@Injectable()
export class ExchangeRates {
  private readonly rates = new Map<string, Rate>();

  // Its type says less than the class that Nest gives it.
  constructor(@Inject(HaldirConfig) config: Pick<HaldirConfig, 'fxRates'>) {
    for (const [currency, text] of config.fxRates) {
      const [whole = '', fraction = ''] = text.split('.');
      const digits = BigInt(whole + fraction);
      // A currency that is worth nothing would pass every budget.
      if (digits > 0n) this.rates.set(currency, { text, digits, decimals: fraction.length });
    }
  }

  /** Null when the operator configured no rate for the currency: nothing is ever taken one to one. */
  toUsd({ minor, currency, exponent }: Amount): UsdValue | null {
    if (currency === 'USD') return { micros: minorToMicros(minor, exponent) as MicroUsd, rate: null };
    const rate = this.rates.get(currency);
    if (!rate) return null;
    const divisor = 10n ** BigInt(exponent + rate.decimals);
    const micros = (minor * rate.digits * 1_000_000n + divisor - 1n) / divisor;
    return { micros: micros as MicroUsd, rate: rate.text };
  }
}
