// What the programs share: where everything is, the stand-in's controls, and running the checks.

import assert from 'node:assert/strict';

const need = (name) => process.env[name] ?? assert.fail(`${name} is not set`);

export const url = need('ATELIER_URL');
export const key = need('ATELIER_KEY');
export const chatKey = need('ATELIER_CHAT_KEY');
export const spentKey = need('ATELIER_SPENT_KEY');
const mockUrl = need('MOCK_URL');

/** A PNG of one pixel. */
export const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);

export const weather = {
  name: 'weather',
  description: 'The weather in a city',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' }, days: { type: 'integer' } },
    required: ['city', 'days'],
    additionalProperties: false,
  },
};

/** The stand-in behind Atelier. */
export const mock = {
  /** What becomes of the next calls. */
  then: (...behaviours) => send('POST', '/_mock/next', JSON.stringify(behaviours)),
  /** The requests that have arrived at one path. */
  async calls(path) {
    const calls = await (await send('GET', '/_mock/calls')).json();
    return calls.filter((call) => call.path === path);
  },
  forget: () => send('DELETE', '/_mock'),
};

async function send(method, path, body) {
  const answer = await fetch(mockUrl + path, { method, body });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer;
}

/** A refusal by the stand-in. */
export function status(code, headers = {}) {
  const error = { message: 'not now', type: 'server_error', param: null, code: null };
  return { status: { status: code, headers, body: { error } } };
}

/** The error that a call must end with. */
export async function raises(kind, call) {
  const result = await call().then(
    (value) => ({ value }),
    (error) => ({ error }),
  );
  assert.ok(result.error instanceof kind, `${kind.name} was expected, not ${result.error ?? JSON.stringify(result.value)}`);
  return result.error;
}

/** Runs the checks in turn, or those with a word of the command line in their names; the last line says how many passed. */
export async function run(all) {
  const words = process.argv.length > 2 ? process.argv.slice(2) : [''];
  const checks = Object.entries(all).filter(([name]) => words.some((word) => name.includes(word)));
  let failed = 0;
  for (const [name, check] of checks) {
    await mock.forget();
    const started = performance.now();
    try {
      await check();
      console.log(`ok     ${name} (${((performance.now() - started) / 1000).toFixed(2)} s)`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED ${name}`);
      console.log(error);
    }
  }
  console.log(`${checks.length - failed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}
