// Jobs that are calls: added one by one, and each sent by a worker to a receiver that answers at once.

import { Agent, createServer, request } from "node:http";
import { createRequire } from "node:module";
import { Worker as Thread, isMainThread, parentPort } from "node:worker_threads";
import { Queue, Worker } from "bullmq";

const TOTAL = Number(process.env.ATELIER_BENCH_MESSAGES ?? 20_000);
const WARMING = 500;
const IN_FLIGHT = 200;

const body = JSON.stringify({ order: 7, items: ["a lighthouse on a basalt cliff", "a boat"], paid: true });

/** In a thread of its own, as the other's receiver is beside the program under test. */
function receive() {
  const server = createServer((call, answer) => call.resume().on("end", () => answer.end("ok")));
  server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port));
}

function call(agent, port, { method, headers, body }) {
  return new Promise((resolve, reject) => {
    const call = request({ agent, port, host: "127.0.0.1", path: "/delivered", method, headers }, (answer) => {
      answer.resume().on("end", () => (answer.statusCode === 200 ? resolve() : reject(new Error("not taken"))));
    });
    call.on("error", reject).end(body);
  });
}

async function deliver(queue, worker, total) {
  let next = 0;
  const message = { method: "POST", headers: { "content-type": "application/json" }, body };
  const options = { attempts: 4, backoff: { type: "exponential", delay: 1000 }, removeOnComplete: { age: 600 } };
  const lane = async () => {
    while (next++ < total) await queue.add("message", message, options);
  };
  let left = total;
  const delivered = new Promise((resolve, reject) => {
    worker.on("completed", () => --left === 0 && resolve());
    worker.on("failed", (_, error) => reject(error));
  });
  const start = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  const added = performance.now() - start;
  await delivered;
  worker.removeAllListeners();
  const rate = (took) => Math.round((total * 1000) / took);
  return { published_per_second: rate(added), deliveries_per_second: rate(performance.now() - start) };
}

async function measure() {
  const { version } = createRequire(import.meta.url)("bullmq/package.json");
  const url = process.env.REDIS_URL;
  if (!url) throw new Error("REDIS_URL is not set");
  const connection = { url, maxRetriesPerRequest: null };
  const thread = new Thread(new URL(import.meta.url));
  const port = await new Promise((resolve) => thread.once("message", resolve));
  const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT });
  const queue = new Queue("atelier-bench-messages", { connection });
  await queue.waitUntilReady();
  await queue.obliterate({ force: true });
  const worker = new Worker(queue.name, (job) => call(agent, port, job.data), { connection, concurrency: IN_FLIGHT });
  await worker.waitUntilReady();
  try {
    await deliver(queue, worker, WARMING);
    const figures = await deliver(queue, worker, TOTAL);
    console.log(
      JSON.stringify({ peer: "bullmq", name: "messages", version, messages: TOTAL, in_flight: IN_FLIGHT, ...figures }),
    );
  } finally {
    await worker.close();
    await queue.obliterate({ force: true });
    await queue.close();
    agent.destroy();
    await thread.terminate();
  }
}

if (isMainThread) await measure();
else receive();
