// npm `ai` with `@ai-sdk/openai`, which speaks /responses, and `@ai-sdk/openai-compatible`, which speaks
// /chat/completions.

import assert from 'node:assert/strict';

import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { embedMany, generateImage, generateText, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';

import { key, mock, run, url } from './support.mjs';

const openai = createOpenAI({ baseURL: `${url}/v1`, apiKey: key });
const compatible = createOpenAICompatible({ name: 'atelier', baseURL: `${url}/v1`, apiKey: key });

const weather = tool({
  description: 'The weather in a city',
  inputSchema: z.object({ city: z.string(), days: z.number().int() }),
  execute: ({ city }) => `rain in ${city}`,
});

async function speaks(model, path) {
  const { text, usage } = await generateText({ model, prompt: 'good morning' });
  assert.equal(text, 'You said: good morning');
  assert.ok(usage.outputTokens > 0);
  const stream = streamText({ model, prompt: 'good evening' });
  let said = '';
  for await (const piece of stream.textStream) said += piece;
  assert.equal(said, 'You said: good evening');
  assert.equal((await mock.calls(path)).length, 2);
  const answered = await generateText({ model, prompt: 'weather?', tools: { weather }, stopWhen: stepCountIs(3) });
  assert.equal(answered.text, 'You said: rain in Paris');
}

await run({
  'responses through @ai-sdk/openai': () => speaks(openai('gpt-5-mini'), '/v1/responses'),
  'chat through @ai-sdk/openai': () => speaks(openai.chat('gpt-4o-mini'), '/v1/chat/completions'),
  'chat through @ai-sdk/openai-compatible': () => speaks(compatible('gpt-4o-mini'), '/v1/chat/completions'),

  async embeddings() {
    const model = openai.embedding('text-embedding-3-small');
    const { embeddings } = await embedMany({ model, values: ['red', 'green'] });
    assert.deepEqual(embeddings.map((vector) => vector.length), [1536, 1536]);
  },

  async image() {
    const { image } = await generateImage({ model: openai.image('gpt-image-2'), prompt: 'a boat' });
    assert.equal(image.mediaType, 'image/png');
  },
});
