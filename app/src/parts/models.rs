//! The choice of a model, where the operator offers more than one.

use leptos::prelude::*;

use super::picture::expected;
use crate::{
    data::{Model, Offered},
    texts::Texts,
    words,
};
use atelier_api::{Job, Kind, Quality, Size};

/// Most pictures that one prompt can ask for at a time.
pub(crate) const MOST: u32 = 4;

/// All of them with their prices, unless there is only one. `chosen` is that of an earlier job.
pub(crate) fn models(
    offered: &Offered,
    kind: Kind,
    chosen: Option<&str>,
    t: &'static Texts,
) -> Option<AnyView> {
    if !offered.is_choice() {
        return None;
    }
    let chosen = offered.all().position(|model| Some(&*model.id()) == chosen);
    let usual = chosen.unwrap_or(0);
    let all = offered.all().enumerate().map(|(place, model)| {
        let price = match kind {
            Kind::Image => pictures(model, t),
            Kind::Restoration => price(model.restoration_usd, t),
        };
        view! {
            <label>
                <input
                    type="radio"
                    name="model"
                    value=model.id()
                    checked=place == usual
                    data-model=place.to_string()
                    data-lacks=lacks(model)
                />
                <span><bdi>{label(model, offered, kind, t)}</bdi>{price}</span>
            </label>
        }
    });
    let all = all.collect_view();
    let fieldset = view! {
        <fieldset class="choice models">
            <legend>{t.bring.model_and_price}</legend>
            {all}
        </fieldset>
    };
    Some(fieldset.into_any())
}

/// What is said of each model: of several, the style sheet shows that of the chosen one.
pub(crate) fn of_each(offered: &Offered, one: impl Fn(&Model) -> Option<AnyView>) -> AnyView {
    if !offered.is_choice() {
        return one(&offered.usual).into_any();
    }
    let all = offered.all().enumerate().filter_map(|(place, model)| {
        let one = one(model)?;
        Some(view! { <div class=format!("model-{place}")>{one}</div> })
    });
    all.collect_view().into_any()
}

/// The model in a form about a job: the one that made it, if it is offered and can do that, else the first that can.
pub(crate) fn same(job: &Job, offered: &Offered, can: impl Fn(&Model) -> bool) -> Option<AnyView> {
    let able = || offered.all().filter(|model| can(model));
    let own = able().find(|model| model.made(job));
    let model = own.or_else(|| able().next());
    let id = model.filter(|_| offered.is_choice())?.id();
    Some(view! { <input type="hidden" name="model" value=id /> }.into_any())
}

/// What the built-in engine is called.
pub(crate) fn built_in(kind: Kind, t: &Texts) -> String {
    let name = match kind {
        Kind::Image => t.bring.sketch_engine,
        Kind::Restoration => t.bring.restorer,
    };
    name.to_owned()
}

/// The name alone, unless two have the same.
fn label(model: &Model, offered: &Offered, kind: Kind, t: &Texts) -> String {
    if model.is_built_in() {
        return built_in(kind, t);
    }
    let short = |model: &Model| model.name.rsplit('/').next().map(str::to_owned);
    let alike = offered.all().filter(|other| short(other) == short(model));
    match short(model) {
        Some(short) if alike.count() == 1 => short,
        _ => model.id(),
    }
}

/// Dials that have no effect on it.
fn lacks(model: &Model) -> String {
    let all = [
        ("edits", model.edits),
        ("masks", model.masks),
        ("enlarge", model.enlarges),
        ("strength", model.strengths),
    ];
    let lacking = all.iter().filter(|(_, has)| !has);
    lacking.map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
}

/// The prices of an order; the style sheet shows that of the chosen quality, shape and number.
fn pictures(model: &Model, t: &Texts) -> AnyView {
    if model.image_usd.as_flattened().iter().all(|usd| *usd <= 0.0) {
        return price(0.0, t);
    }
    let prices = Quality::ALL.iter().zip(model.image_usd);
    let prices = prices.flat_map(|(quality, prices)| {
        let sizes = Size::OFFERED.iter().zip(prices);
        sizes.flat_map(move |(size, usd)| {
            (1..=MOST).map(move |n| {
                let (shape, usd) = (expected(Some(size)), usd * f64::from(n));
                view! {
                    <data value=usd.to_string() class=format!("{quality} {shape} of-{n}")>
                        {words::money(usd, t)}
                    </data>
                }
            })
        })
    });
    view! { <small class="prices">{prices.collect_view()}</small> }.into_any()
}

/// The price of a photo.
fn price(usd: f64, t: &Texts) -> AnyView {
    let price = match usd {
        0.0 => t.bring.free.to_owned(),
        usd => words::money(usd, t),
    };
    view! { <small>{price}</small> }.into_any()
}
