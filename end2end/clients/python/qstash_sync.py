"""PyPI `qstash`, the synchronous client: publishing, and verifying what is delivered."""

import json
import sys

from qstash import QStash, Receiver
from qstash.chat import custom
from qstash.errors import QStashError, SignatureError
from qstash.log import LogState
from qstash.message import FlowControl

from receiver import eventually, receiver
from support import KEY, URL, mock, raises, run

client = QStash(KEY, base_url=URL)


def verifier():
    keys = client.signing_key.get()
    return Receiver(current_signing_key=keys.current, next_signing_key=keys.next)


def verify(by, call, body=None):
    body = call.body.decode() if body is None else body
    by.verify(signature=call.headers["upstash-signature"], body=body, url=call.url)


def states(message_id):
    return [log.state for log in client.log.list(filter={"message_id": message_id}).logs]


def delivered(message_id):
    filter = {"message_id": message_id, "state": LogState.DELIVERED}
    eventually(lambda: len(client.log.list(filter=filter).logs) == 1, f"{message_id} is delivered")


def letter(message_id):
    filter = {"message_id": message_id}
    return eventually(lambda: client.dlq.list(filter=filter).messages, f"{message_id} is dead")[0]


def test_publish():
    shop = receiver()
    sent = client.message.publish(
        url=f"{shop.url}/a//b%20c?x=1&y=%2F", method="PATCH", body="good morning",
        content_type="text/plain", headers={"x-order": "7"}, label="one", timeout=30,
    )
    [call] = shop.arrived(1)
    assert (call.method, call.url) == ("PATCH", f"{shop.url}/a//b%20c?x=1&y=%2F")
    assert call.body == b"good morning"
    assert (call.headers["x-order"], call.headers["content-type"]) == ("7", "text/plain")
    assert call.headers["upstash-message-id"] == sent.message_id
    message = client.message.get(sent.message_id)
    assert (message.label, message.body, message.headers["X-Order"]) == ("one", "good morning", ["7"])
    delivered(sent.message_id)


def test_signatures_and_keys_that_are_replaced():
    shop = receiver()
    before, old = verifier(), client.signing_key.get()
    client.message.publish_json(url=shop.url, body={"hello": "wörld"})
    first = shop.arrived(1)[0]
    verify(before, first)
    raises(SignatureError, lambda: verify(before, first, '{"hello": "world"}'))
    now = client.signing_key.rotate()
    assert now.current == old.next and now.next not in (old.current, old.next)
    client.message.publish_json(url=shop.url, body={"hello": "again"})
    second = shop.arrived(2)[1]
    verify(before, second)
    after = verifier()

    def is_signed_anew():
        count = len(shop.calls)
        client.message.publish_json(url=shop.url, body={"hello": "again"})
        call = shop.arrived(count + 1)[-1]
        try:
            verify(after, call)
        except SignatureError:
            return False
        return True

    eventually(is_signed_anew, "the new key is used, at the latest after a second")


def test_repetitions_and_what_a_log_tells():
    shop = receiver((500, {}, "no"), (503, {"retry-after": "0"}, "no"))
    sent = client.message.publish(url=shop.url, body="x", retries=2, retry_delay="100 * (1 + retried)")
    assert [call.headers["upstash-retried"] for call in shop.arrived(3)] == ["0", "1", "2"]
    delivered(sent.message_id)
    log = client.log.list(filter={"message_id": sent.message_id}).logs[0]
    assert (log.state, log.retry_delay_expression) == (LogState.DELIVERED, "100 * (1 + retried)")
    assert LogState.RETRY in states(sent.message_id)


def test_batch_groups_and_queues():
    one, two = receiver(), receiver()
    client.url_group.upsert_endpoints("shops", [{"url": one.url, "name": "one"}, {"url": two.url}])
    both, alone = client.message.batch_json([
        {"url_group": "shops", "body": {"n": 1}},
        {"url": two.url, "queue": "line", "body": {"n": 2}, "headers": {"x-part": "2"}},
    ])
    assert [part.url for part in both] == [one.url, two.url]
    one.arrived(1)
    bodies = sorted(json.loads(call.body)["n"] for call in two.arrived(2))
    assert bodies == [1, 2]
    assert client.message.get(alone.message_id).queue == "line"
    client.url_group.remove_endpoints("shops", [{"name": "one"}])
    assert [e.url for e in client.url_group.get("shops").endpoints] == [two.url]
    client.url_group.delete("shops")
    assert client.url_group.list() == []


def test_a_queue_is_in_order():
    shop = receiver((500, {}, ""), (500, {}, ""))
    for number in range(4):
        client.message.enqueue_json(queue="orders", url=shop.url, body=number, retries=3, retry_delay="200")
    assert [json.loads(call.body) for call in shop.arrived(6)] == [0, 0, 0, 1, 2, 3]
    client.queue.pause("orders")
    assert client.queue.get("orders").paused
    client.queue.upsert("orders", parallelism=3)
    assert client.queue.get("orders").parallelism == 3
    client.queue.delete("orders")


def test_flow_control():
    shop = receiver()
    flow = FlowControl(key="slow", parallelism=3, rate=5, period="1h30m3s")
    client.flow_control.pin("slow", {"parallelism": 1})
    client.flow_control.pause("slow")
    sent = client.message.publish_json(url=shop.url, body=1, flow_control=flow)
    held = client.message.get(sent.message_id).flow_control
    assert (held.key, held.parallelism, held.rate, held.period) == ("slow", 3, 5, 5403)
    info = client.flow_control.get("slow")
    assert info.is_paused and info.is_pinned_parallelism and info.parallelism_max == 1
    client.flow_control.resume("slow")
    shop.arrived(1)
    client.flow_control.unpin("slow", {"parallelism": True})
    client.flow_control.reset_rate("slow")
    assert client.flow_control.get("slow").rate_count == 0
    assert client.flow_control.get_global_parallelism().parallelism_max > 0


def test_schedules():
    shop = receiver()
    made = client.schedule.create_json(
        schedule_id="nightly", destination=shop.url, cron="CRON_TZ=Europe/Berlin 0 3 * * *",
        body={"tick": 1}, retries=5, delay="10s", queue="line",
    )
    assert made == "nightly"
    schedule = client.schedule.get("nightly")
    assert (schedule.destination, schedule.body, schedule.delay) == (shop.url, '{"tick": 1}', 10)
    assert schedule.next_schedule_time > schedule.created_at and schedule.queue == "line"
    client.schedule.pause("nightly")
    assert client.schedule.get("nightly").paused
    client.schedule.resume("nightly")
    assert [s.schedule_id for s in client.schedule.list()] == ["nightly"]
    client.schedule.delete("nightly")
    raises(QStashError, lambda: client.schedule.get("nightly"))
    raises(QStashError, lambda: client.schedule.create(destination=shop.url, cron="every day"))


def test_dead_letters():
    shop = receiver((404, {"x-why": "closed"}, "closed"))
    sent = client.message.publish(url=shop.url, body="x", retries=0)
    dead = letter(sent.message_id)
    assert (dead.response_status, dead.response_body) == (404, "closed")
    assert dead.response_headers["X-Why"] == ["closed"]
    assert client.dlq.get(dead.dlq_id).message_id == sent.message_id
    assert client.dlq.delete_many([dead.dlq_id]) == 1
    raises(QStashError, lambda: client.dlq.get(dead.dlq_id))
    raises(QStashError, lambda: client.dlq.delete(dead.dlq_id))


def test_callbacks():
    shop, office, grief = receiver((503, {}, "not yet"), (400, {}, "never")), receiver(), receiver()
    sent = client.message.publish(
        url=shop.url, body="order", retries=1, retry_delay="100",
        callback=office.url, failure_callback=grief.url,
        callback_headers={"Upstash-Callback-Forward-X-Desk": "4"},
    )
    [last] = grief.arrived(1)
    calls = office.arrived(2)
    for call in [*calls, last]:
        verify(verifier(), call)
    assert sorted(call.told()["status"] for call in calls) == [400, 503]
    assert all(call.headers["x-desk"] == "4" for call in calls)
    report = last.told()
    assert (report["status"], report["body"], report["sourceBody"]) == (400, "never", "order")
    assert report["sourceMessageId"] == sent.message_id
    assert report["dlqId"] == letter(sent.message_id).dlq_id


def test_cancelled():
    shop = receiver()
    sent = [client.message.publish(url=shop.url, body="x", delay="1d") for _ in range(4)]
    client.message.cancel(sent[0].message_id)
    assert client.message.cancel_many([sent[1].message_id]) == 1
    assert client.message.cancel_all() == 2
    assert LogState.CANCELED in states(sent[2].message_id)
    assert shop.calls == []


def test_deduplication():
    shop = receiver()
    first = client.message.publish(url=shop.url, body="x", content_based_deduplication=True)
    second = client.message.publish(url=shop.url, body="x", content_based_deduplication=True)
    assert (second.message_id, second.deduplicated) == (first.message_id, True)
    assert not client.message.publish(url=shop.url, body="x", deduplication_id="7").deduplicated
    assert client.message.publish(url=shop.url, body="y", deduplication_id="7").deduplicated
    assert len(shop.arrived(2)) == 2


def test_what_is_not_shown():
    shop = receiver((400, {}, "no"))
    sent = client.message.publish(
        url=shop.url, body="a secret", retries=0, headers={"x-key": "secret", "x-open": "yes"},
        redact={"body": True, "header": ["x-key"]},
    )
    dead = letter(sent.message_id)
    assert (shop.calls[0].body, shop.calls[0].headers["x-key"]) == (b"a secret", "secret")
    assert dead.body.startswith("REDACTED:") and "secret" not in str(dead)
    assert dead.headers["X-Open"] == ["yes"]


def test_an_answer_of_a_model():
    office = receiver()
    sent = client.message.publish_json(
        api={"name": "llm", "provider": custom(URL, KEY)}, callback=office.url,
        body={"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "good night"}]},
    )
    report = office.arrived(1)[0].told()
    assert (report["status"], report["sourceMessageId"]) == (200, sent.message_id)
    assert json.loads(report["body"])["choices"][0]["message"]["content"] == "You said: good night"
    assert len(mock.calls("/v1/chat/completions")) == 1


def test_a_key_that_nobody_knows():
    stranger = QStash("atl_nobody", base_url=URL, retry=False)
    error = raises(QStashError, lambda: stranger.message.publish(url="https://example.com", body="x"))
    assert "401" in str(error), error


run(sys.modules[__name__])
