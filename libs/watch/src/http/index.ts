export { WatchHttpModule } from './watch-http.module.js';
