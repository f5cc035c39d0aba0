//! The gallery: a lightbox, deletion that can be undone, and what one finds ([`finding`]).

use leptos::prelude::*;

/// Wraps a list of pictures (`data-shelf`), a toast and a lightbox.
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
    use web_sys::{Event, HtmlDialogElement, KeyboardEvent, PointerEvent, SubmitEvent};

    use super::finding::Finding;

    use crate::{
        browser::{
            DELETE, Headers, Init, MOST, UNDO_TIME, announce, ask, attribute, closest,
            delete_leaving, document, find, find_all, focus, form_of, is_accidental, listen,
            message, now, plain, set, sleep, target, tell, window,
        },
        texts::Message,
    };

    /// Minimum swipe to the next picture, in pixels.
    const SWIPE: i32 = 50;

    #[derive(Clone)]
    pub(super) struct Gallery {
        pub(super) root: Element,
        /// Ids of hidden pictures, which are deleted unless that is undone.
        pub(super) scheduled: Rc<RefCell<Vec<String>>>,
        /// When they were hidden, in milliseconds.
        since: Rc<Cell<f64>>,
        /// The picture in the lightbox.
        open: Rc<RefCell<Option<Element>>>,
        /// Whether the current press began beside the picture and its buttons.
        beside: Rc<Cell<bool>>,
        pub(super) finding: Finding,
    }

    pub(super) fn wake(root: Element) {
        let gallery = Gallery {
            root,
            scheduled: Rc::default(),
            since: Rc::default(),
            open: Rc::default(),
            beside: Rc::default(),
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
        });
        gallery.swipes();
        gallery.begin_finding();
    }

    impl Gallery {
        fn clicked(&self, event: &Event) {
            let Some(at) = target(event) else { return };
            let inside = |selector: &str| closest(&at, selector);
            if let Some(item) = inside("[data-shelf] li a").filter(|_| plain(event)) {
                event.prevent_default();
                self.show(find(&item, "img"));
            } else if let Some(step) = inside("[data-step]") {
                self.step(attribute(&step, "data-step") == "1");
            } else if inside("[data-close]").is_some() || self.is_beside(event) && self.beside.get()
            {
                self.dialog().close();
            } else if inside("[data-remove]").is_some() {
                self.remove_open();
            } else if inside("[data-undo]").is_some() && !is_accidental(event, self.since.get()) {
                self.undo();
            }
        }

        fn is_beside(&self, event: &Event) -> bool {
            target(event).is_some_and(|at| at == self.dialog().into())
        }

        fn key(&self, key: &KeyboardEvent) {
            let step = match key.key().as_str() {
                "ArrowRight" => Some(true),
                "ArrowLeft" => Some(false),
                _ => None,
            };
            let focused = document().active_element();
            let item = focused.and_then(|at| item_of(&at));
            if self.dialog().open() {
                match (step, key.key().as_str()) {
                    (Some(on), _) => self.step(on),
                    (None, "Delete") => self.remove_open(),
                    _ => {}
                }
            } else if let (Some(on), Some(item)) = (step, &item) {
                if let Some(link) = beside(item, on).and_then(|next| find(&next, "a")) {
                    focus(&link);
                }
            } else if let ("Delete", Some(item)) = (key.key().as_str(), item)
                && sure(&item)
            {
                self.schedule_delete(&[item]);
            }
        }

        fn dialog(&self) -> HtmlDialogElement {
            let dialog = find(&self.root, "[data-lightbox]");
            dialog.unwrap_or_else(|| self.root.clone()).unchecked_into()
        }

        /// Shows a picture in the lightbox.
        fn show(&self, small: Option<Element>) {
            let (Some(small), Some(large)) = (small, find(&self.root, "[data-large]")) else {
                return;
            };
            for name in ["width", "height", "alt"] {
                set(&large, name, &attribute(&small, name));
            }
            tell(&self.root, "[data-shown]", &attribute(&small, "alt"));
            let source = attribute(&small, "src");
            set(&large, "src", &source.replace("width=320", "width=1280"));
            let link = item_of(&small).and_then(|item| find(&item, "a"));
            if let Some((about, link)) = find(&self.root, "[data-page]").zip(link) {
                set(&about, "href", &attribute(&link, "href"));
            }
            self.open.replace(Some(small));
            let dialog = self.dialog();
            if !dialog.open() {
                let _ = dialog.show_modal();
            }
        }

        fn step(&self, on: bool) {
            let next = self.next(on);
            let more = find(&self.root, "[data-next]");
            match more.filter(|_| on && next.is_none()) {
                Some(link) => spawn_local(self.clone().step_over(link)),
                None => self.show(next),
            }
        }

        /// Loads the next page first; meanwhile the visitor may have moved to another picture.
        async fn step_over(self, link: Element) {
            let open = self.open.borrow().clone();
            self.follow(link).await;
            if self.dialog().open() && *self.open.borrow() == open {
                self.show(self.next(true));
            }
        }

        /// The picture after the open one, or before it.
        fn next(&self, on: bool) -> Option<Element> {
            let pictures = find_all(&self.root, "[data-shelf] li:not([hidden]) img");
            let open = self.open.borrow();
            let at = pictures
                .iter()
                .position(|each| open.as_ref() == Some(each))?;
            let next = if on { at + 1 } else { at.checked_sub(1)? };
            pictures.get(next).cloned()
        }

        fn remove_open(&self) {
            let open = self.open.borrow().clone();
            if let Some(item) = open.and_then(|picture| item_of(&picture)).filter(sure) {
                // Before the toast, which could not take the focus otherwise.
                self.dialog().close();
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
            let items = boxes.iter().filter_map(item_of);
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
            let (init, headers) = (Init::new(), Headers::new());
            init.set_method("POST");
            init.set_body(&form_of(&ids).into());
            headers.set_content_type("application/x-www-form-urlencoded");
            let reply = ask(DELETE, &init, &headers).await;
            let gone = reply.is_ok_and(|(reply, _)| reply.ok());
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

        fn swipes(&self) {
            let begun = Rc::new(Cell::new(0));
            let start = begun.clone();
            let here = self.clone();
            listen(&self.dialog(), "pointerdown", move |event| {
                start.set(event.unchecked_ref::<PointerEvent>().client_x());
                here.beside.set(here.is_beside(&event));
            });
            let here = self.clone();
            listen(&self.dialog(), "pointerup", move |event| {
                let way = event.unchecked_ref::<PointerEvent>().client_x() - begun.get();
                if way.abs() > SWIPE {
                    here.step(way < 0);
                }
            });
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

    /// The entry that contains the element.
    fn item_of(at: &Element) -> Option<Element> {
        closest(at, "li")
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
