//! Fragments that are the same for everybody.

use std::sync::OnceLock;

use leptos::{prelude::*, tachys::html::InertElement};

use crate::texts::Language;

/// One element, rendered once per language and then reused.
pub(crate) struct Fixed([OnceLock<String>; Language::ALL.len()]);

impl Fixed {
    /// Nothing is rendered yet.
    pub(crate) const fn new() -> Self {
        Self([const { OnceLock::new() }; Language::ALL.len()])
    }

    /// The element, which must depend on nothing but the language and the configuration.
    pub(crate) fn show<V: IntoView>(
        &'static self,
        language: Language,
        element: impl FnOnce() -> V,
    ) -> InertElement {
        let html = self.0[language as usize].get_or_init(|| element().to_html());
        InertElement::new(html.as_str())
    }
}
