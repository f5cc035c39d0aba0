//! Photos take memory and time to decode; that must not be spent for nothing,
//! nor at others' expense.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use image::{ImageFormat, RgbImage};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::support::{
    Atelier, OpenAi, PATIENCE, Setup, blobs, encode, form, photo, problem, taken, text,
};

/// One photo, one order.
const NOTHING_LEFT: &str = "
    [[limits]]
    name = 'photos'
    scope = 'ip'
    unit = 'images'
    algorithm = 'fixed_window'
    quota = 1
    window = '365d'
    actions = ['restoration']
";

async fn studio(file: &str) -> (Setup, OpenAi, Atelier) {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::with_file(file).openai(&openai);
    let server = setup.start();
    (setup, openai, server)
}

/// Large enough to take a while.
fn large() -> Vec<u8> {
    let photo = RgbImage::from_fn(5000, 4000, |x, y| {
        let wave = |n: u32| (n % 251) as u8;
        image::Rgb([wave(x), wave(y), wave(x ^ y)])
    });
    encode(&photo.into(), ImageFormat::Jpeg)
}

async fn connect(server: &Atelier) -> TcpStream {
    let address = server.url.trim_start_matches("http://");
    TcpStream::connect(address).await.unwrap()
}

fn head(length: usize) -> String {
    format!(
        "POST /api/restorations HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\
         content-type: multipart/form-data; boundary=b\r\n\r\n"
    )
}

/// Reads until `words` have come.
async fn heard(socket: &mut TcpStream, words: &str) -> String {
    let mut said = String::new();
    let hear = async {
        while !said.contains(words) {
            let mut bytes = [0; 4096];
            let read = socket.read(&mut bytes).await.unwrap();
            assert!(read > 0, "closed after {said:?}");
            said += &String::from_utf8_lossy(&bytes[..read]);
        }
    };
    timeout(PATIENCE, hear).await.expect("an answer");
    said
}

#[tokio::test]
async fn who_has_no_photos_left_is_refused_before_the_body_is_sent() {
    let (_setup, _openai, server) = studio(NOTHING_LEFT).await;
    taken(server.restore(photo(40, 30, ImageFormat::Png)).await).await;
    let mut socket = connect(&server).await;
    let length = 3_000_000;
    socket.write_all(head(length).as_bytes()).await.unwrap();
    let said = heard(&mut socket, "violated-policies").await;
    assert!(said.starts_with("HTTP/1.1 429"), "{said}");
    assert!(said.contains("retry-after"), "{said}");
    // Who sends everything before listening can go on with the connection.
    socket.write_all(&vec![b'x'; length]).await.unwrap();
    let next = b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n";
    socket.write_all(next).await.unwrap();
    heard(&mut socket, "200 OK").await;
    // And hears the answer, as browsers do.
    let (status, _) = problem(server.restore(vec![b'x'; 20_000_000]).await).await;
    assert_eq!(status, 429);
}

#[tokio::test]
async fn uploads_whose_clients_hang_up_do_not_pile_up() {
    let (_setup, _openai, server) = studio("limits = []").await;
    taken(server.restore(photo(40, 30, ImageFormat::Jpeg)).await).await;
    let (file, before) = (large(), server.peak_memory());
    let body = [
        b"--b\r\ncontent-disposition: form-data; name=\"photo\"; filename=\"a.jpg\"\r\n\r\n",
        &file[..],
        b"\r\n--b--\r\n",
    ]
    .concat();
    for _ in 0..30 {
        let mut socket = connect(&server).await;
        socket.write_all(head(body.len()).as_bytes()).await.unwrap();
        socket.write_all(&body).await.unwrap();
        drop(socket);
    }
    taken(server.restore(photo(30, 40, ImageFormat::Jpeg)).await).await;
    let grown = server.peak_memory() - before;
    assert!(grown < 500_000_000, "{} MB", grown / 1_000_000);
}

/// Half of a photo, which is found out only when that has been decoded. Its file
/// is small, so that sending it takes no time.
fn cut_off() -> Vec<u8> {
    let plain = RgbImage::from_pixel(7000, 7000, image::Rgb([120, 110, 100]));
    let mut file = encode(&plain.into(), ImageFormat::Png);
    file.truncate(file.len() / 2);
    file
}

/// Three orders of whatever kind.
const THREE_REQUESTS: &str = "
    [[limits]]
    name = 'requests'
    scope = 'ip'
    unit = 'requests'
    algorithm = 'fixed_window'
    quota = 3
    window = '365d'
";

#[tokio::test]
async fn photos_that_are_decoded_and_refused_are_requests() {
    let (_setup, openai, server) = studio(THREE_REQUESTS).await;
    let mut bad = photo(400, 300, ImageFormat::Jpeg);
    bad.truncate(bad.len() / 2);
    let mut refusals = Vec::new();
    for file in [
        bad.clone(),
        b"no photo".to_vec(),
        bad.clone(),
        bad.clone(),
        bad,
    ] {
        refusals.push(problem(server.restore(file).await).await.0);
    }
    assert_eq!(refusals, [422, 415, 422, 429, 429]);
    let limits: Value = server.json("/api/limits").await;
    assert_eq!(limits["limits"][0]["remaining"], 0.0, "{limits}");
    assert!(openai.calls().is_empty());
}

/// However many are sent at once.
#[tokio::test]
async fn no_more_photos_are_decoded_than_there_are_requests() {
    let (_setup, _openai, server) = studio(THREE_REQUESTS).await;
    let file = cut_off();
    let uploads = (0..8).map(|_| async {
        let answer = server.restore(file.clone()).await;
        problem(answer).await.0
    });
    let mut refusals = futures::future::join_all(uploads).await;
    refusals.sort_unstable();
    assert_eq!(refusals, [422, 422, 422, 429, 429, 429, 429, 429]);
}

#[tokio::test]
async fn one_callers_bad_photos_do_not_keep_another_waiting() {
    const FLOOD: usize = 20;
    let (_setup, _openai, server) = studio("limits = []").await;
    let (file, refused) = (cut_off(), Arc::new(AtomicUsize::new(0)));
    let flood: Vec<_> = (0..FLOOD)
        .map(|_| {
            let upload = server
                .post("/api/restorations")
                .multipart(form(file.clone()));
            let refused = Arc::clone(&refused);
            tokio::spawn(async move {
                assert_eq!(problem(upload.send().await.unwrap()).await.0, 422);
                refused.fetch_add(1, Ordering::SeqCst);
            })
        })
        .collect();
    let so_far = || refused.load(Ordering::SeqCst);
    let elsewhere = reqwest::Client::builder()
        .no_proxy()
        .local_address(std::net::IpAddr::from([127, 0, 0, 2]));
    for other in [server.visitor(), elsewhere.build().unwrap()] {
        let one_more = so_far() + 1;
        while so_far() < one_more {
            tokio::task::yield_now().await;
        }
        let before = so_far();
        let upload = other.post(format!("{}/api/restorations", server.url));
        let upload = upload.multipart(form(photo(40, 30, ImageFormat::Png)));
        taken(upload.send().await.unwrap()).await;
        // The one being decoded, one that has its turn already, and answers on their way.
        assert!(so_far() <= before + 6, "{before} before, then {}", so_far());
    }
    for upload in flood {
        upload.abort();
    }
}

#[tokio::test]
async fn small_copies_do_not_wait_for_uploads() {
    let (_setup, _openai, server) = studio("limits = []").await;
    let job = server.succeeded(&server.paint("a boat").await).await;
    let picture = format!("{}?width=320", text(&job["images"][0]["url"]));
    let (file, decoded) = (large(), Arc::new(AtomicUsize::new(0)));
    let uploads: Vec<_> = (0..8)
        .map(|_| {
            let upload = server
                .post("/api/restorations")
                .multipart(form(file.clone()));
            let decoded = Arc::clone(&decoded);
            tokio::spawn(async move {
                taken(upload.send().await.unwrap()).await;
                decoded.fetch_add(1, Ordering::SeqCst);
            })
        })
        .collect();
    // Once the first has been decoded, others wait in line.
    while decoded.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let copy = server.get(&picture).send().await.unwrap();
    assert_eq!(copy.headers()["content-type"], "image/webp");
    assert!(decoded.load(Ordering::SeqCst) < 8, "it waited for all");
    for upload in uploads {
        upload.abort();
    }
}

fn whole(setup: &Setup) -> Vec<String> {
    let mut copies = blobs(&setup.data());
    copies.retain(|name| name.contains(".whole."));
    copies
}

#[tokio::test]
async fn a_download_in_another_format_is_made_once_and_goes_with_the_picture() {
    let (setup, _openai, server) = studio("limits = []").await;
    let painted = server.succeeded(&server.paint("a boat").await).await;
    let restored = taken(server.restore(photo(40, 30, ImageFormat::Png)).await).await;
    let restored = server.succeeded(&restored).await;
    for (job, format, copies) in [
        (&painted, "jpeg", 1),
        (&restored, "png", 2),
        (&restored, "jpeg", 3),
    ] {
        let path = format!("/jobs/{}/download?format={format}", text(&job["id"]));
        let first = bytes(&server, &path).await;
        let kept = whole(&setup);
        assert_eq!(kept.len(), copies, "{kept:?}");
        assert_eq!(bytes(&server, &path).await, first);
        assert_eq!(whole(&setup), kept);
    }
    for job in [&painted, &restored] {
        let path = format!("/api/jobs/{}", text(&job["id"]));
        server.delete(&path).send().await.unwrap();
    }
    assert_eq!(whole(&setup), Vec::<String>::new());
}

async fn bytes(server: &Atelier, path: &str) -> Vec<u8> {
    let answer = server.get(path).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.bytes().await.unwrap().to_vec()
}

/// Copies are made under the picture's name, so nobody guesses them either.
#[tokio::test]
async fn a_kept_copy_has_no_address_of_its_own() {
    let (setup, _openai, server) = studio("limits = []").await;
    let job: Value = server.succeeded(&server.paint("a boat").await).await;
    let path = format!("/jobs/{}/download?format=jpeg", text(&job["id"]));
    bytes(&server, &path).await;
    for copy in whole(&setup) {
        let answer = server.get(&format!("/images/{copy}")).send().await.unwrap();
        assert_eq!(answer.status(), 404);
    }
}
