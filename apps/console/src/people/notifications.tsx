import { useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useChange } from '../api/change.ts';
import { Refused } from '../parts/form.tsx';
import { Said } from '../parts/said.tsx';
import { Unread } from '../parts/states.tsx';
import { Table } from '../parts/table.tsx';
import {
  type Channel,
  CHANNELS,
  choose,
  KINDS,
  notificationsQuery,
  type OwnNotifications,
} from './own-notifications.ts';
import { OWN } from './people.ts';

const NAMES = Object.keys(CHANNELS) as Channel[];

/** What a person is told of, by which way: their own choice. */
export function Notifications(): ReactNode {
  const { data, error, refetch } = useQuery(notificationsQuery);
  return (
    <section id="notifications">
      <h2>What you are told of</h2>
      {data === undefined ? (
        <Unread error={error} again={refetch} />
      ) : data.available.length === 0 ? (
        <p className="muted">There is nothing that your role may be told of.</p>
      ) : (
        <Choices of={data} />
      )}
    </section>
  );
}

/** What is ticked and not saved yet; empty where nothing was changed. */
type Draft = Partial<Record<Channel, string[]>>;

function Choices({ of: own }: { of: OwnNotifications }): ReactNode {
  const [draft, setDraft] = useState<Draft>({});
  const saving = useChange(choose, OWN);
  const isChosen = own.chosen || own.push_chosen;
  const isChanged = Object.keys(draft).length > 0;
  const ticked = (channel: Channel): string[] => draft[channel] ?? own[channel];
  const tick = (channel: Channel, kind: string, isOn: boolean): void => {
    saving.reset();
    const others = ticked(channel).filter((each) => each !== kind);
    setDraft({ ...draft, [channel]: isOn ? [...others, kind] : others });
  };
  const save = (choice: Parameters<typeof choose>[0]): void => saving.mutate(choice, { onSuccess: () => setDraft({}) });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    // What was not touched stays what the role is told of, if it was that.
    const chosen = (channel: Channel, isChosen: boolean): string[] | null =>
      draft[channel] !== undefined || isChosen ? ticked(channel) : null;
    save({ notify: chosen('notify', own.chosen), push: chosen('push', own.push_chosen) });
  };
  return (
    <form onSubmit={submit}>
      <p className="muted">
        {own.email_sent ? (
          <>
            E-mail goes to <Said text={own.email} />.
          </>
        ) : (
          'This Haldir sends no e-mail yet: its operator has set no server. What you choose holds once there is one.'
        )}{' '}
        Push goes to the browsers below.
        {!isChosen && ' You have not chosen: this is what those of your role are told of.'}
      </p>
      <Table
        label="What you are told of"
        heads={['When', ...NAMES.map((channel) => CHANNELS[channel])]}
        rows={own.available.map((kind) => ({
          key: kind,
          cells: [
            KINDS[kind] ?? kind,
            ...NAMES.map((channel) => (
              <label className="check">
                <input
                  type="checkbox"
                  checked={ticked(channel).includes(kind)}
                  onChange={({ target }) => tick(channel, kind, target.checked)}
                />
                <span className="sr">{`${KINDS[kind] ?? kind}, by ${CHANNELS[channel]}`}</span>
              </label>
            )),
          ],
        }))}
      />
      <Refused error={saving.error} />
      <div className="actions">
        <button type="submit" className="primary" disabled={!isChanged || saving.isPending}>
          Save
        </button>
        {isChosen && (
          <button type="button" disabled={saving.isPending} onClick={() => save({ notify: null, push: null })}>
            As my role is told
          </button>
        )}
      </div>
      <p role="status" className="muted">
        {saving.isSuccess && !isChanged && 'Saved.'}
      </p>
    </form>
  );
}
