//! Asking for pictures: in part, not at all, and by crooked names.

use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG};

use super::studio;
use crate::support::{problem, text};

#[tokio::test]
async fn no_crooked_name_leads_out_of_the_folder() {
    let (setup, _openai, server) = studio().await;
    server.succeeded(&server.paint("a boat").await).await;
    assert!(setup.data().join("secret").exists());
    for name in [
        "..%2fsecret",
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e%2fsecret",
        "..%5csecret",
        "%2fetc%2fpasswd",
        "a%00.png",
        "..%2fimages%2fa.png",
        "unknown.png",
        "lock",
        ".png",
    ] {
        let response = server.get(&format!("/images/{name}")).send().await.unwrap();
        assert_eq!(problem(response).await.0, 404, "{name}");
    }
}

#[tokio::test]
async fn a_picture_can_be_fetched_in_parts() {
    let (_setup, _openai, server) = studio().await;
    let job = server.succeeded(&server.paint("a boat").await).await;
    let path = text(&job["images"][0]["url"]);
    let whole = server.picture(&job).await;
    let size = whole.len();
    for (range, first, end) in [
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, size),
        ("bytes=-10", size - 10, size),
        ("bytes=10-999999999", 10, size),
    ] {
        let response = server
            .get(path)
            .header("range", range)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 206, "{range}");
        assert_eq!(
            response.headers()[CONTENT_RANGE],
            format!("bytes {first}-{}/{size}", end - 1)
        );
        assert_eq!(
            response.bytes().await.unwrap(),
            whole[first..end],
            "{range}"
        );
    }
    for range in [format!("bytes={size}-"), "bytes=-0".into()] {
        let response = server
            .get(path)
            .header("range", &range)
            .send()
            .await
            .unwrap();
        assert_eq!(response.headers()[CONTENT_RANGE], format!("bytes */{size}"));
        assert_eq!(problem(response).await.0, 416, "{range}");
    }
    for range in ["bytes=9-3", "pages=1-2", "bytes=0-1,4-5", "bytes=x"] {
        let response = server
            .get(path)
            .header("range", range)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200, "{range}");
        assert_eq!(response.bytes().await.unwrap(), whole, "{range}");
    }
}

#[tokio::test]
async fn a_picture_is_kept_by_its_reader() {
    let (_setup, _openai, server) = studio().await;
    let job = server.succeeded(&server.paint("a boat").await).await;
    let path = text(&job["images"][0]["url"]);
    let head = server
        .client
        .head(format!("{}{path}", server.url))
        .send()
        .await
        .unwrap();
    assert_eq!(head.status(), 200);
    assert_eq!(
        head.headers()[CONTENT_LENGTH],
        job["images"][0]["bytes"].to_string()
    );
    assert_eq!(head.headers()["content-type"], "image/png");
    assert_eq!(head.headers()["x-content-type-options"], "nosniff");
    assert!(
        head.headers()["cache-control"]
            .to_str()
            .unwrap()
            .contains("immutable")
    );
    let etag = &head.headers()[ETAG];
    let kept = server
        .get(path)
        .header("if-none-match", etag)
        .send()
        .await
        .unwrap();
    assert_eq!(kept.status(), 304);
    assert_eq!(&kept.headers()[ETAG], etag);
    assert!(kept.bytes().await.unwrap().is_empty());
    let other = server
        .get(path)
        .header("if-none-match", "\"other\"")
        .send()
        .await
        .unwrap();
    assert_eq!(other.status(), 200);
}

/// Lists, weak tags and "whatever you have" are understood; one copy is not another.
#[tokio::test]
async fn a_reader_is_told_only_of_what_it_has_not() {
    let (_setup, _openai, server) = studio().await;
    let job = server.succeeded(&server.paint("a boat").await).await;
    let whole = text(&job["images"][0]["url"]);
    let paths = [
        whole.into(),
        format!("{whole}?width=320"),
        format!("{whole}?width=640"),
    ];
    let mut tags = Vec::new();
    for path in &paths {
        let answer = server.get(path).send().await.unwrap();
        tags.push(answer.headers()[ETAG].to_str().unwrap().to_owned());
    }
    for (path, own) in paths.iter().zip(&tags) {
        let ask = async |name: &str, value: &str| {
            let request = server.get(path).header(name, value).send();
            request.await.unwrap()
        };
        for other in tags.iter().filter(|tag| *tag != own) {
            assert_eq!(ask("if-none-match", other).await.status(), 200, "{path}");
            let (status, _) = problem(ask("if-match", other).await).await;
            assert_eq!(status, 412, "{path}");
        }
        for known in [
            "*".into(),
            format!("W/{own}"),
            format!("\"x\", W/\"y\",{own}"),
        ] {
            let answer = ask("if-none-match", &known).await;
            assert_eq!(answer.status(), 304, "{path}: {known}");
            assert_eq!(answer.headers()[ETAG], own);
            assert!(answer.headers().contains_key("cache-control"));
        }
        assert_eq!(ask("if-match", own).await.status(), 200, "{path}");
    }
}

#[tokio::test]
async fn a_part_is_a_part_of_one_version() {
    let (_setup, _openai, server) = studio().await;
    let job = server.succeeded(&server.paint("a boat").await).await;
    let path = text(&job["images"][0]["url"]);
    let whole = server.get(path).send().await.unwrap();
    let own = whole.headers()[ETAG].to_str().unwrap().to_owned();
    for (version, status) in [
        (own.clone(), 206),
        (format!("W/{own}"), 200),
        ("\"another\"".into(), 200),
        ("Wed, 21 Oct 2015 07:28:00 GMT".into(), 200),
    ] {
        let part = server.get(path).header("range", "bytes=0-9");
        let part = part.header("if-range", &version).send().await.unwrap();
        assert_eq!(part.status(), status, "{version}");
        assert_eq!(part.content_length() == Some(10), status == 206);
    }
    // A range that is not asked of this version cannot lie outside of it either.
    let beyond = server.get(path).header("range", "bytes=99999999-");
    let beyond = beyond
        .header("if-range", "\"another\"")
        .send()
        .await
        .unwrap();
    assert_eq!(beyond.status(), 200);
}
