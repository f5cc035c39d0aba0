//! The models that are offered, as pages tell of them.

use atelier_api::{Quality, Size};
use atelier_app::data::{Model, Offered};

use crate::providers::{Choice, Ranked, Work};

/// The usual model and those that can be chosen instead.
pub(super) fn offered(models: &Ranked) -> Offered {
    Offered {
        usual: model(&models.first),
        others: models.choices.iter().map(model).collect(),
    }
}

fn model(choice: &Choice) -> Model {
    let offers = choice.offers();
    let attached = |sources| choice.estimate(one(&Size::Auto, &Quality::Auto, sources));
    Model {
        provider: choice.name().to_owned(),
        name: choice.model.clone(),
        masks: offers.masks,
        backgrounds: offers.backgrounds,
        edits: offers.edits,
        enlarges: offers.enlarges,
        strengths: offers.strengths,
        image_usd: Quality::ALL.each_ref().map(|quality| {
            let usd = |size| choice.estimate(one(size, quality, 0));
            Size::OFFERED.each_ref().map(usd)
        }),
        attached_usd: attached(1) - attached(0),
        restoration_usd: choice.estimate(Work::Restoration),
    }
}

const fn one<'a>(size: &'a Size, quality: &'a Quality, sources: usize) -> Work<'a> {
    Work::Images {
        size,
        quality,
        n: 1,
        sources,
    }
}
