//! The photo field: checks a chosen file before it is uploaded, and shows it.

use leptos::prelude::*;

/// Wraps a file input and the container of its preview (`data-chosen`), inside a form.
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
    use std::cell::RefCell;

    use leptos::web_sys::Element;
    use wasm_bindgen::JsCast;
    use web_sys::{ClipboardEvent, DragEvent, File, HtmlImageElement, HtmlInputElement, Url};

    use crate::{
        browser::{
            attribute, closest, document, files, find, listen, message, number, refusal, set,
            set_files, target, tell,
        },
        texts::Message,
        words,
    };

    thread_local! {
        /// What is attached so far. A page has one such field.
        static KEPT: RefCell<Vec<File>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn wake(field: Element) {
        let Some(input) = find(&field, "[type=file]") else {
            return;
        };
        let Some(preview) = find(&field, "[data-preview]") else {
            return;
        };
        let place = field.clone();
        listen(&input, "change", move |_| add(&place));
        let place = field.clone();
        listen(&field, "click", move |event| {
            let button = target(&event).filter(|at| at.has_attribute("data-take"));
            if let (Some(button), Some(input)) = (button, self::input(&place)) {
                let mut files = files(&input);
                files.remove(number(&button, "data-take") as usize);
                set_files(&input, &files);
                look(&place);
            }
        });
        listen_for_files(&field, &input);
        // Without this script a form sends one photo.
        set(&input, "multiple", "");
        // On a slow connection a file may have been chosen before hydration.
        look(&field);
        listen(&preview, "load", move |_| measure(&field));
        // For a picture that only the server can read, the name is shown.
        listen(&preview.clone(), "error", move |_| {
            forget(&preview);
            set(&preview, "hidden", "");
        });
    }

    /// Accepts photos dropped, on the field or beside it, or pasted.
    fn listen_for_files(field: &Element, input: &Element) {
        for event in ["dragenter", "dragleave", "drop"] {
            let zone = field.clone();
            listen(input, event, move |happened| {
                let _ =
                    zone.toggle_attribute_with_force("data-over", happened.type_() == "dragenter");
            });
        }
        for event in ["drop", "paste"] {
            let (place, input) = (field.clone(), input.clone());
            listen(&document(), event, move |event| {
                let brought = match event.dyn_ref::<DragEvent>() {
                    // The browser handles drops on the field itself.
                    Some(_) if target(&event).as_ref() == Some(&input) => None,
                    Some(drop) => drop.data_transfer(),
                    None => event.unchecked_ref::<ClipboardEvent>().clipboard_data(),
                };
                let files = brought.and_then(|brought| brought.files());
                if let Some(files) = files.filter(|list| list.length() > 0) {
                    let input: &HtmlInputElement = input.unchecked_ref();
                    input.set_files(Some(&files));
                    add(&place);
                }
            });
        }
    }

    /// What is attached to a prompt comes to what is there; another photo takes its place.
    fn add(field: &Element) {
        if let Some(input) = input(field).filter(|input| input.has_attribute("data-most")) {
            let mut all = KEPT.take();
            all.extend(files(&input));
            set_files(&input, &all);
        }
        look(field);
    }

    fn input(field: &Element) -> Option<HtmlInputElement> {
        find(field, "[type=file]").map(JsCast::unchecked_into)
    }

    /// Checks type and size, then shows the picture. Unsuitable files are deselected.
    fn look(field: &Element) {
        hide(field);
        let Some(input) = input(field) else { return };
        let (mut files, mut refusals) = (files(&input), String::new());
        let all = files.len();
        files.retain(|file| match objection(&input, file) {
            Some(objection) => {
                refusal(&mut refusals, (all > 1).then(|| file.name()), &objection);
                false
            }
            None => true,
        });
        let most = number(&input, "data-most");
        if most > 0 && files.len() > most as usize {
            files.truncate(most as usize);
            refusal(
                &mut refusals,
                None,
                &message(Message::TooMany, &[&most.to_string()]),
            );
        }
        if files.len() < all {
            set_files(&input, &files);
        }
        if let Some(list) = find(field, "[data-thumbs]") {
            lay_out(&list, &files);
        }
        alert(field, &refusals);
        if let Some(file) = files.first() {
            show(field, file, files.len());
        }
        KEPT.set(files);
    }

    /// Shows each picture, with a button that takes it away.
    fn lay_out(list: &Element, files: &[File]) {
        let Some(pattern) = list.first_element_child() else {
            return;
        };
        while let Some(old) = pattern.next_element_sibling() {
            find(&old, "img").iter().for_each(forget);
            old.remove();
        }
        for (place, file) in files.iter().enumerate() {
            let Ok(item) = pattern.clone_node_with_deep(true) else {
                continue;
            };
            let item: Element = item.unchecked_into();
            let _ = item.remove_attribute("hidden");
            if let (Some(image), Some(button)) = (find(&item, "img"), find(&item, "button")) {
                let address = Url::create_object_url_with_blob(file).unwrap_or_default();
                set(&image, "src", &address);
                set(&image, "alt", &file.name());
                set(&button, "data-take", &place.to_string());
            }
            let _ = list.append_child(&item);
        }
    }

    /// The first of the photos, and how many there are.
    fn show(field: &Element, file: &File, count: usize) {
        let mut name = file.name();
        if count > 1 {
            name = message(Message::More, &[&name, &(count - 1).to_string()]);
        }
        tell(field, "[data-name]", &name);
        if let (Some(chosen), Some(image)) =
            (find(field, "[data-chosen]"), find(field, "[data-preview]"))
        {
            let _ = image.remove_attribute("hidden");
            let address = Url::create_object_url_with_blob(file).unwrap_or_default();
            set(&image, "src", &address);
            let _ = chosen.remove_attribute("hidden");
            let _ = chosen.toggle_attribute_with_force("data-one", count == 1);
        }
    }

    /// Why a file is unsuitable, as far as its type and size tell.
    fn objection(input: &HtmlInputElement, file: &File) -> Option<String> {
        let kind = file.type_();
        // If the system does not know the type, the server decides.
        if !kind.is_empty() && !input.accept().contains(&kind) {
            return Some(message(Message::NoPhoto, &[]));
        }
        if file.size() < 1.0 {
            return Some(message(Message::Empty, &[]));
        }
        let most = number(input, "data-max-bytes");
        if file.size() > most as f64 {
            let sizes = [file.size() as u64, most].map(words::megabytes);
            return Some(message(Message::TooLarge, &[&sizes[0], &sizes[1]]));
        }
        None
    }

    /// Checks the number of pixels once the browser has decoded the picture.
    fn measure(field: &Element) {
        let (Some(input), Some(image)) = (input(field), find(field, "[data-preview]")) else {
            return;
        };
        forget(&image);
        let image: HtmlImageElement = image.unchecked_into();
        let pixels = u64::from(image.natural_width()) * u64::from(image.natural_height());
        let most = number(&input, "data-max-pixels");
        if pixels > most {
            let (pixels, most) = (pixels.div_ceil(1_000_000), most / 1_000_000);
            let sizes = [pixels.to_string(), most.to_string()];
            let text = message(Message::TooManyPixels, &[&sizes[0], &sizes[1]]);
            let others = files(&input).into_iter().skip(1);
            set_files(&input, &others.collect::<Vec<_>>());
            look(field);
            alert(field, &text);
        } else if input.has_attribute("data-most") && files(&input).len() == 1 {
            choose_shape(field, &image);
        }
    }

    /// What is made of a picture has its shape, unless another is chosen.
    fn choose_shape(field: &Element, image: &HtmlImageElement) {
        let (width, height) = (image.natural_width(), image.natural_height());
        let shape = match (width * 9 > height * 10, height * 9 > width * 10) {
            (true, _) => "[value='1536x1024']",
            (_, true) => "[value='1024x1536']",
            _ => "[value='1024x1024']",
        };
        let form = closest(field, "form");
        if let Some(choice) = form.and_then(|form| find(&form, shape)) {
            choice
                .unchecked_into::<HtmlInputElement>()
                .set_checked(true);
        }
    }

    /// Lets the browser release the file of a preview.
    fn forget(preview: &Element) {
        let _ = Url::revoke_object_url(&attribute(preview, "src"));
    }

    fn hide(field: &Element) {
        if let Some(chosen) = find(field, "[data-chosen]") {
            set(&chosen, "hidden", "");
            put_brush_away(&chosen);
        }
    }

    /// Removes the brush with the photo.
    fn put_brush_away(chosen: &Element) {
        let _ = chosen.remove_attribute("data-painting");
        if let Some(tick) = find(chosen, "[data-paint]") {
            tick.unchecked_into::<HtmlInputElement>().set_checked(false);
        }
    }

    fn alert(field: &Element, text: &str) {
        if let Some(form) = closest(field, "form") {
            tell(&form, "[data-alert]", text);
        }
    }
}
