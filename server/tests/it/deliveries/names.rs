//! Names that stand for a public address when somebody looks, and for a private one later.

use std::time::Duration;

use super::{Answer, FILE, Receiver, Site, sent};
use crate::support::{Names, Setup, text};

/// Any address of the public internet.
const PUBLIC: &str = "9.9.9.9";

/// This machine, a private network, and the metadata of a cloud.
const PRIVATE: [&str; 3] = ["127.0.0.1", "10.0.0.1", "169.254.169.254"];

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_turns_private_after_its_message_was_published_is_not_called() {
    let setup = Setup::with_file(&FILE.replace("allow_private = true", ""));
    let names = Names::new(setup.folder.path());
    let site = Site::of(names.told_to(setup));
    // Each call has a connection of its own, and so a lookup.
    let answer = Answer::With(200, vec![("connection", "close".into())], b"");
    let receiver = Receiver::start(vec![answer; 8]).await;
    let port = receiver.url.rsplit_once(':').unwrap().1;
    let url = format!("http://rebinding.example.com:{port}/");
    let publish = |body: &'static str| site.publish(&url).body(body);

    for private in PRIVATE {
        names.mean(&[PUBLIC]);
        sent(publish("public")).await;
        assert_eq!(receiver.next().await.body, "public");

        site.flow("pause").await;
        let held = publish(private)
            .header("upstash-flow-control-key", "held")
            .header("upstash-flow-control-value", "parallelism=1")
            .header("upstash-failure-callback", &url);
        sent(held).await;
        names.mean(&[private]);
        site.flow("resume").await;
        // The message, and who would have been told of it.
        let letters = site.dead(2).await;
        for letter in &letters {
            assert_eq!(letter["responseStatus"], 0, "{letter}");
            let path = format!("/v2/dlq/{}", text(&letter["dlqId"]));
            let gone = site
                .server
                .delete(&path)
                .bearer_auth(&site.key)
                .send()
                .await;
            gone.unwrap().error_for_status().unwrap();
        }
        let id = text(&letters[0]["messageId"]);
        let events = site.json(&format!("/v2/events?messageId={id}")).await;
        let told = events.to_string();
        assert!(told.contains("no address on the public internet"), "{told}");
        assert!(!told.contains("RETRY"), "{told}");
    }

    // A name that stands for both is called where it is public.
    names.mean(&[PRIVATE[1], PUBLIC]);
    sent(publish("both")).await;
    assert_eq!(receiver.next().await.body, "both");
    receiver.nothing_more(Duration::from_millis(300)).await;
}
