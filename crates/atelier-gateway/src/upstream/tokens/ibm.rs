//! What IBM's IAM wants for a token.
//! <https://cloud.ibm.com/docs/iam?topic=iam-iamtoken_from_apikey>

use url::form_urlencoded::Serializer;

use super::ApiKey;

/// Where it is asked for.
pub(in crate::upstream) const URL: &str = "https://iam.cloud.ibm.com/identity/token";

pub(super) fn form(key: &ApiKey) -> String {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "urn:ibm:params:oauth:grant-type:apikey");
    form.append_pair("apikey", key.as_str());
    form.finish()
}
