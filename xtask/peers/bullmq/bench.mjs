import { createRequire } from "node:module";
import { Queue, Worker } from "bullmq";

const TOTAL = 20_000;
const IN_FLIGHT = 200;
const CONCURRENCY = 100;

const { version } = createRequire(import.meta.url)("bullmq/package.json");

const url = process.env.REDIS_URL;
if (!url) throw new Error("REDIS_URL is not set");

const connection = { url, maxRetriesPerRequest: null };
const payload = {
  prompt: "a lighthouse on a basalt cliff at dusk, oil paint, wide view",
  size: "1024x1024",
  quality: "high",
  n: 1,
};

const perSecond = (count, since) => Math.round((count * 1000) / (performance.now() - since));

async function add(queue) {
  let next = 0;
  const lane = async () => {
    while (next++ < TOTAL) await queue.add("image", payload);
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return perSecond(TOTAL, start);
}

async function work(worker) {
  await worker.waitUntilReady();
  return new Promise((resolve, reject) => {
    let done = 0;
    worker.on("completed", () => ++done === TOTAL && resolve(perSecond(TOTAL, start)));
    worker.on("failed", (_, error) => reject(error));
    worker.on("error", reject);
    const start = performance.now();
    worker.run().catch(reject);
  });
}

const queue = new Queue("atelier-bench", { connection });
await queue.waitUntilReady();
await queue.obliterate({ force: true });

const worker = new Worker(queue.name, async () => {}, {
  connection,
  concurrency: CONCURRENCY,
  autorun: false,
});

try {
  const adds_per_second = await add(queue);
  const jobs_per_second = await work(worker);
  console.log(
    JSON.stringify({ peer: "bullmq", version, adds_per_second, jobs_per_second, adds: TOTAL, jobs: TOTAL }),
  );
} finally {
  await worker.close();
  await queue.obliterate({ force: true });
  await queue.close();
}
