import { type FormEvent, type ReactNode, useState } from 'react';
import { useChange } from '../api/change.ts';
import { useMay } from '../api/may.ts';
import { Refused, TextField } from '../parts/form.tsx';
import { usd } from '../parts/money.ts';
import { price, removePrice, type Tool, TOOLS } from './tools.ts';

/** What each call of a tool costs, and what changes that. */
export function ToolPrice({ tool }: { tool: Tool }): ReactNode {
  const mayWrite = useMay('proxy:write');
  const { price_usd: now } = tool;
  const [text, setText] = useState('');
  const pricing = useChange((amount: number) => price(tool, amount), TOOLS);
  const removing = useChange(() => removePrice(tool), TOOLS);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    pricing.mutate(Number(text), { onSuccess: () => setText('') });
  };
  return (
    <section aria-label="Price">
      <h3>Price</h3>
      <p>
        {now === undefined
          ? 'Calls cost nothing.'
          : `Each call costs ${usd(now)}, which is taken from the budgets of whoever calls.`}
      </p>
      {mayWrite && (
        <form className="form inline" onSubmit={submit}>
          <TextField
            label={now === undefined ? 'Price of a call, in USD' : 'Another price, in USD'}
            type="number"
            inputMode="decimal"
            min={0.01}
            max={1_000_000}
            step={0.01}
            required
            value={text}
            onText={setText}
          />
          <button type="submit" disabled={pricing.isPending}>
            Set the price
          </button>
          {now !== undefined && (
            <button type="button" className="deny" disabled={removing.isPending} onClick={() => removing.mutate()}>
              Take the price off
            </button>
          )}
        </form>
      )}
      <Refused error={pricing.error ?? removing.error} />
    </section>
  );
}
