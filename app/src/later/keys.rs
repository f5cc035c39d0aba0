//! Keys that work on every page, unless the visitor switched them off.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlDialogElement, HtmlInputElement, KeyboardEvent, Storage};

use crate::browser::{document, find, focus, listen, target, window};

/// The storage entry that records that the keys are off.
const OFF: &str = "keys-off";

/// Fields that take these keys for themselves.
const WRITING: &str = "input:not([type=checkbox], [type=radio]), textarea, select, dialog *";

pub(super) fn wake() {
    let Ok(Some(sheet)) = document().query_selector("[data-sheet]") else {
        return;
    };
    let Some(off) = find(&sheet, "[data-off]") else {
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
    let shown = sheet.clone();
    listen(&document(), "click", move |event| {
        if target(&event).is_some_and(|at| at.has_attribute("data-keys")) {
            show(&shown);
        }
    });
    listen(&document(), "keydown", move |event| {
        let key: &KeyboardEvent = event.unchecked_ref();
        let writing = target(&event).is_some_and(|at| at.matches(WRITING).unwrap_or(false));
        if off.checked() || writing || key.ctrl_key() || key.meta_key() || key.alt_key() {
            return;
        }
        match key.key().as_str() {
            "?" => show(&sheet),
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

fn show(sheet: &Element) {
    let sheet: &HtmlDialogElement = sheet.unchecked_ref();
    if !sheet.open() {
        let _ = sheet.show_modal();
    }
}

/// The browser's local storage, if it has any.
fn noted() -> Option<Storage> {
    window().local_storage().ok().flatten()
}
