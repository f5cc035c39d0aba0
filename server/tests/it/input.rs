//! What nobody should send, and what happens when they do: a clear answer, a
//! bounded server, and nothing left behind.

mod problems;
mod words;
mod photos;
mod photo_forms;
mod hostile;
mod pictures;
mod jobs;
mod callbacks;
mod limits;
mod start;

use reqwest::{RequestBuilder, Response};

use crate::support::{Atelier, OpenAi, Setup};

/// A server with limits off and pictures from the stand-in; keep all three.
async fn studio() -> (Setup, OpenAi, Atelier) {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::new().openai(&openai);
    let server = setup.start();
    (setup, openai, server)
}

/// What a browser without JavaScript sends with its forms.
pub(crate) fn by_browser(request: RequestBuilder) -> RequestBuilder {
    request.header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
}

/// A form as a browser without JavaScript sends it.
async fn fill_in(server: &Atelier, fields: &[(&str, &str)]) -> Response {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let request = by_browser(server.post("/api/images"));
    request
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await
        .unwrap()
}

/// The status and text of a page.
pub(crate) async fn page(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    assert_eq!(
        response.headers()["content-type"],
        "text/html; charset=utf-8"
    );
    assert!(response.headers().contains_key("content-security-policy"));
    (status, response.text().await.unwrap())
}
