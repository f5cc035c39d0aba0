//! The bindings to the browser, kept small because every byte is downloaded.
//!
//! JSON is read through getters on the object that JavaScript parsed.

use js_sys::{Date, Promise};
use wasm_bindgen::{JsCast, JsValue, UnwrapThrowExt, closure::Closure, prelude::wasm_bindgen};
use web_sys::{
    DataTransfer, Document, DomParser, Element, Event, EventInit, EventTarget, File, HtmlElement,
    HtmlInputElement, MouseEvent, SupportedType, UiEvent, Window,
};

use crate::texts::Message;

#[wasm_bindgen]
extern "C" {
    /// The second argument of `fetch`.
    #[wasm_bindgen(js_name = Object)]
    pub type Init;
    #[wasm_bindgen(constructor, js_class = "Object")]
    pub fn new() -> Init;
    #[wasm_bindgen(method, setter)]
    pub fn set_method(this: &Init, method: &str);
    #[wasm_bindgen(method, setter)]
    pub fn set_body(this: &Init, body: &JsValue);
    #[wasm_bindgen(method, setter)]
    pub fn set_headers(this: &Init, headers: &JsValue);

    #[wasm_bindgen(js_name = Object)]
    pub type Headers;
    #[wasm_bindgen(constructor, js_class = "Object")]
    pub fn new() -> Headers;
    #[wasm_bindgen(method, setter, js_name = "Accept")]
    fn set_accept(this: &Headers, value: &str);
    #[wasm_bindgen(method, setter, js_name = "X-Atelier-Language")]
    fn set_language(this: &Headers, value: &str);
    #[wasm_bindgen(method, setter, js_name = "Content-Type")]
    pub fn set_content_type(this: &Headers, value: &str);

    /// A response.
    pub type Reply;
    #[wasm_bindgen(method, getter)]
    pub fn ok(this: &Reply) -> bool;
    #[wasm_bindgen(method, getter)]
    pub fn status(this: &Reply) -> u16;
    #[wasm_bindgen(method, catch)]
    async fn json(this: &Reply) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    async fn text(this: &Reply) -> Result<JsValue, JsValue>;

    /// A number in digits: formatting takes more code.
    #[wasm_bindgen(js_name = String)]
    pub fn digits(number: f64) -> String;

    #[wasm_bindgen(js_name = fetch, catch)]
    async fn fetch(address: &str, init: &Init) -> Result<JsValue, JsValue>;

    /// A job or a problem of the API, as JSON.
    pub type JobJson;
    #[wasm_bindgen(method, getter)]
    pub fn id(this: &JobJson) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    pub fn url(this: &JobJson) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = status)]
    pub fn stage(this: &JobJson) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    pub fn version(this: &JobJson) -> Option<f64>;
    #[wasm_bindgen(method, getter)]
    pub fn attempt(this: &JobJson) -> Option<f64>;
    #[wasm_bindgen(method, getter)]
    pub fn position(this: &JobJson) -> Option<f64>;
    #[wasm_bindgen(method, getter)]
    pub fn progress(this: &JobJson) -> Option<f64>;
    #[wasm_bindgen(method, getter)]
    pub fn preview(this: &JobJson) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    pub fn detail(this: &JobJson) -> Option<String>;
}

/// The server did not answer, or not in a form that can be read.
pub struct Unreachable;

/// Fetches from this site, in the page's language (another tab may have chosen another).
async fn answer(address: &str, init: &Init, headers: &Headers) -> Result<Reply, Unreachable> {
    if let Some(root) = document().document_element() {
        headers.set_language(&attribute(&root, "lang"));
    }
    init.set_headers(headers);
    let reply = fetch(address, init).await.map_err(|_| Unreachable)?;
    Ok(reply.unchecked_into())
}

/// Calls the API. Returns the response and its JSON.
pub async fn ask(
    address: &str,
    init: &Init,
    headers: &Headers,
) -> Result<(Reply, JobJson), Unreachable> {
    headers.set_accept("application/json");
    let reply = answer(address, init, headers).await?;
    let json = match reply.status() {
        204 => JsValue::from(Init::new()),
        _ => reply.json().await.map_err(|_| Unreachable)?,
    };
    Ok((reply, json.unchecked_into()))
}

/// Fetches a page of this site, whatever its status, and reads it into a document.
pub async fn page(address: &str) -> Result<Document, Unreachable> {
    let headers = Headers::new();
    headers.set_accept("text/html");
    let reply = answer(address, &Init::new(), &headers).await?;
    let text = reply.text().await.ok();
    let text = text.and_then(|text| text.as_string()).ok_or(Unreachable)?;
    let parser = DomParser::new().map_err(|_| Unreachable)?;
    parser
        .parse_from_string(&text, SupportedType::TextHtml)
        .map_err(|_| Unreachable)
}

/// The window; where islands run there always is one.
pub fn window() -> Window {
    js_sys::global().unchecked_into()
}

/// The document; a window of a page has one.
pub fn document() -> Document {
    window().document().unwrap_throw()
}

/// The first element inside `root` that matches.
pub fn find(root: &Element, selector: &str) -> Option<Element> {
    root.query_selector(selector).ok().flatten()
}

/// All elements inside `root` that match.
pub fn find_all(root: &Element, selector: &str) -> Vec<Element> {
    let found = root.query_selector_all(selector).ok();
    let nodes = found
        .iter()
        .flat_map(|list| (0..list.length()).filter_map(|at| list.get(at)));
    nodes.map(JsCast::unchecked_into).collect()
}

/// An attribute, empty where there is none.
pub fn attribute(element: &Element, name: &str) -> String {
    element.get_attribute(name).unwrap_or_default()
}

/// A whole number in an attribute, 0 where there is none.
pub fn number(element: &Element, name: &str) -> u64 {
    attribute(element, name).parse().unwrap_or(0)
}

/// Sets an attribute; names are ours, so it cannot fail.
pub fn set(element: &Element, name: &str, value: &str) {
    let _ = element.set_attribute(name, value);
}

/// Shows a text in the first element inside `root` that matches. An unchanged text is
/// not set again, or screen readers would repeat it.
pub fn tell(root: &Element, selector: &str, text: &str) {
    let other = |element: &Element| element.text_content().as_deref() != Some(text);
    if let Some(element) = find(root, selector).filter(other) {
        element.set_text_content(Some(text));
    }
}

/// A message in the page's language, its placeholders filled in order.
pub fn message(message: Message, values: &[&str]) -> String {
    let all = document().get_element_by_id("said");
    let all = all.and_then(|all| all.text_content()).unwrap_or_default();
    let mut line = &*all;
    for _ in 0..message.place() {
        line = cut(line, b'\n').1;
    }
    line = cut(line, b'\n').0;
    let mut text = String::new();
    for value in values {
        let (before, after) = cut(line, b'{');
        if before.len() == line.len() {
            break;
        }
        text += before;
        text += value;
        line = cut(after, b'}').1;
    }
    text += line;
    text
}

/// What is before an ASCII character, and what after it; all is before one that is not there. The searches of
/// the standard library would take 2 kB of code.
pub fn cut(text: &str, character: u8) -> (&str, &str) {
    let at = text.bytes().position(|byte| byte == character);
    let at = at.unwrap_or(text.len());
    let [before, after] = [text.get(..at), text.get(at + 1..)];
    (before.unwrap_or_default(), after.unwrap_or_default())
}

/// How long a deletion can be undone, in milliseconds.
pub const UNDO_TIME: i32 = 10_000;

/// The path for deleting several jobs.
const DELETE: &str = "/api/jobs/delete";

/// Maximum number of jobs in one such request.
pub const MOST: usize = 200;

/// A form that names the jobs.
pub fn form_of(ids: &[String]) -> String {
    let mut form = String::new();
    for id in ids {
        form += "id=";
        // An address with a key contains no character that would end the field.
        form += id;
        form += "&";
    }
    form
}

/// Notes jobs as deleted. Browsers bring pages back as they were; `boot.js` removes these from them.
pub fn note_deleted(ids: &[String]) {
    const NOTE: &str = "deleted";
    let Ok(Some(notes)) = window().session_storage() else {
        return;
    };
    let mut all = notes.get_item(NOTE).ok().flatten().unwrap_or_default();
    for id in ids {
        all += without_query(id);
        all += " ";
    }
    let _ = notes.set_item(NOTE, &all);
}

/// Deletes jobs. Returns whether they are gone.
pub async fn delete(ids: &[String]) -> bool {
    let (init, headers) = (Init::new(), Headers::new());
    init.set_method("POST");
    init.set_body(&form_of(ids).into());
    headers.set_content_type("application/x-www-form-urlencoded");
    let reply = ask(DELETE, &init, &headers).await;
    let gone = reply.is_ok_and(|(reply, _)| reply.ok());
    if gone {
        note_deleted(ids);
    }
    gone
}

/// Deletes jobs while the page is being left, without waiting for the response.
pub fn delete_leaving(ids: &[String]) {
    note_deleted(ids);
    for some in ids.chunks(MOST) {
        let _ = window()
            .navigator()
            .send_beacon_with_opt_str(DELETE, Some(&form_of(some)));
    }
}

/// Moves the focus.
pub fn focus(element: &Element) {
    let _ = element.unchecked_ref::<HtmlElement>().focus();
}

/// Whether the focus is on an element or in it.
pub fn has_focus(element: &Element) -> bool {
    let at = document().active_element();
    at.is_some_and(|at| element.contains(Some(&at)))
}

/// An address of the job of a card.
pub fn job_address(card: &Element, prefix: &str) -> String {
    let mut address = String::from(prefix);
    address += &attribute(card, "data-id");
    address += &attribute(card, "data-key");
    address
}

/// Adds fields to an address.
pub fn with_query(mut address: String, fields: &str) -> String {
    let bare = without_query(&address).len() == address.len();
    address += if bare { "?" } else { "&" };
    address += fields;
    address
}

/// An address without its query.
pub fn without_query(address: &str) -> &str {
    cut(address, b'?').0
}

/// Has screen readers announce a text when they are idle.
pub fn announce(text: &str) {
    if let Some(announcer) = document().get_element_by_id("announcer") {
        announcer.set_text_content(Some(text));
    }
}

/// Replaces the shown allowance by that of a new page.
pub fn renew_allowance(fresh: &Document) {
    let left = |page: &Document| page.query_selector("[data-left]").ok().flatten();
    let kind = |left: &Element| attribute(left, "data-left");
    if let (Some(old), Some(new)) = (left(&document()), left(fresh))
        && kind(&old) == kind(&new)
    {
        let _ = old.replace_with_with_node_1(&new);
    }
}

/// Adds a listener for the lifetime of the page.
pub fn listen(target: &EventTarget, event: &str, action: impl FnMut(Event) + 'static) {
    let action = Closure::<dyn FnMut(Event)>::new(action);
    let _ = target.add_event_listener_with_callback(event, action.as_ref().unchecked_ref());
    action.forget();
}

/// The element itself or its closest ancestor that matches.
pub fn closest(at: &Element, selector: &str) -> Option<Element> {
    at.closest(selector).ok().flatten()
}

/// The element an event happened at.
pub fn target(event: &Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

/// Whether it is a plain click, not one that opens another tab or window.
pub fn plain(event: &Event) -> bool {
    let mouse: &MouseEvent = event.unchecked_ref();
    !(mouse.ctrl_key() || mouse.meta_key() || mouse.shift_key())
}

/// Time since the epoch, milliseconds.
pub fn now() -> f64 {
    Date::now()
}

/// A button pressed this soon after it appeared was not meant, in milliseconds.
const HASTE: f64 = 1000.0;

/// Whether a click on "undo" is the rest of the double click or key press that deleted something: the button has
/// appeared under it.
pub fn is_accidental(click: &Event, since: f64) -> bool {
    click.unchecked_ref::<UiEvent>().detail() != 1 && now() - since < HASTE
}

/// The files of an input.
pub fn files(input: &HtmlInputElement) -> Vec<File> {
    let list = input.files();
    let files = list
        .iter()
        .flat_map(|list| (0..list.length()).filter_map(|at| list.get(at)));
    files.collect()
}

/// Replaces the files of an input.
pub fn set_files(input: &HtmlInputElement, files: &[File]) {
    if let Ok(carrier) = DataTransfer::new() {
        for file in files {
            let _ = carrier.items().add_with_file(file);
        }
        input.set_files(carrier.files().as_ref());
    }
}

/// Appends the reason for a refusal, with the file's name if there are several.
pub fn refusal(refusals: &mut String, name: Option<String>, reason: &str) {
    if !refusals.is_empty() {
        refusals.push(' ');
    }
    if let Some(name) = name {
        *refusals += &name;
        *refusals += ": ";
    }
    *refusals += reason;
}

/// Waits.
pub async fn sleep(milliseconds: i32) {
    let waited = Promise::new(&mut |done, _| {
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&done, milliseconds);
    });
    let _ = wasm_bindgen_futures::JsFuture::from(waited).await;
}

/// Tells whoever listens at an element or around it.
pub fn dispatch(at: &EventTarget, event: &str) {
    let init = EventInit::new();
    init.set_bubbles(true);
    let _ = Event::new_with_event_init_dict(event, &init).map(|event| at.dispatch_event(&event));
}
