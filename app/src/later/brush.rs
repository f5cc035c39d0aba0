//! The brush: a visitor paints over the damage on the photo they chose.
//!
//! Strokes are drawn on a canvas (`data-mask`) above the preview. What is sent is its inverse, as the
//! API wants it: transparent where the photo is to be repaired.

use wasm_bindgen::{JsCast, prelude::wasm_bindgen};
use web_sys::{
    CanvasRenderingContext2d, Element, FormData, HtmlCanvasElement, HtmlImageElement,
    HtmlInputElement, PointerEvent,
};

use crate::browser::{closest, document, find, listen, set, target};

#[wasm_bindgen]
extern "C" {
    /// A form is about to be read.
    type FormRead;
    #[wasm_bindgen(method, getter, js_name = formData)]
    fn data(this: &FormRead) -> FormData;
}

/// The longer side of the canvas, pixels. The server keeps no more.
const SIDE: f64 = 512.0;

/// The colour of strokes before the mask is made; the style sheet makes them translucent.
const COLOUR: &str = "#ff7a1a";

/// Listens for the photo fields that have a brush.
pub(super) fn wake() {
    listen(&document(), "change", |event| {
        let tick = target(&event).filter(|at| at.has_attribute("data-paint"));
        if let Some((tick, chosen)) = tick.and_then(in_chosen) {
            let on = tick.unchecked_ref::<HtmlInputElement>().checked();
            let _ = chosen.toggle_attribute_with_force("data-painting", on);
            take_back(&chosen, true);
        }
    });
    listen(&document(), "click", |event| {
        if let Some((pressed, chosen)) = target(&event).and_then(in_chosen) {
            let all = pressed.has_attribute("data-wipe");
            if all || pressed.has_attribute("data-unpaint") {
                take_back(&chosen, all);
            }
        }
    });
    for event in ["pointerdown", "pointermove", "pointercancel"] {
        listen(&document(), event, |happened| {
            let sheet = target(&happened).filter(|at| at.has_attribute("data-mask"));
            if let Some(sheet) = sheet {
                stroke(sheet.unchecked_ref(), happened.unchecked_ref());
            }
        });
    }
    listen(&document(), "formdata", |event| {
        if let Some(mask) = target(&event).and_then(|form| mask(&form)) {
            let data = event.unchecked_ref::<FormRead>().data();
            let _ = data.set_with_str("mask", &mask);
        }
    });
}

fn in_chosen(at: Element) -> Option<(Element, Element)> {
    let chosen = closest(&at, "[data-chosen]")?;
    Some((at, chosen))
}

/// The mask as the API expects it, as a data URL, if anything was painted: a form is read at once, so a file cannot be
/// waited for.
fn mask(form: &Element) -> Option<String> {
    let canvas = find(form, "[data-painting] [data-painted]")?;
    let canvas: HtmlCanvasElement = canvas.unchecked_into();
    let sheet = sheet(&canvas)?;
    invert(&canvas, &sheet);
    let address = canvas.to_data_url();
    // If the form is refused, the strokes must still be there.
    invert(&canvas, &sheet);
    address.ok()
}

/// Paints what is transparent, and makes transparent what is painted.
fn invert(canvas: &HtmlCanvasElement, sheet: &CanvasRenderingContext2d) {
    sheet.set_fill_style_str(COLOUR);
    let _ = sheet.set_global_composite_operation("source-out");
    sheet.fill_rect(0.0, 0.0, canvas.width().into(), canvas.height().into());
    let _ = sheet.set_global_composite_operation("source-over");
}

/// Takes the last stroke back, or all: behind the canvas lie copies of it, each from before a stroke, the latest first.
fn take_back(chosen: &Element, all: bool) {
    let Some(canvas) = find(chosen, "[data-mask]") else {
        return;
    };
    let canvas: HtmlCanvasElement = canvas.unchecked_into();
    if all {
        stretch(chosen, &canvas);
    }
    while let Some(before) = canvas.next_element_sibling() {
        before.remove();
        if !all {
            copy(before.unchecked_ref(), &canvas, "copy");
            break;
        }
    }
    let painted = canvas.next_element_sibling().is_some();
    let _ = canvas.toggle_attribute_with_force("data-painted", painted);
}

fn copy(from: &HtmlCanvasElement, to: &HtmlCanvasElement, how: &str) {
    if let Some(sheet) = sheet(to) {
        let _ = sheet.set_global_composite_operation(how);
        let _ = sheet.draw_image_with_html_canvas_element(from, 0.0, 0.0);
    }
}

/// Empties the canvas, in the photo's shape.
fn stretch(chosen: &Element, canvas: &HtmlCanvasElement) {
    let Some(photo) = find(chosen, "[data-preview]") else {
        return;
    };
    let photo: HtmlImageElement = photo.unchecked_into();
    let (width, height) = (
        f64::from(photo.natural_width()),
        f64::from(photo.natural_height()),
    );
    let scale = SIDE / width.max(height).max(1.0);
    // A very narrow photo would have a width of zero.
    canvas.set_width((width * scale).round().max(1.0) as u32);
    canvas.set_height((height * scale).round().max(1.0) as u32);
}

fn sheet(canvas: &HtmlCanvasElement) -> Option<CanvasRenderingContext2d> {
    let context = canvas.get_context("2d").ok()??;
    Some(context.unchecked_into())
}

/// Draws from where the pointer was to where it is, while it is pressed.
fn stroke(canvas: &HtmlCanvasElement, pointer: &PointerEvent) {
    let Some((_, chosen)) = in_chosen(canvas.clone().into()) else {
        return;
    };
    // A second finger has come, and the page is moved.
    if pointer.type_() == "pointercancel" {
        return take_back(&chosen, false);
    }
    if pointer.buttons() & 1 == 0 {
        return;
    }
    let Some(sheet) = sheet(canvas) else {
        return;
    };
    let begins = pointer.type_() == "pointerdown";
    // The picture may have come since the brush was taken.
    if begins && !canvas.has_attribute("data-painted") {
        stretch(&chosen, canvas);
    }
    let wide = f64::from(canvas.width()) / f64::from(canvas.client_width().max(1));
    let (x, y) = (
        f64::from(pointer.offset_x()) * wide,
        f64::from(pointer.offset_y()) * wide,
    );
    if begins {
        pointer.prevent_default();
        let _ = canvas.set_pointer_capture(pointer.pointer_id());
        if let Ok(before) = canvas.clone_node() {
            let before: HtmlCanvasElement = before.unchecked_into();
            set(&before, "hidden", "");
            copy(canvas, &before, "copy");
            let _ = canvas.after_with_node_1(&before);
        }
        set(canvas, "data-painted", "");
        let steps = find(&chosen, "[data-width]").map_or(4.0, |input| {
            input.unchecked_into::<HtmlInputElement>().value_as_number()
        });
        let rubs = find(&chosen, "[data-rub]:checked").is_some();
        let drawn = if rubs {
            "destination-out"
        } else {
            "source-over"
        };
        let _ = sheet.set_global_composite_operation(drawn);
        sheet.set_line_width(SIDE / 128.0 * steps);
        sheet.set_line_cap("round");
        sheet.set_line_join("round");
        sheet.set_stroke_style_str(COLOUR);
        sheet.begin_path();
        sheet.move_to(x, y);
    }
    sheet.line_to(x, y);
    sheet.stroke();
}
