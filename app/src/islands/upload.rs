//! Sends a form with files: says how much of it has been sent, can be cancelled, and sends it again once a lost
//! connection is back.

use std::cell::{Cell, RefCell};

use js_sys::{Math, Number, Promise};
use leptos::web_sys::Element;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, FormData, ProgressEvent, XmlHttpRequest, XmlHttpRequestResponseType};

use crate::{
    browser::{JobJson, attribute, document, find, message, set, sleep, tell, window},
    texts::Message,
};

/// What is smaller is there at once, bytes.
const WORTH_TELLING: f64 = 16_384.0;

/// Tries, until a few minutes have passed.
const TRIES: u32 = 14;

thread_local! {
    /// The upload under way: a form sends one at a time.
    static REQUEST: RefCell<Option<XmlHttpRequest>> = const { RefCell::new(None) };
    static CANCELLED: Cell<bool> = const { Cell::new(false) };
}

/// What became of an upload.
pub(super) enum Sent {
    /// An answer with success or without, a job or a problem.
    Answered(bool, JobJson),
    /// None that can be read.
    Lost,
    Cancelled,
}

/// Which of how many files.
pub(super) struct Part {
    pub(super) place: usize,
    pub(super) of: usize,
}

/// Begins with a form that has files.
pub(super) fn begin(form: &Element) {
    CANCELLED.set(false);
    // Kept for the next attempt: what has arrived already is not made twice.
    if !form.has_attribute("data-order") {
        let random = Number::from(Math::random()).to_string_with_radix(36).ok();
        let name = random.and_then(|text| text.as_string()).unwrap_or_default();
        set(form, "data-order", &name);
    }
}

/// Ends: what is sent from now on is another order, unless something could not be sent.
pub(super) fn end(form: &Element, complete: bool) {
    show_cancel(form, false);
    if complete {
        let _ = form.remove_attribute("data-order");
    }
}

pub(super) fn cancel() {
    CANCELLED.set(true);
    if let Some(request) = REQUEST.take() {
        let _ = request.abort();
    }
}

pub(super) fn is_cancelled() -> bool {
    CANCELLED.get()
}

/// Sends a form until there is an answer, a few minutes have passed or the visitor cancels.
pub(super) async fn send(form: &Element, data: &FormData, files: &[File], part: &Part) -> Sent {
    let name = name(form, files);
    for tries in 0..TRIES {
        match attempt(form, data, &name, part).await {
            Sent::Lost => {}
            sent => {
                tell(form, "[data-alert]", "");
                return sent;
            }
        }
        tell(form, "[data-alert]", &message(Message::Resuming, &[]));
        wait(500 << tries.min(6)).await;
        if is_cancelled() {
            return Sent::Cancelled;
        }
    }
    Sent::Lost
}

/// Waits for some time, and for a connection.
async fn wait(milliseconds: i32) {
    const STEP: i32 = 250;
    let mut left = milliseconds;
    while (left > 0 || !window().navigator().on_line()) && !is_cancelled() {
        sleep(STEP).await;
        left -= STEP;
    }
}

/// Names the order of files, the same for every attempt.
fn name(form: &Element, files: &[File]) -> String {
    let mut name = attribute(form, "data-order");
    for number in (files.iter()).flat_map(|file| [file.size(), file.last_modified()]) {
        name += "-";
        name += &(number as u64).to_string();
    }
    name
}

async fn attempt(form: &Element, data: &FormData, name: &str, part: &Part) -> Sent {
    let Ok(request) = XmlHttpRequest::new() else {
        return Sent::Lost;
    };
    let (shown, place, of) = (form.clone(), part.place as f64, part.of as f64);
    let progress = Closure::<dyn FnMut(ProgressEvent)>::new(move |event: ProgressEvent| {
        let sent = event.loaded() / event.total().max(1.0);
        if event.total() > WORTH_TELLING {
            show_progress(&shown, ((place + sent) / of * 100.0) as u32);
        }
        // What has arrived is a job, which is cancelled by its own button.
        show_cancel(&shown, sent < 1.0);
    });
    if let Ok(upload) = request.upload() {
        upload.set_onprogress(Some(progress.as_ref().unchecked_ref()));
    }
    show_cancel(form, true);
    REQUEST.replace(Some(request.clone()));
    let ended = Promise::new(&mut |done, _| {
        request.set_onloadend(Some(&done));
        if open(&request, form, name)
            .and_then(|()| request.send_with_opt_form_data(Some(data)))
            .is_err()
        {
            let _ = done.call0(&JsValue::NULL);
        }
    });
    let _ = JsFuture::from(ended).await;
    REQUEST.replace(None);
    show_cancel(form, false);
    let status = request.status().unwrap_or(0);
    match request.response() {
        _ if is_cancelled() && status == 0 => Sent::Cancelled,
        Ok(json) if status != 0 && json.is_object() => {
            Sent::Answered(matches!(status, 200..300), json.unchecked_into())
        }
        _ => Sent::Lost,
    }
}

fn open(request: &XmlHttpRequest, form: &Element, name: &str) -> Result<(), JsValue> {
    request.open("POST", &attribute(form, "action"))?;
    request.set_response_type(XmlHttpRequestResponseType::Json);
    request.set_request_header("Accept", "application/json")?;
    request.set_request_header("Idempotency-Key", name)?;
    let language = document().document_element();
    let language = language
        .map(|root| attribute(&root, "lang"))
        .unwrap_or_default();
    request.set_request_header("X-Atelier-Language", &language)
}

fn show_progress(form: &Element, percent: u32) {
    if let Some(button) = find(form, "[type=submit]") {
        let mut text = attribute(&button, "data-busy");
        text += " ";
        text += &percent.to_string();
        text += "\u{a0}%";
        button.set_text_content(Some(&text));
    }
}

fn show_cancel(form: &Element, shown: bool) {
    if let Some(button) = find(form, "[data-abort]") {
        let _ = button.toggle_attribute_with_force("hidden", !shown);
    }
}
