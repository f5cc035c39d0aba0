//! What Google wants for a token: a statement that the service account has signed (RFC 7523).
//! <https://developers.google.com/identity/protocols/oauth2/service-account>

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde::Deserialize;
use serde_json::{Value, json};
use url::{Url, form_urlencoded::Serializer};

use super::ApiKey;

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// How long a statement is valid, in seconds: the longest that is taken.
const LIFE: u64 = 3600;

/// The file of a service account.
#[derive(Deserialize)]
struct File {
    client_email: String,
    private_key: String,
    #[serde(default)]
    private_key_id: Option<String>,
    token_uri: Url,
}

/// A service account.
pub(in crate::upstream) struct Account {
    email: String,
    key: RsaKeyPair,
    key_id: Option<String>,
    /// To whom its statements are made.
    audience: String,
}

impl Account {
    /// Reads the content of its file; also returns where tokens are asked for. The error says
    /// what is wrong, and holds nothing of the content.
    pub(in crate::upstream) fn read(file: &ApiKey) -> Result<(Self, Url), &'static str> {
        let file: File = serde_json::from_str(file.as_str())
            .map_err(|_| "are no JSON with client_email, private_key and token_uri")?;
        let der = der(&file.private_key).ok_or("have a private_key that is no PEM")?;
        let key =
            RsaKeyPair::from_pkcs8(&der).map_err(|_| "have a private_key that is no RSA key")?;
        let account = Self {
            email: file.client_email,
            key,
            key_id: file.private_key_id,
            audience: file.token_uri.as_str().to_owned(),
        };
        Ok((account, file.token_uri))
    }

    pub(super) fn form(&self, now: SystemTime) -> String {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", GRANT);
        form.append_pair("assertion", &self.statement(now));
        form.finish()
    }

    /// A JSON Web Token, signed by RS256 (RFC 7518, 3.3); empty if no signature can be made.
    fn statement(&self, now: SystemTime) -> String {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut head = json!({ "alg": "RS256", "typ": "JWT" });
        if let Some(id) = &self.key_id {
            head["kid"] = id.as_str().into();
        }
        let claims = json!({
            "iss": self.email, "scope": SCOPE, "aud": self.audience,
            "iat": now, "exp": now + LIFE,
        });
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&head), encode(&claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        let random = SystemRandom::new();
        let made = self.key.sign(
            &RSA_PKCS1_SHA256,
            &random,
            signed.as_bytes(),
            &mut signature,
        );
        match made {
            Ok(()) => format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)),
            Err(_) => String::new(),
        }
    }
}

/// The content of a PEM, which is the lines between the first and the last.
fn der(pem: &str) -> Option<Vec<u8>> {
    let lines = pem.lines().map(str::trim);
    let content = lines.filter(|line| !line.is_empty() && !line.starts_with("-----"));
    STANDARD.decode(content.collect::<String>()).ok()
}
