// npm `@upstash/qstash`: publishing, and verifying what is delivered.

import assert from 'node:assert/strict';

import { Client, QstashError, Receiver, SignatureError, custom } from '@upstash/qstash';

import { eventually, receiver } from './receiver.mjs';
import { key, mock, raises, run, url } from './support.mjs';

const client = new Client({ baseUrl: url, token: key });

/** What the client has no function for. */
async function api(method, path, by = key) {
  const answer = await fetch(url + path, { method, headers: { authorization: `Bearer ${by}` } });
  return { status: answer.status, json: await answer.json() };
}

async function verifier() {
  const { current, next } = (await api('GET', '/v2/keys')).json;
  return new Receiver({ currentSigningKey: current, nextSigningKey: next });
}

const verify = (by, call, body = call.body.toString()) =>
  by.verify({ signature: call.headers['upstash-signature'], body, url: call.url });

const states = async (messageId) => (await client.logs({ filter: { messageId } })).logs.map((log) => log.state);
const delivered = (messageId) => eventually(async () => (await states(messageId)).includes('DELIVERED'), `${messageId} is delivered`);
const letters = async (filter) => (await client.dlq.listMessages({ filter })).messages;
const letter = (messageId) => eventually(async () => (await letters({ messageId }))[0], `${messageId} is a dead letter`);

/** What a callback tells. */
function told(call) {
  const report = JSON.parse(call.body);
  const plain = (text) => Buffer.from(text, 'base64').toString();
  return { ...report, body: plain(report.body), sourceBody: plain(report.sourceBody) };
}

await run({
  async publish() {
    const shop = receiver();
    const { messageId } = await client.publish({
      url: `${shop.url}/a//b%20c?x=1&y=%2F`,
      method: 'PUT',
      body: 'good morning',
      headers: { 'Content-Type': 'text/plain', 'x-order': '7', 'Upstash-Forward-Tunnel': 'on' },
      label: ['one', 'two'],
    });
    const [call] = await shop.arrived(1);
    assert.equal(call.method, 'PUT');
    assert.equal(call.url, `${shop.url}/a//b%20c?x=1&y=%2F`);
    assert.equal(call.body.toString(), 'good morning');
    const { headers } = call;
    assert.deepEqual([headers['x-order'], headers.tunnel, headers['content-type']], ['7', 'on', 'text/plain']);
    assert.deepEqual([headers['upstash-message-id'], headers['upstash-retried']], [messageId, '0']);
    const message = await client.messages.get(messageId);
    assert.deepEqual([message.label, message.labels], ['one', ['one', 'two']]);
    assert.deepEqual(message.header['X-Order'], ['7']);
    assert.equal(message.body, 'good morning');
    await delivered(messageId);
  },

  async 'signatures, and keys that are replaced'() {
    const shop = receiver();
    const before = await verifier();
    await client.publishJSON({ url: shop.url, body: { hello: 'wörld' } });
    const [first] = await shop.arrived(1);
    assert.ok(await verify(before, first));
    await raises(SignatureError, () => verify(before, first, '{"hello":"world"}'));
    await raises(SignatureError, () => verify(before, { ...first, url: `${first.url}/` }));
    const old = (await api('GET', '/v2/keys')).json;
    const { json: now } = await api('POST', '/v2/keys/rotate');
    assert.equal(now.current, old.next);
    await client.publishJSON({ url: shop.url, body: { hello: 'again' } });
    const [, second] = await shop.arrived(2);
    assert.ok(await verify(before, second), 'the next key of a receiver that has not been told');
    const after = await verifier();
    const isSignedAnew = async () => {
      const { length } = shop.calls;
      await client.publishJSON({ url: shop.url, body: { hello: 'again' } });
      return verify(after, (await shop.arrived(length + 1)).at(-1)).catch(() => false);
    };
    await eventually(isSignedAnew, 'the new key is used, at the latest after a second');
  },

  async 'bytes that are no text'() {
    const shop = receiver();
    const body = Buffer.from([0, 159, 146, 150, 255]);
    const { messageId } = await client.publish({ url: shop.url, body });
    const [call] = await shop.arrived(1);
    assert.ok(call.body.equals(body));
    assert.equal((await client.messages.get(messageId)).bodyBase64, body.toString('base64'));
  },

  async 'a delay, and what is cancelled in it'() {
    const shop = receiver();
    const later = await client.publish({ url: shop.url, delay: 1, body: 'later' });
    const never = await client.publish({ url: shop.url, delay: '1d', body: 'never' });
    const others = await client.batchJSON([1, 2, 3].map((n) => ({ url: shop.url, delay: '1d', label: 'many', body: n })));
    assert.ok((await client.messages.get(never.messageId)).notBefore > Date.now() + 80_000_000);
    assert.deepEqual(await client.messages.cancel(never.messageId), { cancelled: 1 });
    assert.equal((await client.messages.cancel([others[0].messageId])).cancelled, 1);
    assert.equal((await client.messages.cancel({ filter: { label: 'many' } })).cancelled, 2);
    const published = Date.now();
    const [call] = await shop.arrived(1);
    assert.equal(call.headers['upstash-message-id'], later.messageId);
    assert.ok(call.at - published < 5_000, 'soon after its second');
    assert.ok((await states(never.messageId)).includes('CANCELED'));
    assert.equal(shop.calls.length, 1);
  },

  async 'repetitions'() {
    const shop = receiver({ status: 500 }, { status: 429, headers: { 'retry-after': '0' } });
    const { messageId } = await client.publish({ url: shop.url, body: 'x', retries: 3, retryDelay: '100 * (1 + retried)' });
    const calls = await shop.arrived(3);
    assert.deepEqual(calls.map((call) => call.headers['upstash-retried']), ['0', '1', '2']);
    await delivered(messageId);
    const seen = await states(messageId);
    assert.ok(seen.includes('CREATED') && seen.includes('RETRY'), seen.join());
    assert.equal(seen[0], 'DELIVERED', 'the newest first');
  },

  async 'no repetition where the receiver says so'() {
    const shop = receiver({ status: 489, headers: { 'upstash-nonretryable-error': 'true' } });
    const { messageId } = await client.publish({ url: shop.url, body: 'x', retries: 3, retryDelay: '100' });
    assert.equal((await letter(messageId)).responseStatus, 489);
    assert.equal(shop.calls.length, 1);
  },

  async 'a batch, and url groups'() {
    const [one, two, three] = [receiver(), receiver(), receiver()];
    await client.urlGroups.addEndpoints({ name: 'shops', endpoints: [{ name: 'one', url: one.url }, { url: two.url }] });
    const group = await client.urlGroups.get('shops');
    assert.deepEqual(group.endpoints, [{ name: 'one', url: one.url }, { url: two.url }]);
    const both = await client.publishJSON({ urlGroup: 'shops', body: { n: 1 } });
    assert.deepEqual(both.map((part) => part.url), [one.url, two.url]);
    const [call] = await one.arrived(1);
    assert.equal(call.headers['upstash-topic-name'], 'shops');
    await two.arrived(1);
    const batch = await client.batch([
      { urlGroup: 'shops', body: 'to both' },
      { url: three.url, body: 'to one', queueName: 'line', headers: { 'x-part': '2' } },
    ]);
    assert.equal(batch[0].length, 2);
    const [last] = await three.arrived(1);
    assert.deepEqual([last.body.toString(), last.headers['x-part']], ['to one', '2']);
    assert.equal((await client.messages.get(batch[1].messageId)).queueName, 'line');
    await client.urlGroups.removeEndpoints({ name: 'shops', endpoints: [{ name: 'one' }] });
    assert.equal((await client.urlGroups.get('shops')).endpoints.length, 1);
    await client.urlGroups.delete('shops');
    await raises(QstashError, () => client.urlGroups.get('shops'));
  },

  async 'a queue is in order'() {
    const shop = receiver({ status: 500 }, { status: 500 });
    const queue = client.queue({ queueName: 'orders' });
    for (let n = 0; n < 5; n += 1) {
      await queue.enqueueJSON({ url: shop.url, body: n, retries: 3, retryDelay: '200' });
    }
    const calls = await shop.arrived(7);
    assert.deepEqual(calls.map((call) => JSON.parse(call.body)), [0, 0, 0, 1, 2, 3, 4]);
    assert.equal((await queue.get()).parallelism, 1);
    await queue.pause();
    assert.ok((await queue.get()).paused);
    await queue.enqueue({ url: shop.url, body: 'waits' });
    await eventually(async () => (await queue.get()).lag === 1, 'one waits');
    await queue.resume();
    await shop.arrived(8);
    await queue.delete();
    assert.ok(!(await client.queue().list()).some(({ name }) => name === 'orders'));
  },

  async 'flow control'() {
    const shop = receiver(...Array.from({ length: 6 }, () => ({ pause: 100 })));
    const flowControl = { key: 'slow', parallelism: 2, rate: 100, period: '1m' };
    await client.batchJSON(Array.from({ length: 6 }, (_, n) => ({ url: shop.url, body: n, flowControl })));
    await shop.arrived(6);
    assert.ok(shop.busiest() <= 2, `${shop.busiest()} at once`);
    await client.flowControl.pin('slow', { parallelism: 1 });
    const info = await client.flowControl.get('slow');
    assert.ok(info.isPinnedParallelism && !info.isPinnedRate);
    assert.equal(info.parallelismMax, 1);
    await client.flowControl.pause('slow');
    await client.publish({ url: shop.url, body: 'waits', flowControl });
    await eventually(async () => (await client.flowControl.get('slow')).waitListSize === 1, 'one waits');
    const held = await client.flowControl.get('slow');
    assert.deepEqual([held.parallelismMax, held.rateMax, held.ratePeriod], [1, 100, 60], 'one of them is pinned');
    await client.flowControl.resume('slow');
    await shop.arrived(7);
    await client.flowControl.unpin('slow', { parallelism: true });
    await client.flowControl.resetRate('slow');
    const { parallelismMax, parallelismCount } = await client.flowControl.getGlobalParallelism();
    assert.ok(parallelismMax > 0 && parallelismCount >= 0);
  },

  async schedules() {
    const shop = receiver();
    const scheduleId = 'every-minute';
    await client.schedules.create({
      scheduleId,
      destination: shop.url,
      cron: 'CRON_TZ=Europe/Berlin 0 3 * * *',
      body: 'tick',
      headers: { 'x-tick': '1' },
      retries: 5,
    });
    const schedule = await client.schedules.get(scheduleId);
    assert.deepEqual([schedule.destination, schedule.body, schedule.retries], [shop.url, 'tick', 5]);
    assert.ok(schedule.nextScheduleTime > Date.now() && !schedule.isPaused);
    await client.schedules.pause({ schedule: scheduleId });
    assert.ok((await client.schedules.get(scheduleId)).isPaused);
    await client.schedules.resume({ schedule: scheduleId });
    await client.schedules.create({ scheduleId, destination: shop.url, cron: '1 1 * * 1' });
    const [again, ...more] = await client.schedules.list();
    assert.deepEqual([again.cron, again.body, more.length], ['1 1 * * 1', undefined, 0]);
    await client.schedules.delete(scheduleId);
    await raises(QstashError, () => client.schedules.get(scheduleId));
    await raises(QstashError, () => client.schedules.create({ destination: shop.url, cron: '61 * * * *' }));
  },

  async 'dead letters'() {
    const shop = receiver({ status: 404, body: 'closed' }, { status: 404 }, { status: 404 });
    const { messageId } = await client.publish({ url: shop.url, body: 'x', retries: 0, label: 'dead' });
    const first = await letter(messageId);
    assert.deepEqual([first.responseStatus, first.responseBody, first.label], [404, 'closed', 'dead']);
    const { responses } = await client.dlq.retry(first.dlqId);
    assert.equal(responses.length, 1);
    await shop.arrived(2);
    await raises(QstashError, () => client.dlq.delete(first.dlqId));
    const second = await eventually(async () => (await letters({ label: 'dead' }))[0], 'it failed again');
    assert.notEqual(second.dlqId, first.dlqId);
    assert.equal((await client.dlq.delete({ filter: { label: 'dead' } })).deleted, 1);
    await raises(QstashError, () => client.dlq.delete({ filter: { labeel: 'dead' } }));
    assert.deepEqual(await letters({ label: 'dead' }), []);
  },

  async callbacks() {
    const shop = receiver({ status: 503, body: 'not yet' }, { status: 201, body: 'there' });
    const office = receiver({ status: 500 });
    const { messageId } = await client.publish({
      url: shop.url,
      body: 'order',
      retryDelay: '100',
      callback: `${office.url}/told?by=us`,
      headers: {
        'Upstash-Callback-Forward-X-Desk': '4',
        'Upstash-Callback-Method': 'PUT',
        'Upstash-Callback-Retry-Delay': '100',
      },
    });
    const calls = await office.arrived(3);
    const by = await verifier();
    for (const call of calls) {
      assert.ok(await verify(by, call));
      assert.deepEqual([call.method, call.headers['x-desk']], ['PUT', '4']);
    }
    const reports = new Map(calls.map(told).map((report) => [report.retried, report]));
    assert.deepEqual([...reports.keys()].sort(), [0, 1], 'one for each attempt');
    const [failed, last] = [reports.get(0), reports.get(1)];
    assert.deepEqual([failed.status, failed.body], [503, 'not yet']);
    assert.deepEqual([last.status, last.body, last.sourceBody], [201, 'there', 'order']);
    assert.deepEqual([last.sourceMessageId, last.url, last.maxRetries], [messageId, shop.url, 3]);
    assert.ok(!shop.calls.some((call) => call.headers['x-desk']), 'meant for the callback alone');
  },

  async 'failure callbacks'() {
    const shop = receiver({ status: 500 }, { status: 502, body: 'no' });
    const office = receiver();
    const { messageId } = await client.publish({
      url: shop.url,
      body: 'order',
      retries: 1,
      retryDelay: '100',
      failureCallback: office.url,
    });
    const [call] = await office.arrived(1);
    assert.ok(await verify(await verifier(), call));
    const report = told(call);
    assert.deepEqual([report.status, report.body, report.retried], [502, 'no', 1]);
    assert.deepEqual([report.sourceMessageId, report.dlqId], [messageId, (await letter(messageId)).dlqId]);
    assert.equal(shop.calls.length, 2);
    assert.equal(office.calls.length, 1, 'once, at the end');
  },

  async deduplication() {
    const shop = receiver();
    const publish = (more) => client.publish({ url: shop.url, body: 'once', ...more });
    const first = await publish({ deduplicationId: 'order-7' });
    const second = await publish({ deduplicationId: 'order-7', body: 'twice' });
    assert.deepEqual([second.messageId, second.deduplicated], [first.messageId, true]);
    const third = await publish({ contentBasedDeduplication: true });
    assert.equal((await publish({ contentBasedDeduplication: true })).messageId, third.messageId);
    assert.notEqual((await publish({ contentBasedDeduplication: true, body: 'else' })).messageId, third.messageId);
    assert.equal((await shop.arrived(3)).length, 3);
  },

  async 'what is not shown'() {
    const shop = receiver({ status: 400 });
    const { messageId } = await client.publish({
      url: shop.url,
      body: 'a secret',
      retries: 0,
      headers: { Authorization: 'Bearer secret', 'x-open': 'yes' },
      redact: { body: true, header: ['Authorization'] },
    });
    const dead = await letter(messageId);
    const [call] = shop.calls;
    assert.deepEqual([call.body.toString(), call.headers.authorization], ['a secret', 'Bearer secret']);
    const { logs } = await client.logs({ filter: { messageId } });
    for (const shown of [dead, await client.messages.get(messageId).catch(() => dead), ...logs]) {
      const text = JSON.stringify(shown);
      assert.ok(!text.includes('secret') && !text.includes(Buffer.from('a secret').toString('base64')), text);
    }
    assert.match(dead.body, /^REDACTED:[0-9a-f]{64}$/);
    assert.deepEqual(dead.header['X-Open'], ['yes']);
  },

  async 'an answer of a model'() {
    const office = receiver();
    const provider = custom({ baseUrl: url, token: key });
    const { messageId } = await client.publishJSON({
      api: { name: 'llm', provider },
      body: { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'good night' }] },
      callback: office.url,
    });
    const [call] = await office.arrived(1);
    assert.ok(await verify(await verifier(), call));
    const report = told(call);
    assert.deepEqual([report.status, report.sourceMessageId], [200, messageId]);
    assert.equal(JSON.parse(report.body).choices[0].message.content, 'You said: good night');
    assert.equal((await mock.calls('/v1/chat/completions')).length, 1);
  },

  async 'a picture'() {
    const office = receiver();
    await client.publishJSON({
      url: `${url}/v1/images/generations`,
      headers: { Authorization: `Bearer ${key}` },
      body: { model: 'gpt-image-2', prompt: 'a boat' },
      callback: office.url,
    });
    const report = told((await office.arrived(1))[0]);
    assert.equal(report.status, 200);
    assert.ok(JSON.parse(report.body).data[0].b64_json);
  },

  async 'what is refused'() {
    const stranger = new Client({ baseUrl: url, token: 'atl_nobody', retry: false });
    assert.equal((await raises(QstashError, () => stranger.publish({ url: 'https://example.com' }))).status, 401);
    for (const bad of ['ftp://example.com', 'http://user:secret@example.com', 'no-such-group']) {
      const error = await raises(QstashError, () => client.publish({ url: bad }));
      assert.ok(error.status >= 400 && error.status < 500, `${bad}: ${error.status}`);
      assert.ok(JSON.parse(error.message).error, error.message);
    }
    const delay = await raises(QstashError, () => client.publish({ url: 'https://example.com', delay: '1y' }));
    assert.equal(delay.status, 400);
    await raises(QstashError, () => client.messages.get('msg_nobody'));
  },

  async 'workflows are not there'() {
    const { status, json } = await api('GET', '/v2/workflows/runs');
    assert.equal(status, 501);
    assert.ok(json.error, JSON.stringify(json));
  },
});
