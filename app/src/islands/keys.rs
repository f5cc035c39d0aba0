//! Keys that work on every page.

use leptos::prelude::*;

/// Around the sheet that lists them (`data-sheet`).
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
    use web_sys::{HtmlDialogElement, KeyboardEvent};

    use crate::islands::browser::{document, find, focus, listen, target};

    pub(super) fn wake(root: Element) {
        listen(&document(), "keydown", move |event| {
            let key: &KeyboardEvent = event.unchecked_ref();
            let writing = target(&event).is_some_and(|at| {
                at.matches("input:not([type=checkbox], [type=radio]), textarea, select, dialog *")
                    .unwrap_or(false)
            });
            if writing || key.ctrl_key() || key.meta_key() || key.alt_key() {
                return;
            }
            match key.key().as_str() {
                "?" => show(&root),
                "/" => {
                    event.prevent_default();
                    write();
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

    /// Puts the cursor where words go on this page.
    fn write() {
        let field = document().query_selector("#prompt, #q").ok().flatten();
        if let Some(field) = field {
            focus(&field);
        }
    }
}
