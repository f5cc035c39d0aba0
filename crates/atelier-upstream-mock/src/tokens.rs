//! Whoever gives tokens for keys: IBM's IAM and Google's OAuth server.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::{KEY, Kind, call::Call, refusal::Refusal, reply::Reply, route::Answer, upstream::lock};

/// The key of the account, which opens nothing but this stand-in.
const PEM: &str = include_str!("manner/service-account.pem");

/// Whose account it is.
const EMAIL: &str = "atelier@ours.iam.gserviceaccount.com";

/// For whom Google's own clients sign, wherever they send it.
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";

/// How far the caller's clock may be off, in seconds.
const SKEW: u64 = 300;

/// The tokens that were given.
#[derive(Default)]
pub(crate) struct Tokens {
    given: AtomicU64,
    valid: Mutex<Option<String>>,
    /// In seconds; an hour if it is 0.
    life: AtomicU64,
}

impl Tokens {
    /// How many there were.
    pub(crate) fn given(&self) -> u64 {
        self.given.load(Ordering::Acquire)
    }

    /// The last one, if it is valid.
    pub(crate) fn current(&self) -> Option<String> {
        lock(&self.valid).clone()
    }

    pub(crate) fn is_valid(&self, token: &str) -> bool {
        self.current().as_deref() == Some(token)
    }

    pub(crate) fn revoke(&self) {
        lock(&self.valid).take();
    }

    pub(crate) fn live(&self, seconds: u64) {
        self.life.store(seconds, Ordering::Release);
    }

    /// Gives a token, if that is what is asked for.
    pub(crate) fn answer(&self, kind: Kind, call: &Call) -> Option<Answer> {
        is_asked(kind, call).then(|| self.give(kind, call))
    }

    fn give(&self, kind: Kind, call: &Call) -> Answer {
        let form: HashMap<String, String> = url::form_urlencoded::parse(&call.body)
            .into_owned()
            .collect();
        let of = |name: &str| form.get(name).map_or("", String::as_str);
        let is_right = match kind {
            Kind::Vertex => {
                of("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer"
                    && is_signed(of("assertion"), call)
            }
            _ => {
                of("grant_type") == "urn:ibm:params:oauth:grant-type:apikey" && of("apikey") == KEY
            }
        };
        if !is_right {
            return Err(Refusal::bad("The key is not known."));
        }
        let number = self.given.fetch_add(1, Ordering::AcqRel) + 1;
        let life = match self.life.load(Ordering::Acquire) {
            0 => 3600,
            life => life,
        };
        let ends = now() + life;
        let mut token = format!("token-{number}-of-the-upstream");
        if kind != Kind::Vertex {
            token = readable(&token, ends);
        }
        *lock(&self.valid) = Some(token.clone());
        let mut given = json!({
            "access_token": token, "expires_in": life, "token_type": "Bearer",
        });
        if kind != Kind::Vertex {
            given["expiration"] = ends.into();
            given["refresh_token"] = "not_supported".into();
        }
        Ok(Reply::Json(given))
    }
}

/// IBM's clients read in a token when it ends.
fn readable(token: &str, ends: u64) -> String {
    let written = |part: Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let head = written(json!({"alg": "RS256", "typ": "JWT"}));
    let claims = json!({"iss": "https://iam.cloud.ibm.com/identity", "sub": token, "exp": ends});
    format!("{head}.{}.{token}", written(claims))
}

/// Seconds since 1970.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_secs()
}

/// Whether a token is asked for.
fn is_asked(kind: Kind, call: &Call) -> bool {
    match kind {
        Kind::Watsonx | Kind::WatsonxGateway => call.path() == "/identity/token",
        Kind::Vertex => call.path() == "/token",
        _ => false,
    }
}

/// How it is said that there is none, if one is asked for.
pub(crate) fn refusal(kind: Kind, call: &Call, message: &str) -> Option<Value> {
    is_asked(kind, call).then(|| match kind {
        Kind::Vertex => json!({"error": "invalid_grant", "error_description": message}),
        _ => json!({"errorCode": "BXNIM0415E", "errorMessage": message, "context": {}}),
    })
}

/// The file of the account, for a stand-in at this address.
pub(crate) fn service_account(address: &str) -> String {
    json!({
        "type": "service_account", "client_email": EMAIL, "private_key": PEM,
        "private_key_id": "key-1", "token_uri": format!("{address}/token"),
    })
    .to_string()
}

/// Whether the account has signed the statement, and it says what it should.
fn is_signed(statement: &str, call: &Call) -> bool {
    let Some((signed, signature)) = statement.rsplit_once('.') else {
        return false;
    };
    let lines = PEM.lines().filter(|line| !line.starts_with('-'));
    let key = STANDARD.decode(lines.collect::<String>()).ok();
    let key = key.and_then(|der| RsaKeyPair::from_pkcs8(&der).ok());
    let (Some(key), Ok(signature)) = (key, URL_SAFE_NO_PAD.decode(signature)) else {
        return false;
    };
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public());
    let read = |part: Option<&str>| -> Value {
        let bytes = URL_SAFE_NO_PAD.decode(part.unwrap_or_default());
        serde_json::from_slice(&bytes.unwrap_or_default()).unwrap_or_default()
    };
    let mut parts = signed.split('.');
    let (head, claims) = (read(parts.next()), read(parts.next()));
    let (from, to) = (claims["iat"].as_u64(), claims["exp"].as_u64());
    let (Some(from), Some(to)) = (from, to) else {
        return false;
    };
    let audience = format!("http://{}/token", call.header("host").unwrap_or_default());
    public.verify(signed.as_bytes(), &signature).is_ok()
        && head["alg"] == "RS256"
        && claims["iss"] == EMAIL
        && [audience.as_str(), AUDIENCE].contains(&claims["aud"].as_str().unwrap_or_default())
        && claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"
        && from.abs_diff(now()) <= SKEW
        && to.saturating_sub(from) <= 3600
}
