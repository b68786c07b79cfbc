import { type ReactNode, useState } from 'react';
import { useChange } from '../api/change.ts';
import { TextField } from '../parts/form.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { EventChecks } from './add-webhook.tsx';
import { change, type Webhook, WEBHOOKS } from './webhooks.ts';

type Changes = Parameters<typeof change>[1];

/** Changes where a webhook is sent, its name, and what it hears of. */
export function ChangeWebhook({ webhook, onClosed }: { webhook: Webhook; onClosed: () => void }): ReactNode {
  const [url, setUrl] = useState(webhook.url);
  const [name, setName] = useState(webhook.name);
  const [events, setEvents] = useState(webhook.events.filter((each) => each !== 'all'));
  const changing = useChange((body: Changes) => change(webhook.webhook_id, body), WEBHOOKS);
  const send = (): Promise<unknown> => {
    const body = { name: name.trim(), events: events.length === 0 ? null : (events as Changes['events']) };
    // An address of which a part is not shown would be another.
    const moved = url.trim() === webhook.url ? {} : { url: url.trim() };
    return changing.mutateAsync({ ...body, ...moved });
  };
  return (
    <FormDialog title="Change this webhook" button="Save" act={send} onClosed={onClosed}>
      <TextField label="Address" inputMode="url" maxLength={2048} required value={url} onText={setUrl} />
      <TextField label="Name" maxLength={128} value={name} onText={setName} />
      <EventChecks events={events} onEvents={setEvents} />
    </FormDialog>
  );
}
