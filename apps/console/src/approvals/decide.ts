import { answered, api } from '../api/client.ts';
import { HAS_PASSKEYS, sendSigned } from '../api/passkey.ts';
import { Problem } from '../api/problem.ts';

export type Decision = 'approve' | 'deny';

/**
 * Decides on a request, as whoever is signed in: the only place that does. Where it has to be signed, the browser asks for a passkey.
 *
 * @returns whether this decided it; false where somebody had already, or its time was up
 * @throws Problem for anything else. Deciding again does no harm, whether or not the first decision arrived
 */
export async function decide(requestId: string, decision: Decision, note: string): Promise<boolean> {
  const asked = { params: { path: { request_id: requestId } }, body: { note } };
  try {
    if (decision === 'approve') await answered(api.POST('/v1/approvals/{request_id}/approve', asked)).catch(sign);
    else await answered(api.POST('/v1/approvals/{request_id}/deny', asked));
    return true;
  } catch (error) {
    if (error instanceof Problem && ['already_decided', 'approval_expired'].includes(error.code)) return false;
    throw error;
  }

  async function sign(error: unknown): Promise<void> {
    if (!(error instanceof Problem) || error.code !== 'signature_required' || !HAS_PASSKEYS) throw error;
    await sendSigned(`/v1/approvals/${encodeURIComponent(requestId)}/${decision}`, { note });
  }
}
