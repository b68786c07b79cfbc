export { GateHttpModule } from './gate-http.module.js';
