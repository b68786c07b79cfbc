import { EVENT_TYPES } from '@haldir/events';
import { EVENTS } from '../../apps/console/src/webhooks/events.js';

it('the console offers every event that a webhook can hear of', () => {
  expect(Object.keys(EVENTS).sort()).toEqual([...EVENT_TYPES].sort());
});
