import { getRouteApi, Link } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useChange } from '../api/change.ts';
import { Copied } from '../parts/copied.tsx';
import { Refused, TextField } from '../parts/form.tsx';
import { EVENTS } from './events.ts';
import { register, WEBHOOKS } from './webhooks.ts';

const route = getRouteApi('/webhooks');

export function AddWebhook(): ReactNode {
  const navigate = route.useNavigate();
  const [url, setUrl] = useState('');
  const [name, setName] = useState('');
  const [events, setEvents] = useState<string[]>([]);
  const adding = useChange(register, WEBHOOKS);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    adding.mutate({
      url: url.trim(),
      name: name.trim(),
      events: events.length === 0 ? null : (events as NonNullable<Parameters<typeof register>[0]['events']>),
    });
  };
  const { data: added } = adding;
  return (
    <>
      <p className="back">
        <Link to="/webhooks" search={{}}>
          ← Webhooks
        </Link>
      </p>
      {added ? (
        <>
          <h1>The webhook is added</h1>
          <Secret secret={added.secret} />
          <div className="actions">
            <button
              type="button"
              className="primary"
              onClick={() => void navigate({ search: { webhook: String(added.webhook_id) } })}
            >
              I have it
            </button>
          </div>
        </>
      ) : (
        <>
          <h1>Add a webhook</h1>
          <form className="form" onSubmit={submit}>
            <TextField
              label="Address"
              placeholder="https://example.com/haldir"
              inputMode="url"
              maxLength={2048}
              required
              value={url}
              onText={setUrl}
            />
            <TextField
              label="Name"
              hint="For you to tell it from others"
              maxLength={128}
              value={name}
              onText={setName}
            />
            <EventChecks events={events} onEvents={setEvents} />
            <Refused error={adding.error} />
            <div className="actions">
              <button type="submit" className="primary" disabled={adding.isPending}>
                Add
              </button>
            </div>
          </form>
        </>
      )}
    </>
  );
}

/** Which events a webhook hears of: with none, of all. */
export function EventChecks({
  events,
  onEvents,
}: {
  events: string[];
  onEvents: (events: string[]) => void;
}): ReactNode {
  return (
    <fieldset>
      <legend>What it hears of</legend>
      <p className="hint">Of everything, unless something is chosen.</p>
      <div className="checks">
        {Object.entries(EVENTS).map(([event, text]) => (
          <label key={event} className="check">
            <input
              type="checkbox"
              checked={events.includes(event)}
              onChange={({ target }) =>
                onEvents(target.checked ? [...events, event] : events.filter((each) => each !== event))
              }
            />
            {text}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** A signing secret, the one time that it is shown. */
export function Secret({ secret }: { secret: string }): ReactNode {
  return (
    <>
      <p className="notice">This secret signs every delivery. It is shown here, and never again: keep it now.</p>
      <Copied label="Signing secret" text={secret} />
    </>
  );
}
