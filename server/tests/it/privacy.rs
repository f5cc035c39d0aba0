//! Photos are their owners': nobody else sees them, unless they are given a
//! link, and they do not stay.

use std::time::{Duration, Instant};

use image::{
    ImageDecoder as _, ImageEncoder as _, ImageFormat, RgbImage, codecs::jpeg::JpegEncoder,
};
use reqwest::{
    Client, Response,
    multipart::{Form, Part},
};
use serde_json::Value;

use crate::support::{Atelier, PATIENCE, Setup, blobs, eventually, photo, taken, text};

fn small() -> Vec<u8> {
    photo(64, 48, ImageFormat::Jpeg)
}

async fn restored(server: &Atelier) -> Value {
    let job = taken(server.restore(small()).await).await;
    server.succeeded(&job).await
}

async fn get(client: &Client, server: &Atelier, path: &str) -> Response {
    let request = client.get(format!("{}{path}", server.url));
    request.send().await.unwrap()
}

async fn post_as_a_page(server: &Atelier, path: &str) -> Response {
    let request = server.post(path).header("accept", "text/html");
    request.send().await.unwrap()
}

fn location(response: &Response) -> &str {
    assert_eq!(response.status(), 303);
    response.headers()["location"].to_str().unwrap()
}

#[tokio::test]
async fn only_its_owner_and_who_is_given_a_link_see_a_photo() {
    let setup = Setup::new();
    let mut server = setup.start();
    let stranger = server.visitor();
    server.client = server.visitor();
    let job = restored(&server).await;
    let id = text(&job["id"]);
    let (page, api) = (format!("/jobs/{id}"), format!("/api/jobs/{id}"));
    let mine = server.get(&page).send().await.unwrap();
    assert_eq!(mine.headers()["x-robots-tag"], "noindex");
    let mine = mine.text().await.unwrap();
    assert!(mine.contains("Only you can see this."), "{mine}");
    assert!(
        mine.contains("It will be deleted in 24\u{a0}hours."),
        "{mine}"
    );
    for path in [&page, &api] {
        assert_eq!(get(&stranger, &server, path).await.status(), 404, "{path}");
    }
    for what in ["link", "delete"] {
        let url = format!("{}{api}/{what}", server.url);
        assert_eq!(stranger.post(url).send().await.unwrap().status(), 404);
    }

    let link = server.post(&format!("{api}/link")).send().await.unwrap();
    let link: Value = link.json().await.unwrap();
    let link = text(&link["url"]);
    assert_eq!(
        location(&post_as_a_page(&server, &format!("{api}/link")).await),
        link
    );
    let key = link.strip_prefix(&page).unwrap();
    let shown = get(&stranger, &server, link).await;
    assert_eq!(shown.status(), 200);
    assert_eq!(shown.headers()["x-robots-tag"], "noindex");
    let shown = shown.text().await.unwrap();
    assert!(shown.contains(text(&job["images"][0]["url"])), "{shown}");
    assert!(!shown.contains("Delete now") && !shown.contains("Make a link"));
    let by_key = get(&stranger, &server, &format!("{api}{key}")).await;
    assert_eq!(by_key.json::<Value>().await.unwrap(), job);
    let shortened = &key[..key.len() - 1];
    for wrong in ["?key=", "?key=AAAAAAAAAAAAAAAAAAAAAA", shortened] {
        for path in [&page, &api] {
            let answer = get(&stranger, &server, &format!("{path}{wrong}")).await;
            assert_eq!(answer.status(), 404, "{path}{wrong}");
        }
    }

    // Pictures from words are for whoever knows the address.
    let picture = server.paint("a boat").await;
    let path = format!("/jobs/{}", text(&picture["id"]));
    assert_eq!(get(&stranger, &server, &path).await.status(), 200);
    let url = format!("{}/api{path}/delete", server.url);
    assert_eq!(stranger.post(url).send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn a_photo_is_deleted_at_once() {
    let setup = Setup::new();
    let mut server = setup.start();
    server.client = server.visitor();
    let job = restored(&server).await;
    let image = text(&job["images"][0]["url"]);
    let served = server.get(image).send().await.unwrap();
    assert_eq!(served.headers()["cache-control"], "private, no-cache");
    assert_eq!(served.headers()["x-robots-tag"], "noindex");
    let etag = served.headers()["etag"].clone();
    let again = async || {
        let request = server.get(image).header("if-none-match", &etag);
        request.send().await.unwrap().status()
    };
    assert_eq!(again().await, 304);

    let path = format!("/api/jobs/{}/delete", text(&job["id"]));
    assert_eq!(location(&post_as_a_page(&server, &path).await), "/restore");
    assert_eq!(again().await, 404);
    let id = text(&job["id"]);
    for gone in [
        image,
        text(&job["original"]["url"]),
        &format!("/jobs/{id}"),
        &format!("/api/jobs/{id}"),
    ] {
        assert_eq!(server.get(gone).send().await.unwrap().status(), 404);
    }
    assert_eq!(blobs(&setup.data()), Vec::<String>::new());
    assert_eq!(post_as_a_page(&server, &path).await.status(), 404);
}

#[tokio::test]
async fn photos_are_forgotten_after_their_time_and_pictures_are_not() {
    let setup = Setup::with_file("limits = []\n[photos]\nkeep = '2s'");
    let server = setup.start();
    let picture = server.paint("a boat").await;
    let picture = server.succeeded(&picture).await;
    let job = restored(&server).await;
    let path = text(&job["url"]).to_owned();
    let started = Instant::now();
    while server.get(&path).send().await.unwrap().status() == 200 {
        assert!(started.elapsed() < PATIENCE, "the photo stays");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let gone = || blobs(&setup.data()).len() == 1;
    eventually("the photo's files are deleted", gone).await;
    server.picture(&picture).await;
    // The cache has forgotten it as well.
    let again = taken(server.restore(small()).await).await;
    assert_eq!(again["cache"], "miss");
}

/// A photo that lies on its side and says who is on it.
fn described() -> Vec<u8> {
    let exif = [
        &b"II*\0\x08\0\0\0\x02\0"[..],
        b"\x0E\x01\x02\0\x0C\0\0\0\x26\0\0\0",
        b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0",
        b"\0\0\0\0Grandmother\0",
    ];
    let mut file = Vec::new();
    let mut encoder = JpegEncoder::new(&mut file);
    encoder.set_exif_metadata(exif.concat()).unwrap();
    let photo = RgbImage::new(64, 48);
    photo.write_with_encoder(encoder).unwrap();
    file
}

/// The size of a downloaded file, and whether it says who is on it.
async fn opened(response: Response) -> ((u32, u32), bool) {
    let file = response.bytes().await.unwrap();
    let reader = image::ImageReader::new(std::io::Cursor::new(file)).with_guessed_format();
    let mut decoder = reader.unwrap().into_decoder().unwrap();
    let exif = decoder.exif_metadata().unwrap().unwrap_or_default();
    let described = exif.windows(11).any(|words| words == b"Grandmother");
    if described {
        assert_eq!(
            decoder.orientation().unwrap(),
            image::metadata::Orientation::NoTransforms
        );
    }
    (decoder.dimensions(), described)
}

#[tokio::test]
async fn a_download_has_the_name_and_for_its_owner_the_words_of_the_original() {
    let setup = Setup::new();
    let mut server = setup.start();
    let stranger = server.visitor();
    server.client = server.visitor();
    let part = Part::bytes(described()).file_name("../Großmutter \"1934\".jpeg");
    let order = server
        .post("/api/restorations")
        .multipart(Form::new().part("photo", part));
    let job = server
        .succeeded(&taken(order.send().await.unwrap()).await)
        .await;
    let id = text(&job["id"]);
    let address = format!("/jobs/{id}/download");
    let file = server.get(&address).send().await.unwrap();
    let name = file.headers()["content-disposition"].to_str().unwrap();
    assert_eq!(
        name,
        "attachment; filename=\"Gro_mutter 1934-restored.jpg\"; \
         filename*=UTF-8''Gro%C3%9Fmutter%201934-restored.jpg"
    );
    assert_eq!(opened(file).await, ((48, 64), true));
    let png = server
        .get(&format!("{address}?format=png"))
        .send()
        .await
        .unwrap();
    assert_eq!(png.headers()["content-type"], "image/png");
    assert_eq!(opened(png).await, ((48, 64), true));
    let bare = server
        .get(&format!("{address}?metadata=strip"))
        .send()
        .await
        .unwrap();
    assert!(!opened(bare).await.1);
    let wrong = server
        .get(&format!("{address}?format=bmp"))
        .send()
        .await
        .unwrap();
    assert_eq!(wrong.status(), 400);
    // What everybody with the address of the picture gets has none of it.
    let public = server
        .get(text(&job["images"][0]["url"]))
        .send()
        .await
        .unwrap();
    assert!(!opened(public).await.1);

    assert_eq!(get(&stranger, &server, &address).await.status(), 404);
    let link = server
        .post(&format!("/api/jobs/{id}/link"))
        .send()
        .await
        .unwrap();
    let link: Value = link.json().await.unwrap();
    let key = text(&link["url"]).rsplit_once("key=").unwrap().1;
    let given = get(&stranger, &server, &format!("{address}?key={key}")).await;
    assert_eq!(given.status(), 200);
    assert!(!opened(given).await.1);
}

#[tokio::test]
async fn what_its_owner_does_not_share_is_gone_for_others() {
    let setup = Setup::new();
    let mut server = setup.start();
    let stranger = server.visitor();
    server.client = server.visitor();
    let picture = server.succeeded(&server.paint("a lighthouse").await).await;
    let photo = taken(server.restore(small()).await).await;
    let photo = server.succeeded(&photo).await;
    let (picture, photo) = (text(&picture["id"]), text(&photo["id"]));
    let tell = async |id: &str, what: &str, client: &Client| {
        let url = format!("{}/api/jobs/{id}/{what}", server.url);
        client.post(url).send().await.unwrap()
    };
    let link = tell(photo, "link", &server.client).await;
    let link: Value = link.json().await.unwrap();
    for (id, page, refused) in [
        (picture, format!("/jobs/{picture}"), 403),
        (photo, text(&link["url"]).to_owned(), 404),
    ] {
        assert_eq!(get(&stranger, &server, &page).await.status(), 200);
        assert_eq!(tell(id, "unshare", &stranger).await.status(), refused);
        assert_eq!(tell(id, "unshare", &server.client).await.status(), 204);
        assert_eq!(get(&stranger, &server, &page).await.status(), 404, "{page}");
        let api = format!("/api{page}");
        assert_eq!(get(&stranger, &server, &api).await.status(), 404, "{api}");
        let own = server.get(&page).send().await.unwrap();
        assert_eq!(
            (own.status().as_u16(), &own.headers()["x-robots-tag"]),
            (200, &"noindex".parse().unwrap())
        );
        assert_eq!(tell(id, "share", &server.client).await.status(), 204);
        assert_eq!(get(&stranger, &server, &page).await.status(), 200);
    }
    assert_eq!(
        tell("nothing", "unshare", &server.client).await.status(),
        404
    );
}
