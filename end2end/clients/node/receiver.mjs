// A receiver of messages on this machine: each path answers as it is told, and remembers its calls.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';

const paths = new Map();

const server = createServer(async (request, response) => {
  const path = paths.get(request.url.split(/[/?]/)[1]);
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  if (!path) return response.writeHead(404).end('nobody');
  const call = {
    method: request.method,
    url: origin + request.url,
    headers: request.headers,
    body: Buffer.concat(pieces),
    at: Date.now(),
  };
  path.busy += 1;
  path.busiest = Math.max(path.busiest, path.busy);
  path.calls.push(call);
  const { status = 200, headers = {}, body = 'taken', pause = 0 } = path.answers.shift() ?? {};
  if (pause) await new Promise((resolve) => setTimeout(resolve, pause));
  path.busy -= 1;
  response.writeHead(status, headers).end(body);
});

await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${server.address().port}`;

/** A path of its own that answers the next calls like this, and then with 200. */
export function receiver(...answers) {
  const name = `r${paths.size}`;
  const path = { answers, calls: [], busy: 0, busiest: 0 };
  paths.set(name, path);
  return {
    url: `${origin}/${name}`,
    calls: path.calls,
    busiest: () => path.busiest,
    /** The calls, once there are so many. */
    arrived: (count) => eventually(() => path.calls.length >= count && path.calls, `${count} calls of ${name}`),
  };
}

/** What the function returns once that is true. */
export async function eventually(look, what = look.toString(), seconds = 20) {
  const until = Date.now() + seconds * 1000;
  while (Date.now() < until) {
    const seen = await look();
    if (seen) return seen;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return assert.fail(`in vain: ${what}`);
}
