//! Finding pictures: filters that apply at once, pages that follow while the visitor scrolls, and how many are chosen.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use js_sys::{Array, encode_uri_component};
use leptos::{task::spawn_local, web_sys::Element};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Event, HtmlInputElement, IntersectionObserver, IntersectionObserverEntry};

use super::awake::{Gallery, show_item};
use crate::{
    browser::{
        announce, attribute, closest, dispatch, find, find_all, listen, message, page, set, sleep,
        target, tell, window,
    },
    texts::Message,
};

/// How long a visitor who types pauses before what they typed is searched for, in milliseconds.
const PAUSE: i32 = 250;

#[derive(Clone, Default)]
pub(super) struct Finding {
    /// Observes the first picture of each page, and the link to the next.
    pages: Rc<RefCell<Option<IntersectionObserver>>>,
    /// The address of the search asked for last.
    sought: Rc<RefCell<String>>,
    /// The number of searches begun.
    searches: Rc<Cell<u32>>,
}

impl Gallery {
    pub(super) fn begin_finding(&self) {
        let here = self.clone();
        listen(&self.root, "input", move |event| {
            if target(&event).is_some_and(|at| at.id() == "q") {
                spawn_local(here.clone().search(PAUSE));
            }
        });
        let here = self.clone();
        listen(&self.root, "change", move |event| here.changed(&event));
        self.observe();
        self.count();
        // What was changed before the page was alive.
        if find(&self.root, "[role=search] :checked:not([checked])").is_some() {
            spawn_local(self.clone().search(0));
        }
    }

    fn changed(&self, event: &Event) {
        let Some(at) = target(event) else { return };
        if closest(&at, "[role=search]").is_some() {
            spawn_local(self.clone().search(0));
            return;
        }
        if at.has_attribute("data-all") {
            let all = at.unchecked_ref::<HtmlInputElement>().checked();
            for tick in find_all(&self.root, "input[name=id]:enabled") {
                tick.unchecked_ref::<HtmlInputElement>().set_checked(all);
            }
        }
        self.count();
    }

    /// Searches in place if the event sends the search.
    pub(super) fn searches(&self, event: &Event) -> bool {
        let is_search = target(event).is_some_and(|form| attribute(&form, "role") == "search");
        if is_search {
            event.prevent_default();
            spawn_local(self.clone().search(0));
        }
        is_search
    }

    /// Replaces what is shown by what the form asks for now, unless it is changed again meanwhile.
    async fn search(self, pause: i32) {
        let turn = self.finding.searches.get() + 1;
        if pause > 0 {
            self.finding.searches.set(turn);
            sleep(pause).await;
            if self.finding.searches.get() != turn {
                return;
            }
        }
        let address = self.address();
        if address == *self.finding.sought.borrow() {
            return;
        }
        self.finding.searches.set(turn);
        self.finding.sought.replace(address.clone());
        let root = page(&address).await.ok();
        let root = root.and_then(|page| page.document_element());
        if self.finding.searches.get() != turn {
            return;
        }
        let fresh = root.and_then(|root| find(&root, "[data-found]"));
        let Some((old, fresh)) = find(&self.root, "[data-found]").zip(fresh) else {
            self.finding.sought.take();
            return tell(&self.root, "[data-alert]", &message(Message::NotSent, &[]));
        };
        tell(&self.root, "[data-alert]", "");
        let _ = old.replace_with_with_node_1(&fresh);
        set_address(&address);
        // What is about to be deleted is not found again.
        for item in self
            .scheduled
            .borrow()
            .iter()
            .filter_map(|id| self.item(id))
        {
            show_item(&item, false);
        }
        announce(&attribute(&fresh, "data-say"));
        self.observe();
        self.count();
    }

    /// The address of what the form asks for.
    fn address(&self) -> String {
        let mut address = String::from("/gallery");
        for field in find_all(&self.root, "[role=search] :is(#q, input:checked, select)") {
            let value = field.unchecked_ref::<HtmlInputElement>().value();
            let value = value.trim();
            if !value.is_empty() {
                address.push(if address.contains('?') { '&' } else { '?' });
                address += &attribute(&field, "name");
                address.push('=');
                address += &String::from(encode_uri_component(value));
            }
        }
        address
    }

    /// Shows how many are chosen.
    pub(super) fn count(&self) {
        let all = find_all(&self.root, "input[name=id]:enabled").len();
        let chosen = find_all(&self.root, "[name=id]:checked:enabled").len();
        let text = message(Message::Chosen, &[&chosen.to_string()]);
        tell(&self.root, "[data-count]", &text);
        if let Some(tick) = find(&self.root, "[data-all]") {
            let tick: HtmlInputElement = tick.unchecked_into();
            tick.set_checked(chosen > 0 && chosen == all);
            tick.set_indeterminate(chosen > 0 && chosen < all);
        }
    }

    /// Observes the pages that are shown.
    fn observe(&self) {
        let here = self.clone();
        let mut pages = self.finding.pages.borrow_mut();
        if pages.is_none() {
            let came = Closure::<dyn FnMut(Array)>::new(move |entries: Array| {
                for entry in entries {
                    here.came(entry.unchecked_ref());
                }
            });
            *pages = IntersectionObserver::new(came.as_ref().unchecked_ref()).ok();
            came.forget();
        }
        for at in find_all(&self.root, "[data-at], [data-next]") {
            if let Some(pages) = pages.as_ref() {
                pages.observe(&at);
            }
        }
    }

    /// Something observed has come into view, or left it: the address is that of the last page begun.
    fn came(&self, entry: &IntersectionObserverEntry) {
        let (at, in_view) = (entry.target(), entry.is_intersecting());
        let begun = match (at.has_attribute("data-next"), in_view) {
            (true, true) => {
                let here = self.clone();
                return spawn_local(async move { here.follow(at).await });
            }
            (true, false) => None,
            (false, true) => Some(at),
            // It left where it came from, at the bottom.
            (false, false) if entry.bounding_client_rect().top() > 0.0 => self.page_before(&at),
            (false, false) => None,
        };
        if let Some(begun) = begun {
            set_address(&attribute(&begun, "data-at"));
        }
    }

    fn page_before(&self, at: &Element) -> Option<Element> {
        let pages = find_all(&self.root, "[data-at]");
        let place = pages.iter().position(|page| page == at)?;
        pages.into_iter().nth(place.checked_sub(1)?)
    }

    /// Loads the next page; if that fails, the link stays.
    pub(super) async fn follow(&self, link: Element) {
        if link.has_attribute("aria-busy") {
            return;
        }
        set(&link, "aria-busy", "true");
        let fresh = page(&attribute(&link, "href")).await.ok();
        let _ = link.remove_attribute("aria-busy");
        let root = fresh.and_then(|page| page.document_element());
        let root = root.filter(|root| find(root, "[data-shelf]").is_some());
        let (Some(root), Some(shelf)) = (root, find(&self.root, ".hanging")) else {
            return;
        };
        // What was searched for meanwhile is shown instead.
        if !link.is_connected() {
            return;
        }
        for item in find_all(&root, "[data-shelf] li") {
            let _ = shelf.append_child(&item);
        }
        match find(&root, "[data-next]") {
            Some(next) => {
                let _ = link.replace_with_with_node_1(&next);
            }
            None => link.remove(),
        }
        self.observe();
        self.count();
        dispatch(&shelf, "grown");
    }
}

fn set_address(address: &str) {
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(address));
    }
}
