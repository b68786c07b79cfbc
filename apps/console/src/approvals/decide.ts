import { answered, api } from '../api/client.ts';
import { HAS_PASSKEYS, sendSigned } from '../api/passkey.ts';
import { Problem } from '../api/problem.ts';
import { type Terms } from './grant.ts';

export type Decision = 'approve' | 'deny';

/**
 * Decides on a request, as whoever is signed in: the only place that does. Where it has to be signed, the browser asks for a passkey.
 *
 * @param grant what is approved beside it; null for nothing
 * @returns whether this decided it; false where somebody had already, or its time was up
 * @throws Problem for anything else. Deciding again does no harm, whether or not the first decision arrived
 */
export async function decide(
  requestId: string,
  decision: Decision,
  note: string,
  grant: Terms | null = null,
): Promise<boolean> {
  const path = { request_id: requestId };
  const approval = { note, ...(grant !== null && { grant }) };
  try {
    if (decision === 'approve')
      await answered(api.POST('/v1/approvals/{request_id}/approve', { params: { path }, body: approval })).catch(sign);
    else await answered(api.POST('/v1/approvals/{request_id}/deny', { params: { path }, body: { note } }));
    return true;
  } catch (error) {
    if (error instanceof Problem && ['already_decided', 'approval_expired'].includes(error.code)) return false;
    throw error;
  }

  async function sign(error: unknown): Promise<void> {
    if (!(error instanceof Problem) || error.code !== 'signature_required' || !HAS_PASSKEYS) throw error;
    await sendSigned(`/v1/approvals/${encodeURIComponent(requestId)}/${decision}`, approval);
  }
}
