//! The brush: a visitor paints over the damage on the photo they chose.
//!
//! Strokes are drawn on a canvas (`data-mask`) above the preview. What is sent is its inverse, as the
//! API wants it: transparent where the photo is to be repaired.

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, CanvasRenderingContext2d, Element, HtmlCanvasElement, HtmlImageElement, HtmlInputElement,
    PointerEvent,
};

use super::browser::{find, listen, set};

/// The longer side of the canvas, pixels. The server keeps no more than half of it.
const SIDE: f64 = 1024.0;

/// The colour of strokes before the mask is made; the style sheet makes them translucent.
const COLOUR: &str = "#ff7a1a";

/// Prepares the brush of a photo field that has one.
pub(super) fn wake(field: &Element) {
    let (Some(canvas), Some(chosen), Some(tick), Some(wipe)) = (
        find(field, "[data-mask]"),
        find(field, "[data-chosen]"),
        find(field, "[data-paint]"),
        find(field, "[data-wipe]"),
    ) else {
        return;
    };
    let easel = chosen.clone();
    listen(&tick.clone(), "change", move |_| {
        let on = tick.unchecked_ref::<HtmlInputElement>().checked();
        let _ = easel.toggle_attribute_with_force("data-painting", on);
        stretch(&easel);
    });
    listen(&wipe, "click", move |_| stretch(&chosen));
    for event in ["pointerdown", "pointermove"] {
        let sheet = canvas.clone();
        listen(&canvas, event, move |happened| {
            stroke(sheet.unchecked_ref(), happened.unchecked_ref());
        });
    }
}

/// Removes the brush with the photo.
pub(super) fn put_away(chosen: &Element) {
    let _ = chosen.remove_attribute("data-painting");
    if let Some(tick) = find(chosen, "[data-paint]") {
        tick.unchecked_into::<HtmlInputElement>().set_checked(false);
    }
}

/// Whether the brush is in use and nothing has been painted.
pub(super) fn forgotten(form: &Element) -> bool {
    find(form, "[data-painting]").is_some()
        && find(form, "[data-painting] [data-painted]").is_none()
}

/// The mask as the API expects it, if anything was painted.
pub(super) async fn mask(form: &Element) -> Option<Blob> {
    let canvas = find(form, "[data-painting] [data-painted]")?;
    let canvas: HtmlCanvasElement = canvas.unchecked_into();
    let sheet = sheet(&canvas)?;
    invert(&canvas, &sheet);
    let blob = Promise::new(&mut |done, _| {
        let ready = Closure::once_into_js(move |blob: JsValue| {
            let _ = done.call1(&JsValue::NULL, &blob);
        });
        let _ = canvas.to_blob(ready.unchecked_ref());
    });
    // If the form is refused, the strokes must still be there.
    invert(&canvas, &sheet);
    JsFuture::from(blob).await.ok()?.dyn_into().ok()
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
