import { z } from 'zod';

const SESSION_EXPECTED = 'expected a session id of 1 to 256 characters';

export const sessionId = z.object({
  session_id: z.string(SESSION_EXPECTED).min(1, SESSION_EXPECTED).max(256, SESSION_EXPECTED).describe('Session ID'),
});
