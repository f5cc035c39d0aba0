//! The watch on a job: follows it until it ends and keeps its card true.

use leptos::prelude::*;

/// Around a job's card (`.job`). It wakes as islands do but is none of Leptos', which keeps what an island has woken
/// for as long as the page lives: cards come and go.
#[component]
pub fn Watch(children: Children) -> impl IntoView {
    view! {
        <leptos-island data-component="watch">
            <div class="watch">{children()}</div>
        </leptos-island>
    }
}

#[cfg(feature = "hydrate")]
pub use awake::watch;

#[cfg(feature = "hydrate")]
mod awake {
    use crate::{
        islands::{
            browser::{
                Headers, Init, Lost, Told, announce, ask, asking, attribute, closest,
                delete_leaving, document, find, find_all, focus, has_focus, hasty, job_address,
                listen, now, number, page, renew_allowance, said, set, sleep, target, tell, window,
                without_query,
            },
            buttons::{cancel, copy, doom, take_back},
            line::Line,
        },
        texts::Said,
        words,
    };
    use std::cell::Cell;

    use js_sys::{Array, Promise};
    use leptos::{task::spawn_local, web_sys::Element};
    use wasm_bindgen::{JsCast, prelude::wasm_bindgen};
    use wasm_bindgen_futures::JsFuture;
    use web_sys::HtmlImageElement;

    #[wasm_bindgen]
    extern "C" {
        type Bar;
        #[wasm_bindgen(method, setter)]
        fn set_value(this: &Bar, value: f64);
    }

    /// Failed questions in a row before the watch gives up, about ten minutes.
    const PATIENCE: u32 = 22;

    /// Follows the card in an element that has come into the page.
    #[wasm_bindgen]
    pub fn watch(watch: Element) {
        if !LISTENING.replace(true) {
            listen_for_all();
        }
        spawn_local(tick(watch.clone()));
        spawn_local(follow(watch));
    }

    thread_local! {
        static LISTENING: Cell<bool> = const { Cell::new(false) };
    }

    /// Listens for all cards at once: a listener of its own would keep a card that is gone.
    fn listen_for_all() {
        listen(&document(), "click", move |event| {
            let pressed = target(&event).and_then(|at| closest(&at, "[data-do]"));
            let card = pressed.as_ref().and_then(|button| closest(button, ".job"));
            if let Some((button, card)) = pressed.zip(card) {
                match attribute(&button, "data-do").as_str() {
                    "cancel" => spawn_local(cancel(button, card)),
                    "undo" if hasty(&event, number(&card, "data-doomed") as f64) => {}
                    "undo" => take_back(&card),
                    _ => spawn_local(copy(button)),
                }
            }
        });
        listen(&document(), "submit", move |event| {
            let form = target(&event).filter(|form| form.has_attribute("data-regret"));
            if let Some(card) = form.and_then(|form| closest(&form, ".job")) {
                event.prevent_default();
                spawn_local(doom(card));
            }
        });
        listen(&window(), "pagehide", move |_| {
            if let Some(root) = document().document_element() {
                let doomed = find_all(&root, ".job[data-doomed]");
                let ids: Vec<_> = doomed.iter().map(|card| job_address(card, "")).collect();
                delete_leaving(&ids);
            }
        });
    }

    /// The card while the job is under way and the card is on the page.
    fn card_under_way(watch: &Element) -> Option<Element> {
        find(watch, ".job").filter(|card| card.is_connected() && find(card, "progress").is_some())
    }

    /// Asks for news until the job ends, the card goes, or nobody answers any more.
    async fn follow(watch: Element) {
        let mut misses = 0;
        while let Some(card) = card_under_way(&watch) {
            let line = Line::free().await;
            let waits = line.is_some();
            let news = news(&card, waits).await;
            drop(line);
            match news {
                Ok(News::Same) => {
                    misses = 0;
                    tell(&card, "[data-trouble]", "");
                }
                Ok(News::Gone) => {
                    tell(&card, "[data-trouble]", &said(Said::Gone, &[]));
                    return stop(&card);
                }
                Err(Lost) if misses == PATIENCE => {
                    tell(&card, "[data-trouble]", &said(Said::GivenUp, &[]));
                    return stop(&card);
                }
                Err(Lost) => {
                    misses += 1;
                    tell(&card, "[data-trouble]", &said(Said::Lost, &[]));
                    sleep(30_000.min(500 << misses.min(6))).await;
                }
            }
            // Should the server answer at once each time, it is not asked in a storm.
            sleep(if waits { 200 } else { 2000 }).await;
        }
    }

    enum News {
        Same,
        Gone,
    }

    /// Shows the next version of the job, which it may wait for.
    async fn news(card: &Element, wait: bool) -> Result<News, Lost> {
        let fields = if wait {
            "wait=25&after="
        } else {
            "wait=0&after="
        };
        let mut question = asking(job_address(card, "/api/jobs/"), fields);
        question += &attribute(card, "data-version");
        let (reply, job) = ask(&question, &Init::new(), &Headers::new()).await?;
        match reply.status() {
            404 | 410 => return Ok(News::Gone),
            _ if !reply.ok() => return Err(Lost),
            _ => {}
        }
        let stage = job.stage().unwrap_or_default();
        let attempt = job.attempt().unwrap_or(0.0) as u64;
        let preview = job.preview().unwrap_or_default();
        if stage != attribute(card, "data-status")
            || attempt != number(card, "data-attempt")
            || preview != attribute(card, "data-preview")
        {
            renew(card).await?;
        } else {
            adjust(card, &job);
        }
        Ok(News::Same)
    }

    /// The same stage, further on.
    fn adjust(card: &Element, job: &Told) {
        set(
            card,
            "data-version",
            &(job.version().unwrap_or(0.0) as u64).to_string(),
        );
        if let Some((bar, progress)) = find(card, "progress").zip(job.progress()) {
            bar.unchecked_into::<Bar>().set_value(progress);
        }
        if let Some(ahead) = job.position() {
            let text = said(Said::Ahead, &[&(ahead as u64).to_string()]);
            tell(card, "[data-ahead]", if ahead > 0.0 { &text } else { "" });
        }
    }

    /// Another stage, or another preview: the server renders it.
    async fn renew(card: &Element) -> Result<(), Lost> {
        let address = job_address(card, "/jobs/");
        let fresh = page(&address).await?;
        let new = fresh.query_selector(".job").ok().flatten().ok_or(Lost)?;
        let same = |name: &&str| attribute(card, name) == attribute(&new, name);
        if ["data-status", "data-attempt"].iter().all(same) {
            sharpen(card, &new);
            return Ok(());
        }
        if !shown_at_once(&new).await {
            set(&new, "data-new", "");
        }
        let focused = has_focus(card);
        announce(&attribute(&new, "data-say"));
        turn_into(card, &new);
        renew_allowance(&fresh);
        if focused
            && !has_focus(card)
            && let Some(heading) = find(card, "h2")
        {
            focus(&heading);
        }
        if window()
            .location()
            .pathname()
            .is_ok_and(|here| without_query(&address) == here)
        {
            document().set_title(&fresh.title());
        }
        Ok(())
    }

    /// Of a card's label, what changes with the job. Its name and all its words may be open or chosen for copying.
    const CHANGING: &str = ":scope > .label > :not(h2, h2 + details)";

    /// The frame, and what is shown when the card is deleted.
    const AROUND: &str = ":scope > :not(.label)";

    /// Takes over from a fresh card all that may differ.
    fn turn_into(card: &Element, new: &Element) {
        for name in ["version", "status", "attempt", "preview", "say", "new"] {
            let name = &(String::from("data-") + name);
            match new.get_attribute(name) {
                Some(value) => set(card, name, &value),
                None => {
                    let _ = card.remove_attribute(name);
                }
            }
        }
        if let Some(name) = find(new, "h2 a") {
            tell(card, "h2 a", &name.text_content().unwrap_or_default());
        }
        let Some(label) = find(card, ".label") else {
            return;
        };
        for selector in [CHANGING, AROUND] {
            for part in find_all(card, selector) {
                part.remove();
            }
        }
        for part in find_all(new, CHANGING) {
            let _ = label.append_child(&part);
        }
        for part in find_all(new, AROUND) {
            let after = part.class_list().contains("regret");
            let _ = card.insert_before(&part, (!after).then_some(&label));
        }
    }

    /// Shows the preview of a fresh card in place, so that nothing else is touched.
    fn sharpen(card: &Element, new: &Element) {
        for name in ["data-version", "data-preview"] {
            set(card, name, &attribute(new, name));
        }
        let preview = |card| find(card, ".blank, .preview");
        match (preview(card), preview(new)) {
            (Some(old), Some(new)) if old.has_attribute("src") => {
                set(&old, "src", &attribute(&new, "src"));
            }
            (Some(old), Some(new)) => {
                let _ = old.replace_with_with_node_1(&new);
            }
            (None, Some(new)) => {
                if let Some(photo) = find(card, ".sketch") {
                    let _ = photo.append_child(&new);
                }
            }
            (_, None) => {}
        }
    }

    /// Waits until the first picture of a card can be shown, but not for long.
    async fn shown_at_once(card: &Element) -> bool {
        let (Some(picture), Ok(copy)) = (find(card, "img"), HtmlImageElement::new()) else {
            return false;
        };
        for name in ["sizes", "srcset", "src"] {
            set(&copy, name, &attribute(&picture, name));
        }
        let late = Promise::new(&mut |_, give_up| {
            let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&give_up, 3000);
        });
        let first = Promise::race(&Array::of2(&copy.decode(), &late));
        JsFuture::from(first).await.is_ok()
    }

    /// No more is to be expected here: nothing keeps moving.
    fn stop(card: &Element) {
        for part in ["progress", "[data-do]"] {
            if let Some(part) = find(card, part) {
                part.remove();
            }
        }
    }

    /// Counts the seconds since the job was sent.
    async fn tick(watch: Element) {
        let shown =
            |watch: &Element| card_under_way(watch).and_then(|card| find(&card, "[data-elapsed]"));
        let Some(begun) =
            shown(&watch).map(|at| now() / 1000.0 - number(&at, "data-elapsed") as f64)
        else {
            return;
        };
        while let Some(place) = shown(&watch) {
            let elapsed = (now() / 1000.0 - begun) as u64;
            place.set_text_content(Some(&words::duration(elapsed)));
            if let Some(late) =
                find(&watch, "[data-late]").filter(|late| elapsed > number(late, "data-late"))
            {
                let _ = late.remove_attribute("hidden");
            }
            sleep(1000).await;
        }
    }
}
