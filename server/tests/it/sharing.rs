//! What other sites, tabs and home screens show of a page.

use image::GenericImageView as _;

use super::input::{by_browser, page};
use crate::support::{Setup, photo, taken, text};

#[tokio::test]
async fn every_page_names_a_picture_to_share() {
    let setup = Setup::with_file("limits = []");
    let server = setup.start();
    let restored = taken(
        server
            .restore(photo(64, 48, image::ImageFormat::Jpeg))
            .await,
    )
    .await;
    let own = text(&server.succeeded(&restored).await["url"]).replace("/api", "");
    let address = |path: &str| format!("{}{path}", server.url);
    for (path, status) in [
        ("/", 200),
        ("/restore?from=x", 200),
        ("/gallery?q=boat", 200),
        (&own, 200),
        ("/nowhere?key=secret", 404),
    ] {
        let (found, html) = page(by_browser(server.get(path)).send().await.unwrap()).await;
        assert_eq!(found, status, "{path}");
        let property = |name: &str, content: &str| {
            let tag = format!("<meta content=\"{content}\" property=\"og:{name}\"");
            assert!(html.contains(&tag), "{path}: no {tag} in {html}");
        };
        property("image", &address("/share.jpg"));
        property("image:width", "1200");
        property("image:height", "630");
        property(
            "image:alt",
            "The word Atelier beside a sailing boat at sunset, painted and framed",
        );
        property("type", "website");
        // Without the query, which may hold a key.
        property("url", &address(path.split('?').next().unwrap()));
        assert!(html.contains("summary_large_image"), "{path}");
    }
}

#[tokio::test]
async fn share_picture_icons_and_stills_are_served_and_cached() {
    let setup = Setup::new();
    let server = setup.start();
    let sides = |side| Some((side, side));
    for (path, media_type, size) in [
        ("/share.jpg", "image/jpeg", Some((1200, 630))),
        ("/favicon.svg", "image/svg+xml", None),
        ("/favicon.ico", "image/x-icon", None),
        ("/apple-touch-icon.png", "image/png", sides(180)),
        ("/icon-192.png", "image/png", sides(192)),
        ("/icon-512.png", "image/png", sides(512)),
        ("/empty/shore.webp", "image/webp", sides(240)),
        ("/empty/fog.webp", "image/webp", sides(240)),
        ("/empty/winter.webp", "image/webp", sides(240)),
    ] {
        let answer = server.get(path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["content-type"], media_type, "{path}");
        assert_eq!(answer.headers()["cache-control"], "public, max-age=3600");
        let etag = answer.headers()["etag"].clone();
        let bytes = answer.bytes().await.unwrap();
        assert!(bytes.len() <= 150_000, "{path}: {} bytes", bytes.len());
        if let Some(size) = size {
            let picture = image::load_from_memory(&bytes).unwrap();
            assert_eq!(picture.dimensions(), size, "{path}");
        }
        let again = server.get(path).header("if-none-match", etag);
        assert_eq!(again.send().await.unwrap().status(), 304, "{path}");
    }
    let icon = server.get("/favicon.ico").send().await.unwrap();
    let icon = icon.bytes().await.unwrap();
    assert_eq!(icon[..8], [0, 0, 1, 0, 1, 0, 32, 32]);
    let drawn = image::load_from_memory(&icon[22..]).unwrap();
    assert_eq!(drawn.dimensions(), (32, 32));
    let svg = server.get("/favicon.svg").send().await.unwrap();
    assert!(
        svg.text()
            .await
            .unwrap()
            .contains("prefers-color-scheme:dark")
    );
}

#[tokio::test]
async fn where_there_is_nothing_is_a_picture_and_one_thing_to_do() {
    let setup = Setup::with_file("limits = []");
    let server = setup.start();
    let shown = async |path: &str| {
        page(by_browser(server.get(path)).send().await.unwrap())
            .await
            .1
    };
    let states = [
        ("/gallery", "shore", "href=\"/\"", "Nothing yet"),
        ("/nowhere", "winter", "href=\"/\"", "Page not found"),
        ("/jobs/gone", "winter", "href=\"/\"", "no longer here"),
    ];
    for (path, still, link, words) in states {
        let html = shown(path).await;
        let section = html.split("<section class=\"empty\">").nth(1).unwrap();
        let section = section.split("</section>").next().unwrap();
        for part in [&format!("/empty/{still}.webp"), link, words] {
            assert!(section.contains(part), "{path}: no {part} in {section}");
        }
    }
    server.succeeded(&server.paint("a red boat").await).await;
    let html = shown("/gallery?q=snow").await;
    assert!(html.contains("/empty/fog.webp") && html.contains("No matches."));
    assert!(!shown("/gallery").await.contains("/empty/"));
}
