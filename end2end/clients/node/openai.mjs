// npm `openai`.

import assert from 'node:assert/strict';
import { File } from 'node:buffer';

import OpenAI, { toFile } from 'openai';

import { chatKey, key, mock, picture, raises, run, spentKey, status, url, weather } from './support.mjs';

// Debian's Node 18 has it, but not as a global, where the package looks for it.
globalThis.File ??= File;

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, timeout: 30_000 });
const once = client.withOptions({ maxRetries: 0 });
const model = 'gpt-4o-mini';
const chat = '/v1/chat/completions';

const user = (content) => [{ role: 'user', content }];
const ask = (content, more = {}, by = client) => by.chat.completions.create({ model, messages: user(content), ...more });

async function text(stream) {
  let said = '';
  for await (const chunk of stream) said += chunk.choices[0]?.delta.content ?? '';
  return said;
}

await run({
  async models() {
    const names = [];
    for await (const { id } of client.models.list()) names.push(id);
    assert.ok(names.includes(model), names.join());
    assert.equal((await client.models.retrieve(model)).id, model);
    const error = await raises(OpenAI.NotFoundError, () => client.models.retrieve('no-such-model'));
    assert.equal(error.code, 'model_not_found');
  },

  async chat() {
    const answer = await ask('good morning');
    assert.equal(answer.choices[0].message.content, 'You said: good morning');
    assert.ok(answer.usage.total_tokens > 0);
    assert.ok(answer._request_id);
  },

  async 'chat stream'() {
    assert.equal(await text(await ask('good evening', { stream: true })), 'You said: good evening');
    const chunks = [];
    const options = { stream: true, stream_options: { include_usage: true } };
    for await (const chunk of await ask('good night', options)) chunks.push(chunk);
    assert.ok(chunks.at(-1).usage.total_tokens > 0);
    const helper = client.chat.completions.stream({ model, messages: user('help') });
    assert.equal(await helper.finalContent(), 'You said: help');
  },

  async 'tool call'() {
    const tools = [{ type: 'function', function: weather }];
    const answer = await ask('weather?', { tools });
    assert.deepEqual(JSON.parse(answer.choices[0].message.tool_calls[0].function.arguments), { city: 'Paris', days: 7 });
    const seen = [];
    const runner = client.chat.completions.runTools({
      model,
      messages: user('weather?'),
      tools: [
        { type: 'function', function: { ...weather, parse: JSON.parse, function: (given) => (seen.push(given), 'rain') } },
      ],
    });
    assert.equal(await runner.finalContent(), 'You said: rain');
    assert.deepEqual(seen, [{ city: 'Paris', days: 7 }]);
  },

  async 'structured output'() {
    const json_schema = { name: 'trip', strict: true, schema: weather.parameters };
    const parsed = await client.chat.completions.parse({
      model,
      messages: user('a trip'),
      response_format: { type: 'json_schema', json_schema },
    });
    assert.deepEqual(JSON.parse(parsed.choices[0].message.content), { city: 'Paris', days: 7 });
  },

  async responses() {
    const answer = await client.responses.create({ model: 'gpt-5-mini', input: 'good day' });
    assert.equal(answer.output_text, 'You said: good day');
    assert.equal((await client.responses.retrieve(answer.id)).output_text, answer.output_text);
    const items = await client.responses.inputItems.list(answer.id);
    assert.equal(items.data.length, 1);
    await client.responses.delete(answer.id);
    await raises(OpenAI.NotFoundError, () => client.responses.retrieve(answer.id));
  },

  async 'responses stream'() {
    const kinds = [];
    for await (const event of await client.responses.create({ model: 'gpt-5-mini', input: 'and so on', stream: true })) {
      kinds.push(event.type);
    }
    assert.equal(kinds[0], 'response.created');
    assert.equal(kinds.at(-1), 'response.completed');
    const final = await client.responses.stream({ model: 'gpt-5-mini', input: 'help' }).finalResponse();
    assert.equal(final.output[0].content[0].text, 'You said: help');
  },

  async embeddings() {
    const answer = await client.embeddings.create({ model: 'text-embedding-3-small', input: ['red', 'green'] });
    const [call] = await mock.calls('/v1/embeddings');
    assert.equal(call.json.encoding_format, 'base64');
    assert.deepEqual(answer.data.map((item) => item.embedding.length), [1536, 1536]);
  },

  async images() {
    const answer = await client.images.generate({ model: 'gpt-image-2', prompt: 'a boat' });
    assert.ok(answer.data[0].b64_json);
    const image = await toFile(picture, 'a.png', { type: 'image/png' });
    const edited = await client.images.edit({ model: 'gpt-image-2', image: [image, image], prompt: 'red' });
    assert.ok(edited.data[0].b64_json);
    const kinds = [];
    const stream = await client.images.generate({ model: 'gpt-image-2', prompt: 'a boat', stream: true, partial_images: 1 });
    for await (const event of stream) kinds.push(event.type);
    assert.deepEqual(kinds, ['image_generation.partial_image', 'image_generation.completed']);
  },

  async audio() {
    const file = await toFile(Buffer.from('ID3 hello'), 'a.mp3');
    const heard = await client.audio.transcriptions.create({ model: 'whisper-1', file });
    assert.equal(heard.text, '9 bytes of silence');
    const speech = await client.audio.speech.create({ model: 'gpt-4o-mini-tts', voice: 'alloy', input: 'hello' });
    assert.ok((await speech.arrayBuffer()).byteLength > 100);
  },

  async 'error classes'() {
    const wrong = once.withOptions({ apiKey: 'sk-wrong' });
    const error = await raises(OpenAI.AuthenticationError, () => ask('x', {}, wrong));
    assert.ok(error.requestID);
    const bad = await raises(OpenAI.BadRequestError, () => ask('x', { temperature: 3 }, once));
    assert.equal(bad.param, 'temperature');
    await raises(OpenAI.NotFoundError, () => ask('x', { model: 'gpt-none' }, once));
    const chatOnly = once.withOptions({ apiKey: chatKey });
    assert.ok((await ask('x', {}, chatOnly)).choices);
    const refused = await raises(OpenAI.APIError, () => ask('x', { model: 'gpt-5-mini' }, chatOnly));
    assert.ok([403, 404].includes(refused.status), String(refused));
  },

  async 'a spent budget is told once'() {
    const spent = client.withOptions({ apiKey: spentKey });
    await raises(OpenAI.RateLimitError, async () => {
      for (let turn = 0; turn < 20; turn += 1) await ask(`number ${turn}`, { max_tokens: 10 }, spent);
    });
    const error = await raises(OpenAI.RateLimitError, () => ask('once more', { max_tokens: 10 }, spent));
    assert.equal(error.code, 'insufficient_quota');
    assert.equal(error.headers.get('x-should-retry'), 'false');
  },

  async 'a failure is repeated until it is answered'() {
    await mock.then(status(500), status(429, { 'retry-after': '0' }));
    assert.equal((await ask('be patient')).choices[0].message.content, 'You said: be patient');
    assert.equal((await mock.calls(chat)).length, 3);
  },

  async 'a stream that is left'() {
    await mock.then('hang_midway');
    for await (const chunk of await ask('a long story', { stream: true })) {
      assert.ok(chunk.id);
      break;
    }
  },

  async 'time out'() {
    await mock.then('hang', 'hang', 'hang');
    await raises(OpenAI.APIConnectionTimeoutError, () => ask('hurry', {}, once.withOptions({ timeout: 500 })));
  },
});
