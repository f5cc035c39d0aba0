//! The lightbox: one picture at a time in the whole window, down to its pixels.
//!
//! An entry of the browser's history stands for the open lightbox, so that "Back" closes it.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    Element, Event, EventTarget, HtmlDialogElement, HtmlImageElement, KeyboardEvent, PointerEvent,
    WheelEvent,
};

use super::glass::Glass;
use crate::{
    browser::{
        attribute, closest, digits, dispatch, document, find, find_all, focus, listen, message,
        plain, set, target, tell, window, without_query,
    },
    texts::Message,
};

/// Minimum swipe to another picture, in pixels.
const SWIPE: f64 = 50.0;

/// How many times larger a key makes a picture.
const CLOSER: f64 = 1.5;

/// How far a key moves it, in pixels.
const STRIDE: f64 = 80.0;

/// The pictures there are to be seen, in order.
const PICTURES: &str =
    "li:not([hidden]) img[data-page], .job:not([data-doomed]) .frame img[data-page]";

/// What belongs to the open picture: what is beside it closes the lightbox.
const PARTS: &str = "[data-large], p, button";

struct Viewer {
    dialog: HtmlDialogElement,
    large: HtmlImageElement,
    glass: Glass,
    /// The small picture whose large one is shown.
    open: RefCell<Option<Element>>,
    /// Whether an entry of the history is the lightbox's.
    entered: Cell<bool>,
    /// Whether the browser is about to leave that entry.
    leaving: Cell<bool>,
    /// The address that the page has got meanwhile.
    address: RefCell<Option<String>>,
    /// Whether the last press began beside the picture.
    beside: Cell<bool>,
}

/// Listens for pictures that are to be opened.
pub(super) fn wake() {
    let root = document().document_element();
    let Some(dialog) = root.and_then(|root| find(&root, "[data-lightbox]")) else {
        return;
    };
    let (Some(large), Some(sheet)) = (
        find(&dialog, "[data-large]"),
        find(&dialog, "[data-picture]"),
    ) else {
        return;
    };
    let viewer = Rc::new(Viewer {
        glass: Glass::over(sheet),
        dialog: dialog.unchecked_into(),
        large: large.unchecked_into(),
        open: RefCell::default(),
        entered: Cell::default(),
        leaving: Cell::default(),
        address: RefCell::default(),
        beside: Cell::default(),
    });
    let hear = |at: &EventTarget, events: &[&str]| {
        for event in events {
            let here = viewer.clone();
            listen(at, event, move |event| here.heard(&event));
        }
    };
    hear(&window(), &["popstate"]);
    hear(&document(), &["click", "grown"]);
    hear(&viewer.large, &["load"]);
    hear(
        &viewer.dialog,
        &[
            "close",
            "dblclick",
            "keydown",
            "wheel",
            "pointerdown",
            "pointermove",
            "pointerup",
            "pointercancel",
        ],
    );
}

impl Viewer {
    fn heard(&self, event: &Event) {
        match event.type_().as_str() {
            "click" => self.clicked(event),
            "close" => self.closed(),
            "popstate" => self.went_back(),
            "grown" => self.grown(),
            "load" => {
                let _ = self.large.remove_attribute("data-late");
            }
            "keydown" => self.key(event),
            "wheel" => self.wheel(event.unchecked_ref()),
            other => self.pointer(other, event),
        }
    }

    fn clicked(&self, event: &Event) {
        let Some(at) = target(event) else { return };
        let inside = |selector: &str| closest(&at, selector);
        if let Some(link) = inside("[data-view]").filter(|_| plain(event)) {
            let beside = || find(&closest(&link, ".frame")?, "img[data-page]");
            if let Some(small) = find(&link, "img[data-page]").or_else(beside) {
                event.prevent_default();
                self.show(small);
            }
            return;
        }
        if !self.dialog.contains(Some(&at)) {
            return;
        }
        if let Some(step) = inside("[data-step]") {
            self.step(attribute(&step, "data-step") == "1");
        } else if inside("[data-actual]").is_some() {
            self.glass.switch(None);
            self.refine();
        } else if inside("[data-remove]").is_some() {
            self.remove();
        } else if let Some(link) = inside("a:not([download])").filter(|_| plain(event)) {
            // In the place of the lightbox's entry, or "Back" would lead to that.
            event.prevent_default();
            self.entered.set(false);
            self.dialog.close();
            let _ = window().location().replace(&attribute(&link, "href"));
        } else if inside("[data-close]").is_some() || self.beside.get() && inside(PARTS).is_none() {
            self.dialog.close();
        }
    }

    fn pictures(&self) -> Vec<Element> {
        let root = document().document_element();
        root.map(|root| find_all(&root, PICTURES))
            .unwrap_or_default()
    }

    /// Shows a picture, its small copy until the large one has come.
    fn show(&self, small: Element) {
        let large: &Element = &self.large;
        set(large, "data-late", "");
        for name in ["srcset", "src"] {
            let _ = large.remove_attribute(name);
        }
        for name in ["width", "height", "alt", "srcset"] {
            set(large, name, &attribute(&small, name));
        }
        set(large, "src", without_query(&attribute(&small, "src")));
        self.glass.fit(&small);
        tell(&self.dialog, "[data-words]", &attribute(&small, "alt"));
        for way in find_all(&self.dialog, "[data-way]") {
            let address = small.get_attribute(&attribute(&way, "data-way"));
            let _ = way.toggle_attribute_with_force("hidden", address.is_none());
            set(&way, "href", &address.unwrap_or_default());
        }
        let kept = closest(&small, "[data-shelf]").is_none();
        let _ = self.dialog.toggle_attribute_with_force("data-kept", kept);
        self.open.replace(Some(small));
        self.count();
        if !self.dialog.open() {
            if !self.leaving.get() {
                self.enter();
            }
            let _ = self.dialog.show_modal();
        }
        self.refine();
    }

    /// Tells which of how many it is.
    fn count(&self) {
        let pictures = self.pictures();
        let Some(at) = self.position(&pictures) else {
            return;
        };
        let more = self.more().is_some();
        let mut all = digits(pictures.len() as f64);
        if more {
            all += "+";
        }
        let text = message(Message::Place, &[&digits(at as f64 + 1.0), &all]);
        tell(&self.dialog, "[data-place]", &text);
        let ends = [at == 0, at + 1 == pictures.len() && !more];
        for (step, end) in find_all(&self.dialog, "[data-step]").iter().zip(ends) {
            set(step, "aria-disabled", if end { "true" } else { "false" });
        }
        let alone = pictures.len() == 1 && !more;
        let _ = self.dialog.toggle_attribute_with_force("data-alone", alone);
    }

    fn position(&self, pictures: &[Element]) -> Option<usize> {
        let open = self.open.borrow();
        pictures.iter().position(|each| open.as_ref() == Some(each))
    }

    /// The link to the next page of pictures.
    fn more(&self) -> Option<Element> {
        document().query_selector("[data-next]").ok().flatten()
    }

    fn step(&self, on: bool) {
        let pictures = self.pictures();
        let Some(at) = self.position(&pictures) else {
            return;
        };
        let next = if on { at + 1 } else { at.wrapping_sub(1) };
        if let Some(next) = pictures.get(next) {
            self.show(next.clone());
        } else if let Some(more) = self.more().filter(|_| on) {
            set(&self.dialog, "data-waiting", "");
            dispatch(&more, "wanted");
        }
    }

    /// To the picture on the right, or on the left: which is the next depends on how the language is read.
    fn turn(&self, right: bool) {
        let root = document().document_element();
        let reads_left = root.is_some_and(|root| attribute(&root, "dir") == "rtl");
        self.step(right != reads_left);
    }

    /// More pictures have come, perhaps those that were waited for.
    fn grown(&self) {
        if self.dialog.open() {
            self.address.replace(window().location().href().ok());
            self.count();
            if self.dialog.has_attribute("data-waiting") {
                let _ = self.dialog.remove_attribute("data-waiting");
                self.step(true);
            }
        }
    }

    /// Asks the gallery to delete the picture.
    fn remove(&self) {
        let item =
            (self.open.borrow().as_ref()).and_then(|small| closest(small, "[data-shelf] li"));
        if let Some(item) = item {
            dispatch(&item, "unwanted");
        }
    }

    /// Has all pixels fetched once they can be told apart.
    fn refine(&self) {
        let zoomed = self.glass.is_zoomed();
        if zoomed == self.dialog.has_attribute("data-zoomed") {
            return;
        }
        let _ = self
            .dialog
            .toggle_attribute_with_force("data-zoomed", zoomed);
        if zoomed {
            let _ = self.large.remove_attribute("srcset");
        }
        if let Some(actual) = find(&self.dialog, "[data-actual]") {
            set(
                &actual,
                "aria-pressed",
                if zoomed { "true" } else { "false" },
            );
        }
    }

    fn enter(&self) {
        if let Ok(history) = window().history() {
            self.entered
                .set(history.push_state(&JsValue::NULL, "").is_ok());
        }
    }

    fn closed(&self) {
        let _ = self.dialog.remove_attribute("data-waiting");
        if let (true, Ok(history)) = (self.entered.take(), window().history()) {
            self.leaving.set(history.back().is_ok());
        }
        if let Some(small) = self.open.take() {
            let link = closest(&small, "[data-view]");
            let item = || find(&closest(&small, "li, .frame")?, "[data-view]");
            if let Some(link) = link.or_else(item) {
                focus(&link);
            }
        }
    }

    fn went_back(&self) {
        if let (Some(address), Ok(history)) = (self.address.take(), window().history()) {
            let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&address));
        }
        if self.leaving.take() {
            // It was opened again meanwhile.
            if self.dialog.open() {
                self.enter();
            }
        } else if self.entered.take() {
            self.dialog.close();
        }
    }

    fn key(&self, event: &Event) {
        let key: &KeyboardEvent = event.unchecked_ref();
        if key.ctrl_key() || key.meta_key() || key.alt_key() {
            return;
        }
        let glass = &self.glass;
        let (zoomed, key) = (glass.is_zoomed(), key.key());
        match key.as_str() {
            "ArrowRight" if zoomed => glass.shift(-STRIDE, 0.0),
            "ArrowLeft" if zoomed => glass.shift(STRIDE, 0.0),
            "ArrowDown" => glass.shift(0.0, -STRIDE),
            "ArrowUp" => glass.shift(0.0, STRIDE),
            "ArrowRight" => self.turn(true),
            "ArrowLeft" => self.turn(false),
            "+" | "=" => glass.zoom(CLOSER, None),
            "-" => glass.zoom(1.0 / CLOSER, None),
            "Delete" => return self.remove(),
            _ => return,
        }
        event.prevent_default();
        self.refine();
    }

    fn wheel(&self, event: &WheelEvent) {
        event.prevent_default();
        // A pinch on a touchpad comes as small turns with this key.
        let weight = if event.ctrl_key() { 0.01 } else { 0.002 };
        let times = (1.0 - event.delta_y() * weight).clamp(0.5, 2.0);
        self.glass.zoom(times, Some(event));
        self.refine();
    }

    fn pointer(&self, kind: &str, event: &Event) {
        let pointer: &PointerEvent = event.unchecked_ref();
        match kind {
            "pointerdown" => {
                let beside = target(event).is_some_and(|at| closest(&at, PARTS).is_none());
                self.beside.set(beside);
                self.glass.press(pointer);
            }
            "pointermove" => {
                self.glass.drag(pointer);
                self.refine();
            }
            "dblclick" if target(event).is_some_and(|at| at.has_attribute("data-large")) => {
                self.glass.switch(Some(pointer));
                self.refine();
            }
            "pointerup" => {
                let way = self.glass.lift(pointer);
                if way.abs() > SWIPE {
                    self.turn(way < 0.0);
                }
            }
            _ => {
                self.glass.lift(pointer);
            }
        }
    }
}
