//! Polls a job until it ends and keeps its card up to date.

use leptos::prelude::*;

/// Wraps a job's card (`.job`). It is hydrated like an island, but is not one of Leptos', which would keep it in memory
/// for the lifetime of the page, while cards come and go.
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
        browser::{
            Headers, Init, JobJson, Unreachable, announce, ask, attribute, dispatch, document,
            find, find_all, focus, has_focus, job_address, message, now, number, page,
            renew_allowance, set, sleep, tell, window, with_query, without_query,
        },
        islands::poll_slot::PollSlot,
        texts::Message,
        words,
    };
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

    /// Failed polls in a row before polling stops, after about ten minutes.
    const MAX_FAILURES: u32 = 22;

    /// Starts polling for the card in an element that has been added to the page.
    #[wasm_bindgen]
    pub fn watch(watch: Element) {
        spawn_local(tick(watch.clone()));
        spawn_local(follow(watch));
    }

    /// The card while the job is under way and the card is on the page.
    fn card_under_way(watch: &Element) -> Option<Element> {
        find(watch, ".job").filter(|card| card.is_connected() && find(card, "progress").is_some())
    }

    /// Polls until the job ends, the card is removed, or the server no longer answers.
    async fn follow(watch: Element) {
        let mut misses = 0;
        while let Some(card) = card_under_way(&watch) {
            let slot = PollSlot::acquire().await;
            let waits = slot.is_some();
            let polled = poll(&card, waits).await;
            drop(slot);
            match polled {
                Ok(Polled::Present) => {
                    misses = 0;
                    tell(&card, "[data-trouble]", "");
                }
                Ok(Polled::Gone) => {
                    tell(&card, "[data-trouble]", &message(Message::Gone, &[]));
                    return stop(&card);
                }
                Err(Unreachable) if misses == MAX_FAILURES => {
                    tell(&card, "[data-trouble]", &message(Message::GivenUp, &[]));
                    return stop(&card);
                }
                Err(Unreachable) => {
                    misses += 1;
                    tell(&card, "[data-trouble]", &message(Message::Unreachable, &[]));
                    sleep(30_000.min(500 << misses.min(6))).await;
                }
            }
            // Bounds the rate in case the server always answers at once.
            sleep(if waits { 200 } else { 2000 }).await;
        }
    }

    enum Polled {
        Present,
        Gone,
    }

    /// Polls once, with a long poll if `wait`, and shows the version received.
    async fn poll(card: &Element, wait: bool) -> Result<Polled, Unreachable> {
        let fields = if wait {
            "wait=25&after="
        } else {
            "wait=0&after="
        };
        let mut question = with_query(job_address(card, "/api/jobs/"), fields);
        question += &attribute(card, "data-version");
        let (reply, job) = ask(&question, &Init::new(), &Headers::new()).await?;
        match reply.status() {
            404 | 410 => return Ok(Polled::Gone),
            _ if !reply.ok() => return Err(Unreachable),
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
        Ok(Polled::Present)
    }

    /// Updates progress and position within a stage.
    fn adjust(card: &Element, job: &JobJson) {
        set(
            card,
            "data-version",
            &(job.version().unwrap_or(0.0) as u64).to_string(),
        );
        if let Some((bar, progress)) = find(card, "progress").zip(job.progress()) {
            bar.unchecked_into::<Bar>().set_value(progress);
        }
        if let Some(ahead) = job.position() {
            let text = match ahead as u64 {
                0 => String::new(),
                1 => message(Message::AheadOne, &[]),
                more => message(Message::Ahead, &[&more.to_string()]),
            };
            tell(card, "[data-ahead]", &text);
        }
    }

    /// Replaces the card by one that the server renders, for another stage or preview.
    async fn renew(card: &Element) -> Result<(), Unreachable> {
        let address = job_address(card, "/jobs/");
        let fresh = page(&address).await?;
        let new = fresh
            .query_selector(".job")
            .ok()
            .flatten()
            .ok_or(Unreachable)?;
        let same = |name: &&str| attribute(card, name) == attribute(&new, name);
        if ["data-status", "data-attempt"].iter().all(same) {
            update_preview(card, &new);
            return Ok(());
        }
        if !shown_at_once(&new).await {
            set(&new, "data-new", "");
        }
        let focused = has_focus(card);
        announce(&attribute(&new, "data-say"));
        update_card(card, &new);
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
        dispatch(card, "stage");
        Ok(())
    }

    /// The parts of a card's label that change with the job. Its name and prompt stay: they may be open or selected.
    const CHANGING: &str = ":scope > .label > :not(h2, h2 + details)";

    /// The frame, and the note shown while the card is being deleted.
    const AROUND: &str = ":scope > :not(.label)";

    /// Copies from a new card all that may differ.
    fn update_card(card: &Element, new: &Element) {
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

    /// Copies only the preview from a new card.
    fn update_preview(card: &Element, new: &Element) {
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

    /// Waits until the card's first picture is decoded, at most for three seconds.
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

    /// Removes what suggests that the job goes on.
    fn stop(card: &Element) {
        for part in ["progress", "[data-do]"] {
            if let Some(part) = find(card, part) {
                part.remove();
            }
        }
        dispatch(card, "stage");
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
