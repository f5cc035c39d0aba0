//! The picture in the lightbox as it is zoomed and moved: by wheel, fingers and keys.

use std::{
    cell::{Cell, RefCell},
    mem::replace,
};

use wasm_bindgen::{JsCast, prelude::wasm_bindgen};
use web_sys::{Element, HtmlElement, HtmlImageElement, MouseEvent, PointerEvent};

use crate::browser::{find, number, set};

#[wasm_bindgen]
extern "C" {
    type Styled;
    #[wasm_bindgen(method, getter)]
    fn style(this: &Styled) -> Style;

    type Style;
    #[wasm_bindgen(method, js_name = setProperty)]
    fn put(this: &Style, name: &str, value: f64);
}

/// Pixels of the window to one of the picture, at most.
const CLOSEST: f64 = 4.0;

pub(super) struct Glass {
    /// The box that the picture fills, in the middle of its parent.
    sheet: Element,
    style: Style,
    /// Width of the picture, pixels.
    width: Cell<f64>,
    place: Cell<Place>,
    /// The pointers that are pressed.
    fingers: RefCell<Vec<Finger>>,
    /// Where the first was pressed.
    begun: Cell<f64>,
}

/// How far the picture is moved from the middle, in pixels of the window, and how many times it is enlarged.
#[derive(Clone, Copy)]
struct Place {
    x: f64,
    y: f64,
    zoom: f64,
}

const WHOLE: Place = Place {
    x: 0.0,
    y: 0.0,
    zoom: 1.0,
};

#[derive(Clone, Copy)]
struct Finger {
    id: i32,
    x: f64,
    y: f64,
}

impl Finger {
    fn of(event: &PointerEvent) -> Self {
        Self {
            id: event.pointer_id(),
            x: event.client_x().into(),
            y: event.client_y().into(),
        }
    }

    fn apart(self, other: Self) -> f64 {
        let (x, y) = (self.x - other.x, self.y - other.y);
        (x * x + y * y).sqrt().max(1.0)
    }
}

impl Glass {
    pub(super) fn over(sheet: Element) -> Self {
        Self {
            style: sheet.unchecked_ref::<Styled>().style(),
            sheet,
            width: Cell::new(1.0),
            place: Cell::new(WHOLE),
            fingers: RefCell::default(),
            begun: Cell::default(),
        }
    }

    /// Takes the shape of a picture, which is seen whole. Until it has come, what the page shows of it is seen.
    pub(super) fn fit(&self, picture: &Element) {
        let side = |name| number(picture, name) as f64;
        self.width.set(side("width"));
        self.style.put("--w", side("width"));
        self.style.put("--h", side("height"));
        if let Some(under) = find(&self.sheet, "[data-under]") {
            under.set_text_content(None);
            let seen = (picture.unchecked_ref::<HtmlImageElement>().natural_width() > 0)
                .then(|| picture.clone())
                .or_else(|| picture.previous_element_sibling());
            if let Some(copy) = seen.and_then(|seen| seen.clone_node_with_deep(true).ok()) {
                set(copy.unchecked_ref(), "alt", "");
                let _ = under.append_child(&copy);
            }
        }
        self.put(WHOLE);
    }

    pub(super) fn is_zoomed(&self) -> bool {
        self.place.get().zoom > 1.0
    }

    /// Between the whole picture and its pixels.
    pub(super) fn switch(&self, at: Option<&MouseEvent>) {
        if self.is_zoomed() {
            return self.put(WHOLE);
        }
        let actual = self.width.get() / f64::from(self.sheet.client_width().max(1));
        // A picture that is seen in its pixels already is enlarged.
        self.zoom(if actual > 1.05 { actual } else { 2.0 }, at);
    }

    /// Enlarges the picture that many times more, where the pointer is or in the middle.
    pub(super) fn zoom(&self, times: f64, at: Option<&MouseEvent>) {
        let at = at.map(|event| (event.client_x().into(), event.client_y().into()));
        self.zoom_about(times, at);
    }

    fn zoom_about(&self, times: f64, at: Option<(f64, f64)>) {
        let place = self.place.get();
        let wide = f64::from(self.sheet.client_width().max(1));
        let most = (CLOSEST * self.width.get() / wide).max(2.0);
        let zoom = (place.zoom * times).min(most).max(1.0);
        let middle = self.middle();
        let at = at.unwrap_or(middle);
        let moved = |from: f64, to: f64| to - (to - from) * zoom / place.zoom;
        self.put(Place {
            x: moved(place.x, at.0 - middle.0),
            y: moved(place.y, at.1 - middle.1),
            zoom,
        });
    }

    pub(super) fn shift(&self, x: f64, y: f64) {
        let place = self.place.get();
        self.put(Place {
            x: place.x + x,
            y: place.y + y,
            ..place
        });
    }

    /// The middle of the box in the window.
    fn middle(&self) -> (f64, f64) {
        let stage: Option<HtmlElement> = self.sheet.parent_element().map(JsCast::unchecked_into);
        stage.map_or((0.0, 0.0), |stage| {
            let half = |side: i32| f64::from(side) / 2.0;
            (
                half(stage.client_width()),
                half(stage.client_height()) + f64::from(stage.offset_top()),
            )
        })
    }

    /// Moves the picture, but not past its edges.
    fn put(&self, mut place: Place) {
        if let Some(stage) = self.sheet.parent_element() {
            let bound = |at: f64, own: i32, around: i32| {
                let most = (f64::from(own) * place.zoom - f64::from(around)).max(0.0) / 2.0;
                at.min(most).max(-most)
            };
            place.x = bound(place.x, self.sheet.client_width(), stage.client_width());
            place.y = bound(place.y, self.sheet.client_height(), stage.client_height());
        }
        self.place.set(place);
        self.style.put("--x", place.x);
        self.style.put("--y", place.y);
        self.style.put("--zoom", place.zoom);
    }

    pub(super) fn press(&self, event: &PointerEvent) {
        let mut fingers = self.fingers.borrow_mut();
        let finger = Finger::of(event);
        // One whose release was not seen is gone.
        if event.is_primary() {
            fingers.clear();
            self.begun.set(finger.x);
        } else {
            // Two fingers do not swipe.
            self.begun.set(f64::NAN);
        }
        fingers.push(finger);
    }

    /// One finger moves the picture, two stretch it as well.
    pub(super) fn drag(&self, event: &PointerEvent) {
        let now = Finger::of(event);
        let (mut before, mut other) = (None, None);
        for finger in self.fingers.borrow_mut().iter_mut() {
            if finger.id == now.id {
                before = Some(replace(finger, now));
            } else {
                other = Some(*finger);
            }
        }
        match (before, other) {
            (Some(before), Some(other)) => {
                self.shift((now.x - before.x) / 2.0, (now.y - before.y) / 2.0);
                let middle = ((now.x + other.x) / 2.0, (now.y + other.y) / 2.0);
                self.zoom_about(now.apart(other) / before.apart(other), Some(middle));
            }
            (Some(before), None) => self.shift(now.x - before.x, now.y - before.y),
            (None, _) => {}
        }
    }

    /// Lifts a finger. Returns how far it has swiped to the right, if it was the only one and nothing was zoomed.
    pub(super) fn lift(&self, event: &PointerEvent) -> f64 {
        let mut fingers = self.fingers.borrow_mut();
        let alone = fingers.len() == 1 && !self.is_zoomed();
        let finger = Finger::of(event);
        fingers.retain(|other| other.id != finger.id);
        if alone {
            finger.x - self.begun.get()
        } else {
            0.0
        }
    }
}
