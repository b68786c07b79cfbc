import { type EvidenceFile } from '@haldir/verifier';

/** What a package is about, for its index. */
export interface IndexFacts {
  tenantId: string;
  from: Date;
  to: Date;
  madeAt: Date;
  madeBy: string;
  origin: string;
  treeSize: number;
  /** Lines of each file. */
  lines: ReadonlyMap<string, number>;
}

type Described = Exclude<EvidenceFile, 'INDEX.txt' | 'SHA256SUMS' | 'SIGNATURE'>;

/** What each file shows, and what stands behind it. */
const FILES: Readonly<Record<Described, { proof: 'LOG' | 'STATED'; shows: string }>> = {
  'entries.jsonl': {
    proof: 'LOG',
    shows:
      'Everything that was done, decided and changed: each call of a tool, payment, read of a secret, approval, key and policy, one entry a line, from the beginning of the log to the end of the period. It begins with the log because only a log that is whole shows that nothing is missing from it. The last line, the manifest, has the signed head of the log.',
  },
  'checkpoints.jsonl': {
    proof: 'LOG',
    shows:
      'Heads of the log as they were signed over time, each with the proof that the log only grew from there on: nothing that was in it then was changed or taken out later.',
  },
  'policies.jsonl': {
    proof: 'STATED',
    shows:
      'What was allowed, and under which conditions, when the package was made: policies, approval rules and settings, flag rules, budgets.',
  },
  'policy-history.jsonl': {
    proof: 'LOG',
    shows:
      'How that came about: each change of a policy, rule, setting, budget, price or upstream, by whom and when. Copies of entries of entries.jsonl.',
  },
  'approvals.jsonl': {
    proof: 'STATED',
    shows:
      'What waited for a human in the period, who decided it and how, and what they signed. Each decision is an entry of entries.jsonl, too (actions approval_approved and approval_denied), and a signature is checked there with the passkey that the log has of that person.',
  },
  'people.jsonl': {
    proof: 'STATED',
    shows:
      'Who has, or had, access as a person, in which role, since when, until when, and the names of their passkeys.',
  },
  'keys.jsonl': {
    proof: 'STATED',
    shows:
      'Every API key: what it may do, when it was made, used last, revoked, or ends. Keys with the same principal_id are one key that was rotated. No key can be told from this.',
  },
  'access-history.jsonl': {
    proof: 'LOG',
    shows:
      'Each key that was made, rotated or revoked, each person who was invited, came, was given another role or removed, each passkey. Copies of entries of entries.jsonl.',
  },
  'evidence.json': { proof: 'STATED', shows: 'What this package is, for programs.' },
};

const WIDTH = 100;

function wrapped(text: string, indent: string): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && indent.length + last.length + word.length < WIDTH)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => `${indent}${line}\n`).join('');
}

/** The index in plain language: who asked for it is all in it that is not Haldir’s own words. */
export function indexText(facts: IndexFacts): string {
  const { tenantId, from, to, madeAt, madeBy, origin, treeSize, lines } = facts;
  const files = Object.entries(FILES).map(([name, { proof, shows }]) => {
    const count = lines.get(name);
    const title = [
      name,
      count === undefined ? '' : `${count} lines`,
      proof === 'LOG' ? '[proven by the log]' : '[stated by Haldir]',
    ];
    return `${title.filter((part) => part !== '').join('   ')}\n${wrapped(shows, '    ')}`;
  });
  return `EVIDENCE OF WHAT AI AGENTS DID, AND WHO ALLOWED IT

Tenant   ${tenantId}
Period   ${from.toISOString()} to ${to.toISOString()}
Made     ${madeAt.toISOString()}, asked for by ${madeBy}
Log      ${origin}, ${treeSize} entries

WHAT IS IN IT

${files.join('\n')}
SHA256SUMS
${wrapped('The SHA-256 of every file above and of this one.', '    ')}
SIGNATURE
${wrapped('The log’s own signature (Ed25519) over every byte of the package before it.', '    ')}
HOW FAR IT CAN BE TRUSTED

${wrapped('[proven by the log] follows from hashes and signatures that were made when things happened: whoever changes, removes or adds an entry afterwards, Haldir and its operators included, is found, as long as one older signed head was kept elsewhere. What was erased from the log on request says so, and stays proven.', '')}
${wrapped('[stated by Haldir] is what the database said when the package was made. The signature shows that nobody changed it since; that it was right then, it does not show. Hold it against the histories, which the log proves.', '')}
HOW TO CHECK IT

${wrapped('Get the public key of the log (verifier_key of GET /v1/audit/log-key) from somewhere else than this package. Then, on any machine, without any server:', '')}
    haldir evidence verify FILE.zip --key KEY

${wrapped('Without Haldir: unzip it, and sha256sum -c SHA256SUMS. SIGNATURE is a C2SP signed note: its third line is a number of bytes, its fourth the base64 of the SHA-256 of so many bytes from the beginning of the package; docs/evidence.md of Haldir shows how to check that with openssl, and docs/log-format.md what is hashed of an entry.', '')}`;
}
