import { readLossless } from '../parts/lossless-json.ts';
import { inCurrency, usd } from '../parts/money.ts';
import { type Approval } from './requests.ts';

type Asked = Pick<Approval, 'tool' | 'digest' | 'details' | 'amount'>;

/** Whether the agent wants to pay, by Haldir: nobody else gives a request this tool and a digest. */
export function isPayment({ tool, digest }: Asked): boolean {
  return digest !== null && tool === 'haldir.vault';
}

/** How much is paid, in its own currency, and in brackets what that is in US dollars where Haldir has a rate: `EUR 7.50 ($8.10)`. */
export function sumOf({ details, amount: dollars }: Asked): string {
  const value = readLossless(details ?? '');
  const { amount, currency } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const inDollars = dollars > 0 ? ` (${usd(dollars)})` : '';
  if (typeof amount !== 'number' || typeof currency !== 'string' || !/^[A-Z]{3}$/.test(currency))
    return `what its details say${inDollars}`;
  return inCurrency(amount, currency) + (currency === 'USD' ? '' : inDollars);
}
