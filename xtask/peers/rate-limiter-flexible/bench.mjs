// rate-limiter-flexible as its documentation uses it: one policy, one consume
// per request, over ioredis. Prints one JSON object.
import { createRequire } from "node:module";
import Redis from "ioredis";
import { RateLimiterRedis } from "rate-limiter-flexible";

const CHECKS = 200_000;
const IN_FLIGHT = 200;
const IDENTITIES = 1_000;

const url = process.env.REDIS_URL;
if (!url) throw new Error("REDIS_URL is not set");
const redis = new Redis(url);
const limiter = new RateLimiterRedis({
  storeClient: redis,
  keyPrefix: "peer",
  points: 1_000_000,
  duration: 60,
});

let next = 0;
async function check() {
  while (next < CHECKS) {
    await limiter.consume(`10.0.0.${next++ % IDENTITIES}`);
  }
}

async function run() {
  next = 0;
  const started = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, check));
  return (CHECKS / (performance.now() - started)) * 1000;
}

await run(); // warm
const rate = await run();
await redis.quit();

const { version } = createRequire(import.meta.url)("rate-limiter-flexible/package.json");
console.log(
  JSON.stringify({
    name: "limit", peer: "rate-limiter-flexible", version, store: "redis", policies: 1,
    checks: CHECKS, in_flight: IN_FLIGHT, identities: IDENTITIES,
    checks_per_second: Math.round(rate),
  }),
);
