import { type ReactNode } from 'react';
import { useChange } from '../api/change.ts';
import { serverSeconds } from '../api/server-clock.ts';
import { Refused } from '../parts/form.tsx';
import { DELIVERIES, recover, type Webhook, WEBHOOKS } from './webhooks.ts';

/** Sends a webhook all that it missed and that is still kept. */
export function Recover({ webhook }: { webhook: Webhook }): ReactNode {
  const recovering = useChange(() => recover(webhook, serverSeconds()), WEBHOOKS, DELIVERIES);
  const { data, isPending } = recovering;
  return (
    <>
      <button type="button" className="small" disabled={isPending} onClick={() => recovering.mutate()}>
        {webhook.active ? 'Resend what it missed' : 'Switch on, resend what it missed'}
      </button>
      <span role="status" className="small-text">
        {data &&
          (data.recovered === 0
            ? 'Nothing is missing that is still kept.'
            : `${data.recovered.toLocaleString('en')} sent again${data.more ? '; there is more, press again' : ''}.`)}
      </span>
      <Refused error={recovering.error} />
    </>
  );
}
