// A webhook receiver that takes every event and counts each once.
import http from 'node:http';
import { listen, serve } from './child.js';

let seen: Set<string> = new Set();
let arrivals: number[] = [];
let total = 0;

const server = http.createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    const id = String(request.headers['webhook-id']);
    total += 1;
    if (!seen.has(id)) {
      seen.add(id);
      arrivals.push(performance.now());
    }
    response.writeHead(204).end();
  });
});

serve({ port: await listen(server) }, (job: { reset?: true }) => {
  const [from, to] = [Math.floor(arrivals.length * 0.1), Math.floor(arrivals.length * 0.9)];
  const milliseconds = (arrivals[to] ?? NaN) - (arrivals[from] ?? NaN);
  // The rate of the middle, without the worker's start and the last stragglers.
  const stats = { unique: seen.size, total, rate: ((to - from) * 1000) / milliseconds };
  if (job.reset) {
    seen = new Set();
    arrivals = [];
    total = 0;
  }
  return stats;
});
