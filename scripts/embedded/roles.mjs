// @ts-check
// The roles that the apps log in to the embedded database as. Their passwords are made from the owner's.
import crypto from 'node:crypto';

/**
 * @param {string} ownerUrl
 * @returns {{ owner: string, api: string, worker: string }} the database's URL for each
 */
export function roleUrls(ownerUrl) {
  return { owner: ownerUrl, api: roleUrl(ownerUrl, 'haldir_api'), worker: roleUrl(ownerUrl, 'haldir_worker') };
}

/**
 * @param {string} ownerUrl
 * @param {string} name
 */
function roleUrl(ownerUrl, name) {
  const url = new URL(ownerUrl);
  const password = crypto.createHmac('sha256', url.password).update(name).digest('base64url');
  return Object.assign(url, { username: name, password }).href;
}
