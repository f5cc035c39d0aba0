//! The brush: a visitor paints over the damage on the photo they chose.
//!
//! Strokes are drawn on a canvas (`data-mask`) above the preview. What is sent is its inverse, as the
//! API wants it: transparent where the photo is to be repaired.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, prelude::wasm_bindgen};
use web_sys::{
    Blob, CanvasRenderingContext2d, Element, FormData, HtmlCanvasElement, HtmlImageElement,
    HtmlInputElement, PointerEvent,
};

use crate::browser::{closest, cut, document, find, listen, set, target, window};

#[wasm_bindgen]
extern "C" {
    /// A form is about to be read.
    type FormRead;
    #[wasm_bindgen(method, getter, js_name = formData)]
    fn data(this: &FormRead) -> FormData;
}

/// The longer side of the canvas, pixels. The server keeps no more than half of it.
const SIDE: f64 = 1024.0;

/// The colour of strokes before the mask is made; the style sheet makes them translucent.
const COLOUR: &str = "#ff7a1a";

/// Listens for the photo fields that have a brush.
pub(super) fn wake() {
    listen(&document(), "change", |event| {
        let tick = target(&event).filter(|at| at.has_attribute("data-paint"));
        if let Some((tick, chosen)) = tick.and_then(in_chosen) {
            let on = tick.unchecked_ref::<HtmlInputElement>().checked();
            let _ = chosen.toggle_attribute_with_force("data-painting", on);
            stretch(&chosen);
        }
    });
    listen(&document(), "click", |event| {
        let wipe = target(&event).filter(|at| at.has_attribute("data-wipe"));
        if let Some((_, chosen)) = wipe.and_then(in_chosen) {
            stretch(&chosen);
        }
    });
    for event in ["pointerdown", "pointermove"] {
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
            let _ = data.set_with_blob_and_filename("mask", &mask, "mask.png");
        }
    });
}

fn in_chosen(at: Element) -> Option<(Element, Element)> {
    let chosen = closest(&at, "[data-chosen]")?;
    Some((at, chosen))
}

/// The mask as the API expects it, if anything was painted.
fn mask(form: &Element) -> Option<Blob> {
    let canvas = find(form, "[data-painting] [data-painted]")?;
    let canvas: HtmlCanvasElement = canvas.unchecked_into();
    let sheet = sheet(&canvas)?;
    invert(&canvas, &sheet);
    // A form is read at once, so the file cannot be waited for.
    let address = canvas.to_data_url();
    // If the form is refused, the strokes must still be there.
    invert(&canvas, &sheet);
    let address = address.ok()?;
    let encoded = cut(&address, b',').1;
    let bytes: Vec<u8> = (window().atob(encoded).ok()?.chars())
        .map(|c| c as u8)
        .collect();
    Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(&*bytes))).ok()
}

/// Paints what is transparent, and makes transparent what is painted.
fn invert(canvas: &HtmlCanvasElement, sheet: &CanvasRenderingContext2d) {
    sheet.set_fill_style_str(COLOUR);
    let _ = sheet.set_global_composite_operation("source-out");
    sheet.fill_rect(0.0, 0.0, canvas.width().into(), canvas.height().into());
    let _ = sheet.set_global_composite_operation("source-over");
}

/// An empty canvas of the photo's shape.
fn stretch(chosen: &Element) {
    let (Some(canvas), Some(photo)) = (find(chosen, "[data-mask]"), find(chosen, "[data-preview]"))
    else {
        return;
    };
    let photo: HtmlImageElement = photo.unchecked_into();
    let (width, height) = (
        f64::from(photo.natural_width()),
        f64::from(photo.natural_height()),
    );
    let scale = SIDE / width.max(height).max(1.0);
    let _ = canvas.remove_attribute("data-painted");
    let canvas: HtmlCanvasElement = canvas.unchecked_into();
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
    let pressed = pointer.buttons() & 1 == 1;
    let Some(sheet) = sheet(canvas).filter(|_| pressed) else {
        return;
    };
    let wide = f64::from(canvas.width()) / f64::from(canvas.client_width().max(1));
    let (x, y) = (
        f64::from(pointer.offset_x()) * wide,
        f64::from(pointer.offset_y()) * wide,
    );
    if pointer.type_() == "pointerdown" {
        pointer.prevent_default();
        let _ = canvas.set_pointer_capture(pointer.pointer_id());
        set(canvas, "data-painted", "");
        let width = canvas.closest("[data-chosen]").ok().flatten();
        let width = width.and_then(|chosen| find(&chosen, "[data-width]"));
        let steps = width.map_or(4.0, |input| {
            input.unchecked_into::<HtmlInputElement>().value_as_number()
        });
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
