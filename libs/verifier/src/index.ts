export {
  type Checkpoint,
  checkpointBody,
  InvalidCheckpoint,
  isSignedBy,
  keyHash,
  type LogIdentity,
  parseCheckpoint,
  parseVerifierKey,
  verifierKey,
} from './checkpoint.js';
export { decisionChallenge, type DecisionSignature, signatureFault, type SigningKey } from './decision-signature.js';
export { faultOf, type LoggedEntry } from './entry-check.js';
export { bodyHash, contentHash, entryHash, GENESIS_HASH, formatOf, hashSalted } from './entry-hash.js';
export { ERASURE_ACTION, Erasures } from './erasures.js';
export { checkEvidence, type EvidenceSource, type EvidenceVerdict } from './evidence-check.js';
export { EVIDENCE_VERSION, evidenceBody, type EvidenceFile } from './evidence-form.js';
export { type History, historyOf } from './evidence-history.js';
export { EvidenceWriter } from './evidence-writer.js';
export { checkExport } from './export-check.js';
export { actorOf, writeEntry } from './export-line.js';
export { FORMAT_VERSION, manifestBody, type ManifestMember } from './manifest.js';
export {
  consistencyPath,
  foldNodes,
  Frontier,
  inclusionPath,
  nodeHash,
  nodesOf,
  provesConsistency,
  provesInclusion,
  type Range,
  rootOf,
  type TreeNode,
} from './merkle.js';
export { checkProof } from './proof-check.js';
export { parseStrictObject } from './strict-json.js';
export { type DecisionCount, type Verdict } from './verdict.js';
