//! The gallery: deletion that can be undone, and what one finds (`finding`).

use leptos::prelude::*;

/// Wraps a list of pictures (`data-shelf`) and a toast. The lightbox says which picture is `unwanted`, and that it
/// `wanted` the next page.
#[island]
pub fn Gallery(children: Children) -> impl IntoView {
    view! { <div class="gallery" use:wake>{children()}</div> }
}

#[cfg(not(feature = "hydrate"))]
fn wake(_: leptos::web_sys::Element) {}

#[cfg(feature = "hydrate")]
use awake::wake;

#[cfg(feature = "hydrate")]
mod finding;

#[cfg(feature = "hydrate")]
mod awake {
    use std::{
        cell::{Cell, RefCell},
        rc::Rc,
    };

    use leptos::{task::spawn_local, web_sys::Element};
    use wasm_bindgen::JsCast;
    use web_sys::{Event, HtmlDialogElement, KeyboardEvent, SubmitEvent};

    use super::finding::Finding;

    use crate::{
        browser::{
            MOST, UNDO_TIME, announce, attribute, closest, delete, delete_leaving, document, find,
            find_all, focus, is_accidental, listen, message, now, set, sleep, target, tell, window,
        },
        texts::Message,
    };

    #[derive(Clone)]
    pub(super) struct Gallery {
        pub(super) root: Element,
        /// Ids of hidden pictures, which are deleted unless that is undone.
        pub(super) scheduled: Rc<RefCell<Vec<String>>>,
        /// When they were hidden, in milliseconds.
        since: Rc<Cell<f64>>,
        pub(super) finding: Finding,
    }

    pub(super) fn wake(root: Element) {
        let gallery = Gallery {
            root,
            scheduled: Rc::default(),
            since: Rc::default(),
            finding: Finding::default(),
        };
        let root = &gallery.root;
        let here = gallery.clone();
        listen(root, "click", move |event| here.clicked(&event));
        let here = gallery.clone();
        listen(root, "submit", move |event| here.submitted(&event));
        let here = gallery.clone();
        listen(root, "keydown", move |event| {
            here.key(event.unchecked_ref());
        });
        let here = gallery.clone();
        listen(&window(), "pagehide", move |_| {
            delete_leaving(&here.scheduled.take());
            here.hide_toast();
        });
        let here = gallery.clone();
        listen(root, "unwanted", move |event| {
            if let Some(item) = target(&event) {
                here.remove(item);
            }
        });
        let here = gallery.clone();
        listen(root, "wanted", move |event| {
            if let Some(link) = target(&event) {
                let here = here.clone();
                spawn_local(async move { here.follow(link).await });
            }
        });
        gallery.begin_finding();
    }

    impl Gallery {
        fn clicked(&self, event: &Event) {
            let undo = target(event).and_then(|at| closest(&at, "[data-undo]"));
            if undo.is_some() && !is_accidental(event, self.since.get()) {
                self.undo();
            }
        }

        fn key(&self, key: &KeyboardEvent) {
            let step = match key.key().as_str() {
                "ArrowRight" => Some(true),
                "ArrowLeft" => Some(false),
                _ => None,
            };
            let focused = document().active_element();
            let Some(item) = focused.and_then(|at| closest(&at, "li")) else {
                return;
            };
            if let Some(on) = step {
                if let Some(link) = beside(&item, on).and_then(|next| find(&next, "a")) {
                    focus(&link);
                }
            } else if key.key() == "Delete" {
                self.remove(item);
            }
        }

        /// Deletes an entry, if the visitor wants that.
        fn remove(&self, item: Element) {
            if sure(&item) {
                // Before the toast, which could not take the focus otherwise.
                if let Ok(Some(open)) = document().query_selector("dialog[open]") {
                    open.unchecked_into::<HtmlDialogElement>().close();
                }
                self.schedule_delete(&[item]);
            }
        }

        /// Sends the form as it is, unless it searches, or deletes: that can be undone here.
        fn submitted(&self, event: &Event) {
            if self.searches(event) {
                return;
            }
            let submit: &SubmitEvent = event.unchecked_ref();
            let deletes = submit
                .submitter()
                .is_some_and(|button| button.has_attribute("data-delete"));
            let boxes = find_all(&self.root, "[name=id]:checked:enabled");
            if !deletes {
                if boxes.len() > MOST {
                    event.prevent_default();
                    let text = message(Message::Most, &[&MOST.to_string()]);
                    tell(&self.root, "[data-alert]", &text);
                }
                return;
            }
            event.prevent_default();
            let items = boxes.iter().filter_map(|tick| closest(tick, "li"));
            self.schedule_delete(&items.collect::<Vec<_>>());
        }

        /// Hides the pictures and deletes them once the time for undoing is over.
        fn schedule_delete(&self, items: &[Element]) {
            self.delete_scheduled();
            tell(&self.root, "[data-alert]", "");
            for item in items {
                show_item(item, false);
            }
            let ids = items.iter().map(|item| attribute(item, "data-job"));
            self.scheduled.replace(ids.collect());
            self.count();
            self.since.set(now());
            let text = message(Message::Deleted, &[&items.len().to_string()]);
            tell(&self.root, "[data-told]", &text);
            announce(&text);
            if let Some(toast) = find(&self.root, "[data-toast]") {
                let _ = toast.remove_attribute("hidden");
            }
            if let Some(undo) = find(&self.root, "[data-undo]") {
                focus(&undo);
            }
            let (here, mine) = (self.clone(), self.scheduled.borrow().clone());
            spawn_local(async move {
                sleep(UNDO_TIME).await;
                if *here.scheduled.borrow() == mine {
                    here.delete_scheduled();
                }
            });
        }

        fn undo(&self) {
            for id in self.scheduled.take() {
                if let Some(item) = self.item(&id) {
                    show_item(&item, true);
                }
            }
            self.count();
            self.hide_toast();
        }

        /// Deletes the hidden pictures.
        fn delete_scheduled(&self) {
            let ids = self.scheduled.take();
            self.hide_toast();
            for some in ids.chunks(MOST) {
                spawn_local(self.clone().delete(some.to_vec()));
            }
        }

        /// Deletes pictures; those that could not be deleted are shown again.
        async fn delete(self, ids: Vec<String>) {
            let gone = delete(&ids).await;
            for item in ids.iter().filter_map(|id| self.item(id)) {
                if gone {
                    item.remove();
                } else {
                    show_item(&item, true);
                }
            }
            if !gone {
                tell(&self.root, "[data-alert]", &message(Message::NotSent, &[]));
            }
        }

        pub(super) fn item(&self, id: &str) -> Option<Element> {
            let mut selector = String::from("[data-job='");
            selector += id;
            selector += "']";
            find(&self.root, &selector)
        }

        fn hide_toast(&self) {
            if let Some(toast) = find(&self.root, "[data-toast]") {
                set(&toast, "hidden", "");
            }
        }
    }

    /// Shows an entry, or hides and deselects it.
    pub(super) fn show_item(item: &Element, shown: bool) {
        let _ = item.toggle_attribute_with_force("hidden", !shown);
        if let Some(tick) = find(item, "[name=id]") {
            let _ = tick.toggle_attribute_with_force("disabled", !shown);
        }
    }

    /// Whether the visitor wants an entry deleted, with all its pictures.
    fn sure(item: &Element) -> bool {
        let question = match find_all(item, "img").len() {
            1 => message(Message::Sure, &[]),
            several => message(Message::SureOfAll, &[&several.to_string()]),
        };
        window().confirm_with_message(&question).unwrap_or(false)
    }

    /// The next visible entry before or after one.
    fn beside(item: &Element, after: bool) -> Option<Element> {
        let step = |from: &Element| {
            if after {
                from.next_element_sibling()
            } else {
                from.previous_element_sibling()
            }
        };
        let mut next = step(item)?;
        while next.has_attribute("hidden") {
            next = step(&next)?;
        }
        Some(next)
    }
}
