"""PyPI `qstash`, the asynchronous client."""

import asyncio
import json
import sys

from qstash import AsyncQStash, Receiver
from qstash.log import LogState

from receiver import receiver
from support import KEY, URL, run


async def arrived(shop, count):
    return await asyncio.to_thread(shop.arrived, count)


async def delivered(client, message_id):
    filter = {"message_id": message_id, "state": LogState.DELIVERED}
    for _ in range(200):
        if (await client.log.list(filter=filter)).logs:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{message_id} is not delivered")


async def test_many_at_a_time():
    client, shop = AsyncQStash(KEY, base_url=URL), receiver()
    sent = await asyncio.gather(
        *(client.message.publish_json(url=shop.url, body={"n": n}) for n in range(50))
    )
    assert len({one.message_id for one in sent}) == 50
    calls = await arrived(shop, 50)
    assert sorted(json.loads(call.body)["n"] for call in calls) == list(range(50))
    keys = await client.signing_key.get()
    verifier = Receiver(current_signing_key=keys.current, next_signing_key=keys.next)
    for call in calls:
        verifier.verify(
            signature=call.headers["upstash-signature"], body=call.body.decode(), url=call.url
        )
    await delivered(client, sent[0].message_id)


async def test_dead_letters_and_queues():
    client, shop = AsyncQStash(KEY, base_url=URL), receiver((410, {}, "gone"))
    sent = await client.message.enqueue(queue="line", url=shop.url, body="x", retries=0)
    await arrived(shop, 1)
    for _ in range(200):
        dead = (await client.dlq.list(filter={"queue": "line"})).messages
        if dead:
            break
        await asyncio.sleep(0.05)
    assert [(one.message_id, one.response_status) for one in dead] == [(sent.message_id, 410)]
    await client.dlq.delete(dead[0].dlq_id)
    assert (await client.queue.get("line")).parallelism == 1
    await client.queue.delete("line")


async def test_groups_schedules_and_flow_control():
    client, shop = AsyncQStash(KEY, base_url=URL), receiver()
    await client.url_group.upsert_endpoints("all", [{"url": shop.url}])
    [sent] = await client.message.publish(url_group="all", body="x")
    assert sent.url == shop.url
    await arrived(shop, 1)
    made = await client.schedule.create(destination="all", cron="0 3 * * *", body="x")
    assert (await client.schedule.get(made)).destination == "all"
    await client.schedule.delete(made)
    await client.flow_control.pause("k")
    assert (await client.flow_control.get("k")).is_paused
    await client.flow_control.resume("k")
    await client.url_group.delete("all")


run(sys.modules[__name__])
