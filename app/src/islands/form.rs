//! Sends forms without leaving the page and puts the new job's card above the others.

use leptos::prelude::*;

/// Wraps a page's forms (`data-send`) and the container for cards (`data-jobs`).
#[island]
pub fn FormIsland(children: Children) -> impl IntoView {
    view! { <div class="bench" use:wake>{children()}</div> }
}

#[cfg(not(feature = "hydrate"))]
fn wake(_: leptos::web_sys::Element) {}

#[cfg(feature = "hydrate")]
use awake::wake;

#[cfg(feature = "hydrate")]
mod awake {
    use js_sys::{JSON, Object, Reflect};
    use leptos::{task::spawn_local, web_sys::Element};
    use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
    use web_sys::{
        Blob, Event, File, FormData, HtmlFormElement, HtmlInputElement, HtmlTextAreaElement,
        KeyboardEvent, ScrollIntoViewOptions, ScrollLogicalPosition,
    };

    use crate::{
        browser::{
            Headers, Init, Unreachable, announce, ask, attribute, closest, dispatch, document,
            files, find, focus, listen, message, page, plain, refusal, renew_allowance, set,
            set_files, target, tell, window,
        },
        islands::upload::{self, Sent},
        texts::Message,
    };

    /// Selects a card beyond the maximum number on a page, if its job has ended: the gallery has it.
    const OVER: &str = "leptos-island:nth-child(n+50):not(:has(progress, :focus))";

    pub(super) fn wake(root: Element) {
        listen(&root, "keydown", |event| {
            let key: &KeyboardEvent = event.unchecked_ref();
            let sends = key.key() == "Enter" && (key.ctrl_key() || key.meta_key());
            // Neither repeats of a key held down, nor the Enter that ends a composition.
            if sends && !key.repeat() && !key.is_composing() {
                let form = target(&event).and_then(|field| closest(&field, "form"));
                if let Some(form) = form {
                    let _ = form.unchecked_into::<HtmlFormElement>().request_submit();
                }
            }
        });
        listen(&root, "click", |event| {
            let at = target(&event);
            let inside = |selector: &str| at.as_ref().and_then(|at| closest(at, selector));
            if let Some(link) = inside("[data-ideas] a, a[data-style]").filter(|_| plain(&event)) {
                event.prevent_default();
                spawn_local(begin_with(link));
            } else if inside("[data-abort]").is_some() {
                upload::cancel();
            } else if let Some(own) = inside("[data-own]") {
                write(&attribute(&own, "data-own"));
                set(&own, "hidden", "");
            }
        });
        // What has been changed is another order.
        listen(&root, "input", |event| {
            if let Some(form) = target(&event).and_then(|field| closest(&field, "form")) {
                let _ = form.remove_attribute("data-order");
            }
        });
        let form_root = root.clone();
        listen(&form_root, "submit", move |event| {
            let form = target(&event).and_then(|form| form.dyn_into::<HtmlFormElement>().ok());
            if let Some(form) = form.filter(|form| form.has_attribute("data-send")) {
                event.prevent_default();
                spawn_local(send(root.clone(), form));
            }
        });
    }

    /// Writes an idea into the form, and shows others; examples have a style as well. What the visitor had written
    /// can be had back.
    async fn begin_with(link: Element) {
        let address = attribute(&link, "href");
        let fresh = page(&address).await.ok();
        let part = |selector: &str| fresh.as_ref()?.query_selector(selector).ok().flatten();
        let (Some(words), Some(others)) = (part("#prompt"), part("[data-ideas]")) else {
            let _ = window().location().assign(&address);
            return;
        };
        if let Some(ideas) = closest(&link, "[data-ideas]") {
            let _ = ideas.replace_with_with_node_1(&others);
        }
        if let Some(style) = link.get_attribute("data-style") {
            choose_style(&style);
        }
        let words = words.text_content().unwrap_or_default();
        let own = write(words.trim());
        if let Ok(Some(back)) = document().query_selector("[data-own]") {
            // An idea that another follows is nobody's own words.
            if !own.trim().is_empty() && own != attribute(&back, "data-idea") {
                set(&back, "data-own", &own);
                let _ = back.remove_attribute("hidden");
            }
            set(&back, "data-idea", words.trim());
        }
    }

    fn choose_style(style: &str) {
        let mut chosen = String::from("[name=style][value='");
        chosen += style;
        chosen += "']";
        if let Ok(Some(choice)) = document().query_selector(&chosen) {
            choice
                .unchecked_into::<HtmlInputElement>()
                .set_checked(true);
        }
    }

    /// Writes into the prompt in a way that the browser can undo. Returns the words that were there.
    fn write(words: &str) -> String {
        let Some(prompt) = document().get_element_by_id("prompt") else {
            return String::new();
        };
        focus(&prompt);
        let prompt: HtmlTextAreaElement = prompt.unchecked_into();
        let before = prompt.value();
        prompt.select();
        exec_command("insertText", false, words);
        before
    }

    #[wasm_bindgen]
    extern "C" {
        /// Fills a field in a way that the visitor can undo.
        #[wasm_bindgen(js_namespace = document, js_name = execCommand)]
        fn exec_command(command: &str, dialog: bool, value: &str) -> bool;
    }

    /// Sends a form once, however often its button is pressed meanwhile.
    async fn send(root: Element, form: HtmlFormElement) {
        let Some(button) =
            find(&form, "[type=submit]").filter(|button| !button.has_attribute("aria-disabled"))
        else {
            return;
        };
        if brush_forgotten(&form) {
            return tell(
                &form,
                "[data-alert]",
                &message(Message::NothingPainted, &[]),
            );
        }
        let label = button.text_content();
        let busy = button.get_attribute("data-busy");
        set(&button, "aria-disabled", "true");
        if busy.is_some() {
            button.set_text_content(busy.as_deref());
        }
        tell(&form, "[data-alert]", "");
        let field: Option<HtmlInputElement> =
            find(&form, "[type=file]").map(JsCast::unchecked_into);
        let sent = field.as_ref().map(files).unwrap_or_default();
        let requests = requests(&form);
        let (mut taken, mut refusals, mut lost) = (Vec::new(), String::new(), false);
        upload::begin(&form);
        for (place, data) in requests.iter().enumerate() {
            // One of the photos, or all that is attached.
            let own = match requests.len() {
                1 => &sent[..],
                _ => &sent[place..=place],
            };
            let part = upload::Part {
                place,
                of: requests.len(),
            };
            let reason = match post(&form, data, own, &part).await {
                Ok((id, address)) => {
                    taken.extend_from_slice(own);
                    show(&root, &id, &address).await;
                    continue;
                }
                Err(Refused::Cancelled) => break,
                Err(Refused::For(reason)) => reason,
                Err(Refused::Lost) => {
                    lost = true;
                    message(Message::NoAnswer, &[])
                }
            };
            let photo = own.first().filter(|_| requests.len() > 1);
            refusal(&mut refusals, photo.map(File::name), &reason);
        }
        upload::end(&form, !lost);
        // What is attached stays with the words.
        if let Some(field) = field.filter(|field| !field.has_attribute("data-most")) {
            clear(&field, &taken);
        }
        tell(&form, "[data-alert]", &refusals);
        if busy.is_some() {
            button.set_text_content(label.as_deref());
        }
        if refusals.is_empty() {
            fold(&form);
        }
        let _ = button.remove_attribute("aria-disabled");
    }

    /// Folds the options of a form on a phone, where there is a handle to unfold them.
    fn fold(form: &Element) {
        let handle = find(form, "summary").filter(|handle| handle.client_width() > 0);
        if let Some(options) = handle.and_then(|handle| closest(&handle, ".options")) {
            let _ = options.remove_attribute("open");
        }
    }

    /// Whether the brush is in use and nothing has been painted.
    fn brush_forgotten(form: &Element) -> bool {
        find(form, "[data-painting]:not(:has([data-painted]))").is_some()
    }

    /// Removes the accepted photos from a field; refused ones and those chosen meanwhile stay.
    fn clear(field: &HtmlInputElement, taken: &[File]) {
        let mut rest = files(field);
        let all = rest.len();
        rest.retain(|file| !taken.contains(file));
        if rest.len() < all {
            set_files(field, &rest);
            let _ = Event::new("change").map(|change| field.dispatch_event(&change));
        }
    }

    /// The form as requests: one for each photo.
    fn requests(form: &HtmlFormElement) -> Vec<FormData> {
        let filled = || FormData::new_with_form(form).ok();
        let Some(whole) = filled() else {
            return Vec::new();
        };
        let photos = whole.get_all("photo");
        if photos.length() < 2 {
            return vec![whole];
        }
        let with = |photo: JsValue| {
            let data = filled()?;
            data.set_with_blob("photo", photo.unchecked_ref::<Blob>())
                .ok()?;
            Some(data)
        };
        photos.iter().filter_map(with).collect()
    }

    /// Why there is no job.
    enum Refused {
        For(String),
        Lost,
        Cancelled,
    }

    /// Posts a request. Returns the new job's id and page.
    async fn post(
        form: &HtmlFormElement,
        data: &FormData,
        files: &[File],
        part: &upload::Part,
    ) -> Result<(String, String), Refused> {
        // Pictures can be attached to a prompt, photos are there.
        let uploads = !files.is_empty() || find(form, "[data-most]").is_none();
        let (ok, answer) = if uploads && form.enctype() == "multipart/form-data" {
            match upload::send(form, data, files, part).await {
                Sent::Answered(ok, answer) => (ok, answer),
                Sent::Lost => return Err(Refused::Lost),
                Sent::Cancelled => return Err(Refused::Cancelled),
            }
        } else {
            let (init, headers) = (Init::new(), Headers::new());
            init.set_method("POST");
            headers.set_content_type("application/json");
            data.delete("image");
            init.set_body(&json(data).map_err(|_| Refused::Lost)?);
            let answer = ask(&attribute(form, "action"), &init, &headers).await;
            let (reply, answer) = answer.map_err(|Unreachable| Refused::Lost)?;
            (reply.ok(), answer)
        };
        match (answer.id(), answer.url()) {
            (Some(id), Some(url)) if ok => Ok((id, url.replace("/api/", "/"))),
            _ => Err(Refused::For(
                (answer.detail()).unwrap_or_else(|| message(Message::Refused, &[])),
            )),
        }
    }

    /// The fields as JSON: strings, except `fresh` and numbers.
    fn json(data: &FormData) -> Result<JsValue, JsValue> {
        let fields = Object::from_entries(data)?;
        for name in ["fresh", "n", "picture", "enlarge"] {
            let name = JsValue::from_str(name);
            if let Some(text) = Reflect::get(&fields, &name)?.as_string() {
                Reflect::set(&fields, &name, &JSON::parse(&text)?)?;
            }
        }
        Ok(JSON::stringify(&fields)?.into())
    }

    /// Puts the job's card above the others, or goes to its page if that fails.
    async fn show(root: &Element, id: &str, address: &str) {
        let fresh = page(address).await.ok();
        let card = fresh
            .as_ref()
            .and_then(|page| page.query_selector(".job").ok().flatten());
        let island = card
            .as_ref()
            .and_then(|card| closest(card, "leptos-island"));
        let (Some(fresh), Some(card), Some(island), Some(jobs)) =
            (fresh, card, island, find(root, "[data-jobs]"))
        else {
            let _ = window().location().assign(address);
            return;
        };
        remove_card(&jobs, id);
        announce(&attribute(&card, "data-say"));
        let _ = jobs.prepend_with_node_1(&island);
        if let Some(oldest) = find(&jobs, OVER) {
            oldest.remove();
        }
        renew_allowance(&fresh);
        dispatch(&card, "stage");
        let place = ScrollIntoViewOptions::new();
        place.set_block(ScrollLogicalPosition::Nearest);
        card.scroll_into_view_with_scroll_into_view_options(&place);
    }

    /// Removes the card of a job that is shown already: an identical request joins it.
    fn remove_card(jobs: &Element, id: &str) {
        let mut selector = String::from("[data-id='");
        selector += id;
        selector += "']";
        if let Some(island) = find(jobs, &selector).and_then(|card| closest(&card, "leptos-island"))
        {
            island.remove();
        }
    }
}
