//! The models that the operator has chosen, in the order in which they are asked.

use std::{sync::Arc, time::Duration};

use atelier_api::{Background, Kind};

use super::{Offers, Provider, Work};
use crate::{
    config::ModelName,
    job::{Request, Task},
};

/// A model and its provider.
#[derive(Clone)]
pub struct Choice {
    pub provider: Arc<dyn Provider>,
    pub model: String,
}

/// Models for the same: the first is asked unless another is chosen, and the others where it cannot answer.
#[derive(Clone)]
pub struct Ranked {
    pub first: Choice,
    pub others: Vec<Choice>,
    /// What whoever orders may choose instead of the first.
    pub choices: Vec<Choice>,
}

/// The models for each kind of order.
#[derive(Clone)]
pub struct Models {
    pub pictures: Ranked,
    /// They restore photos, and enlarge pictures.
    pub photos: Ranked,
}

impl Choice {
    /// A model of this provider.
    pub fn new(provider: Arc<dyn Provider>, model: impl Into<String>) -> Self {
        Self {
            provider,
            model: model.into(),
        }
    }

    /// The provider's name.
    pub fn name(&self) -> &str {
        self.provider.name()
    }

    /// The name that it has in the configuration.
    pub fn full_name(&self) -> ModelName {
        ModelName {
            provider: self.name().to_owned(),
            model: self.model.clone(),
        }
    }

    /// Its optional features.
    pub fn offers(&self) -> Offers {
        self.provider.offers(&self.model)
    }

    /// How long a call usually takes.
    pub fn typical(&self, kind: Kind) -> Duration {
        self.provider.typical(kind)
    }

    /// The expected cost of a call in US dollars.
    pub fn estimate(&self, work: Work<'_>) -> f64 {
        self.provider.estimate(&self.model, work)
    }

    /// Whether it can do what is asked for.
    fn can(&self, task: &Task) -> bool {
        let offers = self.offers();
        match task {
            Task::Image(task) if task.enlarge.is_some() => offers.enlarges,
            Task::Image(task) => {
                let any_background = task.background == Background::Auto;
                (offers.edits || task.beginnings().is_empty())
                    && (offers.masks || task.mask.is_none() && task.extend.is_none())
                    && (offers.backgrounds || any_background)
            }
            Task::Restoration(task) => offers.photos && (offers.masks || task.mask.is_none()),
            Task::Notice(_) | Task::Call(_) | Task::Message(_) => false,
        }
    }

    fn is_of(&self, request: &Request) -> bool {
        self.name() == request.provider && self.model == request.model
    }
}

impl Ranked {
    /// One model, and none in its place.
    pub const fn single(first: Choice) -> Self {
        Self {
            first,
            others: Vec::new(),
            choices: Vec::new(),
        }
    }

    /// Those that are asked in each other's place, in their order.
    fn in_turn(&self) -> impl Iterator<Item = &Choice> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// Those that may be chosen, the usual one first.
    pub fn offered(&self) -> impl Iterator<Item = &Choice> {
        std::iter::once(&self.first).chain(&self.choices)
    }

    /// All of them. One can be among them twice.
    pub fn all(&self) -> impl Iterator<Item = &Choice> {
        self.in_turn().chain(&self.choices)
    }
}

impl Models {
    /// The model for new orders that a model for this kind carries out, unless another is chosen.
    pub const fn of(&self, kind: Kind) -> &Choice {
        &self.ranked(kind).first
    }

    /// The one that was chosen, or the usual one where that is not offered.
    pub fn chosen(&self, kind: Kind, name: Option<&ModelName>) -> &Choice {
        let is_named = |choice: &&Choice| Some(&choice.full_name()) == name;
        let mut offered = self.ranked(kind).offered();
        offered.find(is_named).unwrap_or_else(|| self.of(kind))
    }

    /// The expected cost of the request's own model in US dollars.
    pub fn estimate(&self, request: &Request) -> f64 {
        let mut all = self.pictures.all().chain(self.photos.all());
        let own = all.find(|choice| choice.name() == request.provider);
        let own = own.unwrap_or(&self.pictures.first);
        let provider = &own.provider;
        provider.estimate(&request.model, (&request.task).into())
    }

    /// The models that may be asked in the place of the request's own, in their order.
    pub fn instead_of(&self, request: &Request) -> Vec<&Choice> {
        let Some(kind) = request.task.made_by() else {
            return Vec::new();
        };
        let (own, others): (Vec<_>, Vec<_>) =
            (self.ranked(kind).in_turn()).partition(|choice| choice.is_of(request));
        // One that is only to be chosen has none, nor one that is not configured any more.
        if own.is_empty() {
            return Vec::new();
        }
        let can = |choice: &&Choice| choice.can(&request.task);
        others.into_iter().filter(can).collect()
    }

    /// All of them, for the log.
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for choice in self.pictures.all().chain(self.photos.all()) {
            let name = choice.full_name().to_string();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The models for orders that a model for this kind carries out.
    pub const fn ranked(&self, kind: Kind) -> &Ranked {
        match kind {
            Kind::Image => &self.pictures,
            Kind::Restoration => &self.photos,
        }
    }
}
