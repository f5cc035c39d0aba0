//! Subscriptions to a channel. In a cluster any node will do: messages reach all
//! nodes.

use std::time::Duration;

use ::redis::{Client, ConnectionInfo, RedisError};
use futures::StreamExt as _;
use tokio::{
    sync::mpsc::{self, Sender},
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tracing::debug;

use super::{
    RedisUrl,
    link::{CONNECT, RESPONSE, slow},
};

/// Pause between two attempts to connect.
const PAUSE: Duration = Duration::from_millis(300);

/// Interval between pings: a half-open connection is as silent as one without messages.
const PING: Duration = Duration::from_secs(5);

/// Maximum number of messages waiting for the receiver.
const BUFFER: usize = 1024;

/// An event of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Connected: messages arrive from now on. Earlier ones may have been missed.
    Connected,
    /// A message.
    Message(Vec<u8>),
}

pub(super) fn start(url: RedisUrl, channel: String) -> mpsc::Receiver<Notice> {
    let (notices, listener) = mpsc::channel(BUFFER);
    tokio::spawn(async move {
        tokio::select! {
            () = listen_for_ever(&url, &channel, &notices) => {}
            () = notices.closed() => {}
        }
    });
    listener
}

async fn listen_for_ever(url: &RedisUrl, channel: &str, notices: &Sender<Notice>) {
    for node in url.nodes().iter().cycle() {
        if let Err(error) = listen(node.clone(), channel, notices).await {
            debug!(%error, channel, "the subscription was interrupted");
        }
        sleep(PAUSE).await;
    }
}

/// Forwards messages until the connection is lost.
async fn listen(
    node: ConnectionInfo,
    channel: &str,
    notices: &Sender<Notice>,
) -> Result<(), RedisError> {
    let connecting = async {
        let mut connection = Client::open(node)?.get_async_pubsub().await?;
        connection.subscribe(channel).await?;
        Ok::<_, RedisError>(connection)
    };
    let connection = timeout(CONNECT, connecting).await.unwrap_or_else(slow)?;
    let (mut sink, mut messages) = connection.split();
    // The task is ended from outside when its receiver is dropped.
    let _ = notices.send(Notice::Connected).await;
    let mut tick = interval(PING);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            message = messages.next() => {
                let Some(message) = message else { return Ok(()) };
                let text = message.get_payload_bytes().to_vec();
                let _ = notices.send(Notice::Message(text)).await;
            }
            _ = tick.tick() => {
                let ping = sink.ping::<::redis::Value>();
                timeout(RESPONSE, ping).await.unwrap_or_else(slow)?;
            }
        }
    }
}
