export { EvidenceHttpModule } from './evidence-http.module.js';
