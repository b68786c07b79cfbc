import { type ReactNode, useState } from 'react';
import { useChange } from '../api/change.ts';
import { TextField } from '../parts/form.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { change, type ChangeUpstream, type Upstream, UPSTREAMS } from './upstreams.ts';

type Limit = 'timeout' | 'max_answer_bytes' | 'concurrency';

const FIELDS: Record<Limit, { label: string; hint: string }> = {
  timeout: { label: 'Seconds that a call may take', hint: '1 to 600' },
  max_answer_bytes: { label: 'Bytes of the largest answer', hint: '1,024 to 16,777,216' },
  concurrency: { label: 'Calls at once', hint: '1 to 256, from each API process; others wait for their turn' },
};
const LIMITS = Object.keys(FIELDS) as Limit[];

/** Changes what an upstream may take. What is left as it is, is not sent. */
export function UpstreamSettings({
  name,
  upstream,
  onClosed,
}: {
  name: string;
  upstream: Upstream;
  onClosed: () => void;
}): ReactNode {
  const [texts, setTexts] = useState<Partial<Record<Limit, string>>>({});
  const changing = useChange((body: ChangeUpstream) => change(name, body), UPSTREAMS);
  const send = (): Promise<unknown> => {
    // An empty one is that of the installation again.
    const wanted = Object.entries(texts).map(([limit, text]) => [limit, text.trim() === '' ? null : Number(text)]);
    return changing.mutateAsync(Object.fromEntries(wanted) as ChangeUpstream);
  };
  return (
    <FormDialog title="Change settings" button="Save" act={send} onClosed={onClosed}>
      <p className="muted">Calls that begin afterwards go by it. A field that is emptied takes the default.</p>
      {LIMITS.map((limit) => (
        <TextField
          key={limit}
          {...FIELDS[limit]}
          type="number"
          min={1}
          step={1}
          value={texts[limit] ?? String(upstream[limit])}
          onText={(text) => setTexts({ ...texts, [limit]: text })}
        />
      ))}
    </FormDialog>
  );
}
