//! What the buttons of a card do.

use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::spawn_local;
use web_sys::Element;

use crate::{
    browser::{
        Headers, Init, UNDO_TIME, Unreachable, announce, ask, attribute, closest, delete_leaving,
        digits, document, find, find_all, focus, has_focus, is_accidental, job_address, listen,
        message, note_deleted, now, number, set, sleep, target, tell, window, with_query,
        without_query,
    },
    later::news,
    texts::Message,
};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["navigator", "clipboard"], js_name = writeText, catch)]
    async fn write_text(text: &str) -> Result<JsValue, JsValue>;
}

/// Listens for all cards: a listener per card would keep removed cards in memory.
pub(super) fn wake() {
    listen(&document(), "click", move |event| {
        let pressed = target(&event).and_then(|at| closest(&at, "[data-do]"));
        let card = pressed.as_ref().and_then(|button| closest(button, ".job"));
        if let Some((button, card)) = pressed.zip(card) {
            match attribute(&button, "data-do").as_str() {
                "cancel" => spawn_local(cancel(button, card)),
                "undo" if is_accidental(&event, number(&card, "data-doomed") as f64) => {}
                "undo" => undo_delete(&card),
                "notify" => news::ask_permission(&button),
                _ => spawn_local(copy(button)),
            }
        }
    });
    listen(&document(), "submit", move |event| {
        let form = target(&event).and_then(|at| closest(&at, "form[action*='/delete']"));
        let card = form.as_ref().and_then(|form| closest(form, ".job"));
        if let Some((form, card)) = form.zip(card) {
            event.prevent_default();
            if form.has_attribute("data-regret") {
                spawn_local(schedule_delete(card));
            } else if sure() {
                spawn_local(delete_photo(card));
            }
        }
    });
    listen(&window(), "pagehide", move |_| {
        if let Some(root) = document().document_element() {
            let scheduled = find_all(&root, ".job[data-doomed]");
            let ids: Vec<_> = scheduled.iter().map(|card| job_address(card, "")).collect();
            delete_leaving(&ids);
        }
    });
}

/// Requests the job's cancellation; its next version updates the card.
async fn cancel(button: Element, card: Element) {
    if button.has_attribute("aria-disabled") {
        return;
    }
    set(&button, "aria-disabled", "true");
    let init = Init::new();
    init.set_method("DELETE");
    let address = with_query(job_address(&card, "/api/jobs/"), "cancel=true");
    let refused = match ask(&address, &init, &Headers::new()).await {
        Ok((reply, _)) if reply.ok() => return,
        Ok((_, json)) => json.detail(),
        Err(Unreachable) => None,
    };
    let _ = button.remove_attribute("aria-disabled");
    tell(
        &card,
        "[data-trouble]",
        &refused.unwrap_or_else(|| message(Message::NotSent, &[])),
    );
}

/// Hides the job, and deletes it unless the visitor undoes that in time.
async fn schedule_delete(card: Element) {
    let mark = digits(now());
    set(&card, "data-doomed", &mark);
    if let Some(undo) = find(&card, "[data-do=undo]") {
        focus(&undo);
    }
    sleep(UNDO_TIME).await;
    if attribute(&card, "data-doomed") != mark {
        return;
    }
    let deleted = delete(&card).await;
    let _ = card.remove_attribute("data-doomed");
    if !deleted {
        return;
    }
    let address = job_address(&card, "");
    let here = window().location().pathname().unwrap_or_default();
    if here.ends_with(without_query(&address)) {
        let _ = window().location().assign("/gallery");
    }
    let focused = has_focus(&card);
    if let Some(island) = closest(&card, "leptos-island") {
        island.remove();
    }
    if let Some(main) = document().get_element_by_id("main").filter(|_| focused) {
        focus(&main);
    }
}

/// Deletes the card's job. A failure is told in its form.
async fn delete(card: &Element) -> bool {
    let init = Init::new();
    init.set_method("DELETE");
    let reply = ask(&job_address(card, "/api/jobs/"), &init, &Headers::new()).await;
    let deleted = reply.is_ok_and(|(reply, _)| reply.ok() || reply.status() == 404);
    if deleted {
        note_deleted(&[attribute(card, "data-id")]);
    } else {
        let text = message(Message::NotSent, &[]);
        tell(card, "form[action*='/delete'] .alert", &text);
    }
    deleted
}

/// Whether the visitor wants the photo deleted, which cannot be undone.
fn sure() -> bool {
    let question = message(Message::SureOfPhoto, &[]);
    window().confirm_with_message(&question).unwrap_or(false)
}

/// Deletes a photo at once, and says so where its card was.
async fn delete_photo(card: Element) {
    if !delete(&card).await {
        return;
    }
    let island = closest(&card, "leptos-island");
    if let Some((island, note)) = island.zip(document().create_element("p").ok()) {
        for (name, value) in [("class", "note"), ("tabindex", "-1")] {
            set(&note, name, value);
        }
        let text = message(Message::PhotoDeleted, &[]);
        note.set_text_content(Some(&text));
        let _ = island.replace_with_with_node_1(&note);
        focus(&note);
        announce(&text);
    }
}

fn undo_delete(card: &Element) {
    let _ = card.remove_attribute("data-doomed");
    if let Some(heading) = find(card, "h2") {
        focus(&heading);
    }
}

/// Copies a text, or the address that a path has on this site.
async fn copy(button: Element) {
    let mut text = attribute(&button, "data-text");
    if text.is_empty() {
        text = window().location().origin().unwrap_or_default();
        text += &attribute(&button, "data-link");
    }
    // The clipboard is available in secure contexts only.
    let trusted = window().is_secure_context();
    if !trusted || write_text(&text).await.is_err() {
        let label = button.text_content().unwrap_or_default();
        let _ = window().prompt_with_message_and_default(&label, &text);
        return;
    }
    let done = attribute(&button, "data-done");
    announce(&done);
    let label = button.text_content();
    if label.as_ref() != Some(&done) {
        button.set_text_content(Some(&done));
        sleep(2500).await;
        button.set_text_content(label.as_deref());
    }
}
