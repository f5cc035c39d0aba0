//! The watch on a job: follows it until it ends and keeps its card true.

use leptos::prelude::*;

/// Around a job's card (`.job`).
#[island]
pub fn Watch(children: Children) -> impl IntoView {
    view! { <div class="watch" use:wake>{children()}</div> }
}

#[cfg(not(feature = "hydrate"))]
fn wake(_: leptos::web_sys::Element) {}

#[cfg(feature = "hydrate")]
use awake::wake;

#[cfg(feature = "hydrate")]
mod awake {
    use crate::{
        islands::browser::{
            Headers, Init, Lost, REGRET, Told, announce, ask, attribute, delete_leaving, document,
            find, focus, listen, number, page, renew_allowance, said, set, sleep, target, tell,
            window,
        },
        texts::Said,
        words,
    };
    use std::cell::Cell;

    use js_sys::{Array, Date, Promise};
    use leptos::{task::spawn_local, web_sys::Element};
    use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
    use wasm_bindgen_futures::JsFuture;
    use web_sys::HtmlImageElement;

    #[wasm_bindgen]
    extern "C" {
        type Bar;
        #[wasm_bindgen(method, setter)]
        fn set_value(this: &Bar, value: f64);

        #[wasm_bindgen(js_namespace = ["navigator", "clipboard"], js_name = writeText, catch)]
        async fn write_text(text: &str) -> Result<JsValue, JsValue>;
    }

    /// Failed questions in a row before the watch gives up, about ten minutes.
    const PATIENCE: u32 = 22;

    /// Questions of a page that wait for their answer. Browsers open six connections to a site, and need
    /// some for what the visitor does, here and in other tabs.
    const LINES: u8 = 2;

    thread_local! {
        static WAITING: Cell<u8> = const { Cell::new(0) };
    }

    /// The right to wait for an answer.
    struct Line;

    impl Line {
        fn free() -> Option<Self> {
            let waiting = WAITING.get();
            (waiting < LINES).then(|| {
                WAITING.set(waiting + 1);
                Self
            })
        }
    }

    impl Drop for Line {
        fn drop(&mut self) {
            WAITING.set(WAITING.get() - 1);
        }
    }

    pub(super) fn wake(watch: Element) {
        let root = watch.clone();
        listen(&watch, "click", move |event| {
            let pressed = target(&event).and_then(|at| at.closest("[data-do]").ok().flatten());
            if let Some((button, card)) = pressed.zip(find(&root, ".job")) {
                match attribute(&button, "data-do").as_str() {
                    "cancel" => spawn_local(cancel(button, card)),
                    "undo" => take_back(&card),
                    _ => spawn_local(copy(button)),
                }
            }
        });
        let root = watch.clone();
        listen(&watch, "submit", move |event| {
            if target(&event).is_some_and(|form| form.has_attribute("data-regret")) {
                event.prevent_default();
                spawn_local(doom(root.clone()));
            }
        });
        let root = watch.clone();
        listen(&window(), "pagehide", move |_| {
            if let Some(card) = doomed(&root) {
                delete_leaving(&[attribute(&card, "data-id")]);
            }
        });
        spawn_local(tick(watch.clone()));
        spawn_local(follow(watch));
    }

    /// The card while the job is under way and the card is on the page.
    fn card_under_way(watch: &Element) -> Option<Element> {
        find(watch, ".job").filter(|card| card.is_connected() && find(card, "progress").is_some())
    }

    fn address(card: &Element, prefix: &str) -> String {
        let mut address = String::from(prefix);
        address += &attribute(card, "data-id");
        address
    }

    /// Asks for news until the job ends, the card goes, or nobody answers any more.
    async fn follow(watch: Element) {
        let mut misses = 0;
        while let Some(card) = card_under_way(&watch) {
            let line = Line::free();
            match news(&card, line.is_some()).await {
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
            sleep(if line.is_some() { 200 } else { 2000 }).await;
        }
    }

    enum News {
        Same,
        Gone,
    }

    /// Shows the next version of the job, which it may wait for.
    async fn news(card: &Element, wait: bool) -> Result<News, Lost> {
        let mut question = address(card, "/api/jobs/");
        question += if wait { "?wait=25&after=" } else { "?after=" };
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

    fn has_focus(card: &Element) -> bool {
        let at = document().active_element();
        at.is_some_and(|at| card.contains(Some(&at)))
    }

    /// Another stage, or another preview: the server renders it.
    async fn renew(card: &Element) -> Result<(), Lost> {
        let address = address(card, "/jobs/");
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
        card.replace_with_with_node_1(&new).map_err(|_| Lost)?;
        renew_allowance(&fresh);
        if focused && let Some(heading) = find(&new, "h2") {
            focus(&heading);
        }
        if window()
            .location()
            .pathname()
            .is_ok_and(|here| here == address)
        {
            document().set_title(&fresh.title());
        }
        Ok(())
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
            shown(&watch).map(|at| Date::now() / 1000.0 - number(&at, "data-elapsed") as f64)
        else {
            return;
        };
        while let Some(place) = shown(&watch) {
            let elapsed = (Date::now() / 1000.0 - begun) as u64;
            place.set_text_content(Some(&words::duration(elapsed)));
            if let Some(late) =
                find(&watch, "[data-late]").filter(|late| elapsed > number(late, "data-late"))
            {
                let _ = late.remove_attribute("hidden");
            }
            sleep(1000).await;
        }
    }

    /// Asks for the job to be called off; the card follows from the job's next version.
    async fn cancel(button: Element, card: Element) {
        if button.has_attribute("aria-disabled") {
            return;
        }
        set(&button, "aria-disabled", "true");
        let init = Init::new();
        init.set_method("DELETE");
        let address = address(&card, "/api/jobs/") + "?cancel=true";
        let refused = match ask(&address, &init, &Headers::new()).await {
            Ok((reply, _)) if reply.ok() => return,
            Ok((_, told)) => told.detail(),
            Err(Lost) => None,
        };
        let _ = button.remove_attribute("aria-disabled");
        tell(
            &card,
            "[data-trouble]",
            &refused.unwrap_or_else(|| said(Said::NotThrough, &[])),
        );
    }

    /// The job that is hidden, and deleted unless taken back.
    fn doomed(watch: &Element) -> Option<Element> {
        find(watch, ".job[data-doomed]")
    }

    /// Hides the job, and deletes it unless it is taken back.
    async fn doom(watch: Element) {
        let Some(card) = find(&watch, ".job") else {
            return;
        };
        let mark = (Date::now() as u64).to_string();
        set(&card, "data-doomed", &mark);
        if let Some(undo) = find(&card, "[data-do=undo]") {
            focus(&undo);
        }
        sleep(REGRET).await;
        if attribute(&card, "data-doomed") != mark {
            return;
        }
        let init = Init::new();
        init.set_method("DELETE");
        let address = address(&card, "/api/jobs/");
        let reply = ask(&address, &init, &Headers::new()).await;
        let _ = card.remove_attribute("data-doomed");
        if !reply.is_ok_and(|(reply, _)| reply.ok() || reply.status() == 404) {
            return tell(&card, "[data-regret] .alert", &said(Said::NotThrough, &[]));
        }
        if address.ends_with(&window().location().pathname().unwrap_or_default()) {
            let _ = window().location().assign("/gallery");
        }
        let focused = has_focus(&card);
        watch.remove();
        if let Some(main) = document().get_element_by_id("main").filter(|_| focused) {
            focus(&main);
        }
    }

    fn take_back(card: &Element) {
        let _ = card.remove_attribute("data-doomed");
        if let Some(heading) = find(card, "h2") {
            focus(&heading);
        }
    }

    /// Copies a text, or the address that a path has on this site.
    async fn copy(button: Element) {
        let mut text = attribute(&button, "data-text");
        if text.is_empty() {
            text = window().location().origin().unwrap_or_default();
            text += &attribute(&button, "data-link");
        }
        // Only where a site is trusted does it get at the clipboard.
        let trusted = window().is_secure_context();
        if !trusted || write_text(&text).await.is_err() {
            let label = button.text_content().unwrap_or_default();
            let _ = window().prompt_with_message_and_default(&label, &text);
            return;
        }
        let done = attribute(&button, "data-done");
        announce(&done);
        let label = button.text_content();
        if label.as_ref() != Some(&done) {
            button.set_text_content(Some(&done));
            sleep(2500).await;
            button.set_text_content(label.as_deref());
        }
    }
}
