//! Tells of jobs where the page itself is not looked at: in its title and, if the visitor allows them, in
//! notifications.

use std::{cell::RefCell, rc::Rc};

use js_sys::Reflect;
use wasm_bindgen::{JsCast, closure::Closure};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Element, Notification, NotificationOptions, NotificationPermission};

use crate::{
    browser::{announce, attribute, document, find, listen, message, target, window},
    texts::Message,
};

/// The class of the document while its visitor may be asked.
const ASKS: &str = "asks";

/// What comes before the page's own title.
#[derive(Clone, Default)]
struct Before(Rc<RefCell<String>>);

pub(super) fn wake() {
    offer();
    let before = Before::default();
    before.show_work();
    let told = before.clone();
    listen(&document(), "stage", move |event| {
        let Some(card) = target(&event) else { return };
        told.show_work();
        if attribute(&card, "data-status") == "succeeded" && !told.is_at_work() {
            told.show(message(Message::Ready, &[]) + " · ");
        }
        if document().hidden() && find(&card, "progress").is_none() {
            notify(&card);
        }
    });
    for event in ["pointerdown", "keydown"] {
        let before = before.clone();
        listen(&document(), event, move |_| before.show_work());
    }
}

impl Before {
    /// Shows the stage of the first job under way, if there is one. The title of a job's own page says it already.
    fn show_work(&self) {
        let own = window().location().pathname();
        let own = own.is_ok_and(|path| path.starts_with("/jobs/"));
        let stage = document().query_selector(".job:has(progress) .stage");
        let stage = stage.ok().flatten().filter(|_| !own);
        let stage = stage.and_then(|stage| stage.text_content());
        self.show(stage.map_or_else(String::new, |stage| stage + " … · "));
    }

    fn is_at_work(&self) -> bool {
        !self.0.borrow().is_empty()
    }

    fn show(&self, text: String) {
        let title = document().title();
        let mut new = text.clone();
        new += title.strip_prefix(&**self.0.borrow()).unwrap_or(&title);
        if new != title {
            document().set_title(&new);
        }
        self.0.replace(text);
    }
}

/// Whether the browser has notifications, and what the visitor said of them.
fn permission() -> Option<NotificationPermission> {
    let there = Reflect::has(&window(), &"Notification".into()).unwrap_or(false);
    there.then(Notification::permission)
}

/// Shows the buttons that ask, unless the visitor has been asked.
fn offer() {
    let open = permission() == Some(NotificationPermission::Default);
    if let Some(root) = document().document_element() {
        let _ = root.class_list().toggle_with_force(ASKS, open);
    }
}

/// Asks whether notifications are wanted.
pub(super) fn ask_permission(button: &Element) {
    let done = attribute(button, "data-done");
    spawn_local(async move {
        if let Ok(answer) = Notification::request_permission() {
            let _ = JsFuture::from(answer).await;
        }
        if permission() == Some(NotificationPermission::Granted) {
            announce(&done);
        }
        offer();
    });
}

/// Tells that a job has ended.
fn notify(card: &Element) {
    if permission() != Some(NotificationPermission::Granted) {
        return;
    }
    let mut text = attribute(card, "data-say");
    if text.is_empty() {
        let stage = find(card, ".stage").and_then(|stage| stage.text_content());
        text = stage.unwrap_or_default();
    }
    let options = NotificationOptions::new();
    options.set_icon("/icon-192.png");
    options.set_tag(&attribute(card, "data-id"));
    if let Ok(notification) = Notification::new_with_options(&text, &options) {
        let back = Closure::once_into_js(|| {
            let _ = window().focus();
        });
        notification.set_onclick(Some(back.unchecked_ref()));
    }
}
