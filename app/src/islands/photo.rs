//! The photo field: looks at a chosen file before it travels, and shows it.

use leptos::prelude::*;

/// Around a file input and the place for its preview (`data-chosen`), inside a form.
#[island]
pub fn Photo(children: Children) -> impl IntoView {
    view! { <div class="photo" use:wake>{children()}</div> }
}

#[cfg(not(feature = "hydrate"))]
fn wake(_: leptos::web_sys::Element) {}

#[cfg(feature = "hydrate")]
use awake::wake;

#[cfg(feature = "hydrate")]
mod awake {
    use leptos::web_sys::Element;
    use wasm_bindgen::JsCast;
    use web_sys::{ClipboardEvent, File, HtmlImageElement, HtmlInputElement, Url};

    use crate::{
        islands::{
            browser::{attribute, document, find, listen, number, said, set, tell},
            brush,
        },
        texts::Said,
        words,
    };

    pub(super) fn wake(field: Element) {
        let Some(input) = find(&field, "[type=file]") else {
            return;
        };
        let Some(preview) = find(&field, "[data-preview]") else {
            return;
        };
        let Ok(Some(form)) = field.closest("form") else {
            return;
        };
        for event in ["dragenter", "dragleave", "drop"] {
            let zone = field.clone();
            listen(&input, event, move |happened| {
                let _ =
                    zone.toggle_attribute_with_force("data-over", happened.type_() == "dragenter");
            });
        }
        let place = field.clone();
        listen(&input, "change", move |_| look(&place));
        let place = field.clone();
        listen(&form, "reset", move |_| hide(&place));
        brush::wake(&field);
        let (place, files) = (field.clone(), input.clone());
        listen(&document(), "paste", move |event| {
            let event: &ClipboardEvent = event.unchecked_ref();
            let pasted = event.clipboard_data().and_then(|data| data.files());
            if let Some(pasted) = pasted.filter(|list| list.length() > 0) {
                let files: &HtmlInputElement = files.unchecked_ref();
                files.set_files(Some(&pasted));
                look(&place);
            }
        });
        // Without this script a form sends one photo.
        set(&input, "multiple", "");
        // A slow connection: chosen before this woke.
        look(&field);
        listen(&preview, "load", move |_| measure(&field));
        // A picture that only the server can read: its name must do.
        listen(&preview.clone(), "error", move |_| {
            set(&preview, "hidden", "");
        });
    }

    fn input(field: &Element) -> Option<HtmlInputElement> {
        find(field, "[type=file]").map(JsCast::unchecked_into)
    }

    /// Type and size, then the picture itself.
    fn look(field: &Element) {
        hide(field);
        let Some(input) = input(field) else { return };
        let files: Vec<File> = input
            .files()
            .map(|list| (0..list.length()).filter_map(|at| list.get(at)).collect())
            .unwrap_or_default();
        let Some(file) = files.first() else { return };
        if let Some(objection) = files.iter().find_map(|file| objection(&input, file)) {
            return refuse(field, &objection);
        }
        alert(field, "");
        let mut name = file.name();
        if files.len() > 1 {
            name = said(Said::More, &[&name, &(files.len() - 1).to_string()]);
        }
        tell(field, "[data-name]", &name);
        if let (Some(chosen), Some(image)) =
            (find(field, "[data-chosen]"), find(field, "[data-preview]"))
        {
            let _ = image.remove_attribute("hidden");
            set(
                &image,
                "src",
                &Url::create_object_url_with_blob(file).unwrap_or_default(),
            );
            let _ = chosen.remove_attribute("hidden");
            let _ = chosen.toggle_attribute_with_force("data-one", files.len() == 1);
        }
    }

    /// Why a file cannot be taken, as far as its name tells.
    fn objection(input: &HtmlInputElement, file: &File) -> Option<String> {
        let kind = file.type_();
        // Where the system does not know the type, the server decides.
        if !kind.is_empty() && !input.accept().contains(&kind) {
            return Some(said(Said::NoPhoto, &[]));
        }
        if file.size() < 1.0 {
            return Some(said(Said::Empty, &[]));
        }
        let most = number(input, "data-max-bytes");
        if file.size() > most as f64 {
            let sizes = [file.size() as u64, most].map(words::megabytes);
            return Some(said(Said::TooLarge, &[&sizes[0], &sizes[1]]));
        }
        None
    }

    /// Too many pixels are noticed once the browser has read the picture.
    fn measure(field: &Element) {
        let (Some(input), Some(image)) = (input(field), find(field, "[data-preview]")) else {
            return;
        };
        let image: HtmlImageElement = image.unchecked_into();
        let pixels = u64::from(image.natural_width()) * u64::from(image.natural_height());
        let most = number(&input, "data-max-pixels");
        let _ = Url::revoke_object_url(&attribute(&image, "src"));
        if pixels > most {
            let (pixels, most) = (pixels.div_ceil(1_000_000), most / 1_000_000);
            let sizes = [pixels.to_string(), most.to_string()];
            refuse(field, &said(Said::TooManyPixels, &[&sizes[0], &sizes[1]]));
        }
    }

    fn refuse(field: &Element, objection: &str) {
        if let Some(input) = input(field) {
            input.set_value("");
        }
        hide(field);
        alert(field, objection);
    }

    fn hide(field: &Element) {
        if let Some(chosen) = find(field, "[data-chosen]") {
            set(&chosen, "hidden", "");
            brush::put_away(&chosen);
        }
    }

    fn alert(field: &Element, text: &str) {
        if let Ok(Some(form)) = field.closest("form") {
            tell(&form, "[data-alert]", text);
        }
    }
}
