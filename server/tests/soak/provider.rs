//! A stand-in for OpenAI's images API that fails one call in five. It speaks
//! HTTP by hand: no library would send half an answer or reset a connection.

use std::{
    io::Cursor,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use fastrand::Rng;
use image::{DynamicImage, GenericImageView as _, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};

use crate::{
    ledger::{End, Ledger, Way},
    settings::{TIMEOUT, is_doomed},
};

pub(crate) const KEY: &str = "sk-soak";

/// One call in so many fails.
const FAILING: u32 = 5;

/// Longer than any client may wait.
const FOR_EVER: Duration = Duration::from_secs(60);

#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) url: String,
    ledger: Arc<Ledger>,
    rng: Arc<Mutex<Rng>>,
}

/// What is done with a call.
struct Plan {
    failure: Option<Way>,
    delay: Duration,
    /// Chooses among the variants of a failure.
    variant: u32,
}

struct Request {
    by: String,
    prompt: String,
}

impl Provider {
    pub(crate) async fn start(seed: u64, ledger: &Arc<Ledger>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            ledger: Arc::clone(ledger),
            rng: Arc::new(Mutex::new(Rng::with_seed(seed))),
        };
        tokio::spawn(provider.clone().listen(listener));
        provider
    }

    async fn listen(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let provider = self.clone();
            tokio::spawn(async move { provider.serve(stream, Instant::now()).await });
        }
    }

    async fn serve(self, mut stream: TcpStream, began: Instant) {
        // Who leaves before having asked has made no call.
        let Some((head, body)) = receive(&mut stream).await else {
            return;
        };
        match check(&head, &body) {
            Ok(request) => self.answer(stream, request, began).await,
            Err(fault) => {
                self.ledger
                    .fault(format!("the images API refuses this: {fault}"));
                let _ = stream.write_all(&error(400, "", &fault)).await;
            }
        }
    }

    async fn answer(&self, mut stream: TcpStream, request: Request, began: Instant) {
        let plan = self.plan(&request.prompt);
        let number = self.ledger.call(request.prompt, request.by, began);
        if leaves(&mut stream, plan.delay).await {
            return self.ledger.end(number, End::Cut);
        }
        let end = match plan.failure {
            None if stream.write_all(&success(number)).await.is_ok() => End::Picture,
            None => End::Cut,
            Some(Way::Hang) => self.hang(&mut stream, began).await,
            Some(way) => {
                fail(stream, way, plan.variant, number).await;
                End::Failed(way)
            }
        };
        self.ledger.end(number, end);
    }

    fn plan(&self, prompt: &str) -> Plan {
        let mut rng = self.rng.lock().unwrap();
        let fails = rng.u32(..FAILING) == 0 || is_doomed(prompt);
        let way = rng.choice(Way::ALL);
        Plan {
            failure: way.filter(|_| fails),
            delay: Duration::from_millis(rng.u64(50..1000)),
            variant: rng.u32(..),
        }
    }

    /// A hang ends when the client's patience does, or when it dies before.
    async fn hang(&self, stream: &mut TcpStream, began: Instant) -> End {
        if !leaves(stream, FOR_EVER).await {
            self.ledger
                .fault("a call without an answer was never given up");
        }
        // The client's clock was started a little earlier.
        if began.elapsed() < TIMEOUT * 9 / 10 {
            End::Cut
        } else {
            End::Failed(Way::Hang)
        }
    }
}

/// Whether the client goes away within this time.
pub(crate) async fn leaves(stream: &mut TcpStream, within: Duration) -> bool {
    let mut nothing = [0; 16];
    tokio::select! {
        () = sleep(within) => false,
        read = stream.read(&mut nothing) => !read.is_ok_and(|bytes| bytes > 0),
    }
}

/// The head and the body of a request that arrived in full.
pub(crate) async fn receive(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length: usize = field(&head, "content-length")?.parse().ok()?;
            let body = &bytes[end + 4..];
            if body.len() >= length {
                return Some((head, body.to_vec()));
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// The value of a field in a head of lower-case letters.
pub(crate) fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    fields
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

/// As strict as the real one about what the studio sends for a picture.
fn check(head: &str, body: &[u8]) -> Result<Request, String> {
    let target = head.split(' ').nth(1).unwrap_or_default();
    let by = target.strip_suffix("/v1/images/generations");
    let by = by
        .filter(|_| head.starts_with("post "))
        .ok_or("the address")?;
    if field(head, "authorization") != Some(&format!("bearer {KEY}")) {
        return Err("the key".into());
    }
    let body: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let known = [
        "prompt",
        "model",
        "n",
        "size",
        "quality",
        "stream",
        "partial_images",
    ];
    let fields = body.as_object().ok_or("no object")?;
    if let Some(unknown) = fields.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("the field {unknown:?}"));
    }
    if body["n"] != 1 || body["model"].as_str().is_none_or(str::is_empty) {
        return Err("n or model".into());
    }
    let prompt = body["prompt"].as_str().ok_or("the prompt")?;
    Ok(Request {
        by: by.trim_start_matches('/').into(),
        prompt: prompt.into(),
    })
}

async fn fail(mut stream: TcpStream, way: Way, variant: u32, number: usize) {
    let picture = success(number);
    let bytes = match way {
        Way::Busy => error(429, &pause(variant), "slow down"),
        Way::Broken => error([500, 502, 503, 529][variant as usize % 4], "", "trouble"),
        Way::Garbage => garbage(variant),
        // Anything from a part of the head to all but the last byte.
        Way::Half => picture[..1 + variant as usize % (picture.len() - 1)].to_vec(),
        Way::Reset => picture[..variant as usize % 2 * 200].to_vec(),
        Way::Hang => Vec::new(),
    };
    // Whether it arrives is the client's affair.
    let _ = stream.write_all(&bytes).await;
    if way == Way::Reset {
        stream.set_zero_linger().unwrap();
    }
}

/// Both forms of `Retry-After`, and OpenAI's own.
fn pause(variant: u32) -> String {
    let soon = SystemTime::now() + Duration::from_secs(1);
    match variant % 4 {
        0 => "retry-after: 0\r\n".into(),
        1 => "retry-after: 1\r\n".into(),
        2 => format!("retry-after: {}\r\n", httpdate::fmt_http_date(soon)),
        _ => "retry-after-ms: 250\r\n".into(),
    }
}

fn garbage(variant: u32) -> Vec<u8> {
    match variant % 5 {
        0 => b"\x16\x03\x01 this is not HTTP\r\n\r\n".to_vec(),
        1 => response("200 OK", "", "<html>a proxy's page</html>"),
        2 => response("200 OK", "", r#"{"created":1,"data":[]}"#),
        3 => response("200 OK", "", r#"{"created":1,"data":[{"b64_json":"!"}]}"#),
        _ => response(
            "200 OK",
            "",
            r#"{"created":1,"data":[{"b64_json":"bm8gcGljdHVyZQ=="}]}"#,
        ),
    }
}

fn error(status: u16, fields: &str, message: &str) -> Vec<u8> {
    let body = json!({ "error": { "message": message, "type": "soak", "code": null } });
    response(&format!("{status} So it is"), fields, &body.to_string())
}

fn success(number: usize) -> Vec<u8> {
    let usage = json!({ "input_tokens": 20, "output_tokens": 1000, "total_tokens": 1020 });
    let picture = json!({ "b64_json": BASE64.encode(picture(number)) });
    let body = json!({ "created": 1, "data": [picture], "usage": usage });
    response("200 OK", "", &body.to_string())
}

fn response(status: &str, fields: &str, body: &str) -> Vec<u8> {
    let (length, date) = (body.len(), httpdate::fmt_http_date(SystemTime::now()));
    format!(
        "HTTP/1.1 {status}\r\ndate: {date}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\nx-request-id: req_soak\r\n{fields}\r\n{body}"
    )
    .into_bytes()
}

/// A picture that says which call it answers.
fn picture(number: usize) -> Vec<u8> {
    let [_, r, g, b] = u32::try_from(number).unwrap().to_be_bytes();
    let picture = RgbImage::from_pixel(8, 8, Rgb([r, g, b]));
    let mut bytes = Cursor::new(Vec::new());
    let picture = DynamicImage::ImageRgb8(picture);
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// The number of the call that this picture answers.
pub(crate) fn number(picture: &[u8]) -> Option<usize> {
    let [r, g, b, _] = image::load_from_memory(picture).ok()?.get_pixel(3, 3).0;
    usize::try_from(u32::from_be_bytes([0, r, g, b])).ok()
}
