//! Keys that work on every page, unless the visitor switched them off.

use leptos::prelude::*;

/// Wraps the sheet that lists them (`data-sheet`).
#[island]
pub fn Keys(children: Children) -> impl IntoView {
    view! { <div use:wake>{children()}</div> }
}

#[cfg(not(feature = "hydrate"))]
fn wake(_: leptos::web_sys::Element) {}

#[cfg(feature = "hydrate")]
use awake::wake;

#[cfg(feature = "hydrate")]
mod awake {
    use leptos::web_sys::Element;
    use wasm_bindgen::JsCast;
    use web_sys::{HtmlDialogElement, HtmlInputElement, KeyboardEvent, Storage};

    use crate::islands::browser::{document, find, focus, listen, target, window};

    /// The storage entry that records that the keys are off.
    const OFF: &str = "keys-off";

    pub(super) fn wake(root: Element) {
        let Some(off) = find(&root, "[data-off]") else {
            return;
        };
        let off: HtmlInputElement = off.unchecked_into();
        off.set_checked(noted().is_some_and(|notes| notes.get_item(OFF).ok().flatten().is_some()));
        let tick = off.clone();
        listen(&off, "change", move |_| {
            if let Some(notes) = noted() {
                let _ = match tick.checked() {
                    true => notes.set_item(OFF, ""),
                    false => notes.remove_item(OFF),
                };
            }
        });
        let sheet = root.clone();
        listen(&document(), "click", move |event| {
            if target(&event).is_some_and(|at| at.has_attribute("data-keys")) {
                show(&sheet);
            }
        });
        listen(&document(), "keydown", move |event| {
            let key: &KeyboardEvent = event.unchecked_ref();
            let writing = target(&event).is_some_and(|at| {
                at.matches("input:not([type=checkbox], [type=radio]), textarea, select, dialog *")
                    .unwrap_or(false)
            });
            if off.checked() || writing || key.ctrl_key() || key.meta_key() || key.alt_key() {
                return;
            }
            match key.key().as_str() {
                "?" => show(&root),
                "/" => {
                    // Focuses the text field of this page.
                    if let Ok(Some(field)) = document().query_selector("#prompt, #q") {
                        event.prevent_default();
                        focus(&field);
                    }
                }
                _ => {}
            }
        });
    }

    fn show(root: &Element) {
        if let Some(sheet) = find(root, "[data-sheet]") {
            let sheet: HtmlDialogElement = sheet.unchecked_into();
            if !sheet.open() {
                let _ = sheet.show_modal();
            }
        }
    }

    /// The browser's local storage, if it has any.
    fn noted() -> Option<Storage> {
        window().local_storage().ok().flatten()
    }
}
