//! The models that the operator has chosen, in the order in which they are asked.

use std::{sync::Arc, time::Duration};

use atelier_api::{Background, Kind};

use super::{Offers, Provider, Work};
use crate::job::{Request, Task};

/// A model and its provider.
#[derive(Clone)]
pub struct Choice {
    pub provider: Arc<dyn Provider>,
    pub model: String,
}

/// Models for the same: the first is asked, and the others where it cannot answer.
#[derive(Clone)]
pub struct Ranked {
    pub first: Choice,
    pub others: Vec<Choice>,
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
                    && (offers.masks || task.mask.is_none())
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
        }
    }

    /// All of them, in their order.
    pub fn all(&self) -> impl Iterator<Item = &Choice> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

impl Models {
    /// The model for new orders that a model for this kind carries out.
    pub const fn of(&self, kind: Kind) -> &Choice {
        &self.ranked(kind).first
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
        let all: Vec<_> = self.ranked(kind).all().collect();
        let own = all.iter().position(|choice| choice.is_of(request));
        // One that is not configured any more has none.
        let Some(own) = own else {
            return Vec::new();
        };
        let behind = all.into_iter().skip(own + 1);
        behind.filter(|choice| choice.can(&request.task)).collect()
    }

    /// All of them, for the log.
    pub fn names(&self) -> Vec<String> {
        let all = self.pictures.all().chain(self.photos.all());
        all.map(|choice| format!("{}/{}", choice.name(), choice.model))
            .collect()
    }

    const fn ranked(&self, kind: Kind) -> &Ranked {
        match kind {
            Kind::Image => &self.pictures,
            Kind::Restoration => &self.photos,
        }
    }
}
