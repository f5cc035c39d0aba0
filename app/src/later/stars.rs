//! Favourites: a star is lit at once, and put out again if the server does not hear of it.

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, SubmitEvent};

use crate::{
    browser::{
        Headers, Init, ask, attribute, closest, document, form_of, listen, message, set, tell,
    },
    texts::Message,
};

pub(super) fn wake() {
    listen(&document(), "submit", |event| {
        let star = event.unchecked_ref::<SubmitEvent>().submitter();
        if let Some(star) = star.filter(|button| button.has_attribute("data-star")) {
            event.prevent_default();
            spawn_local(press(star.unchecked_into()));
        }
    });
}

async fn press(star: Element) {
    let address = attribute(&star, "formaction");
    let lit = attribute(&star, "aria-pressed") == "true";
    show(&star, !lit);
    let (init, headers) = (Init::new(), Headers::new());
    init.set_method("POST");
    init.set_body(&form_of(&[attribute(&star, "value")]).into());
    headers.set_content_type("application/x-www-form-urlencoded");
    let reply = ask(&address, &init, &headers).await;
    let marked = reply.is_ok_and(|(reply, _)| reply.ok());
    if !marked {
        show(&star, lit);
    }
    if let Some(gallery) = closest(&star, ".gallery") {
        let trouble = if marked {
            String::new()
        } else {
            message(Message::NotSent, &[])
        };
        tell(&gallery, "[data-alert]", &trouble);
    }
}

/// Shows the star lit or not; pressed again, it does the opposite.
fn show(star: &Element, lit: bool) {
    let [pressed, next] = match lit {
        true => ["true", "/api/jobs/mark?favourite=false"],
        false => ["false", "/api/jobs/mark?favourite=true"],
    };
    set(star, "aria-pressed", pressed);
    set(star, "formaction", next);
}
