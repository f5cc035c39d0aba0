//! A budget in dollars, and what the stand-in's pictures cost.

use serde_json::Value;

use super::{Atelier, PATIENCE};

/// What the stand-in's usage comes to: 20 tokens of text in, 1,000 of picture out.
pub(crate) const CHARGED: f64 = 0.0301;

/// What is reserved for a picture of high quality.
pub(crate) const ESTIMATED: f64 = 0.3;

/// Policies of the configuration: a budget of so many dollars, in a window that
/// does not end while we look, and the prices of all models.
pub(crate) fn budget(dollars: u32) -> String {
    format!(
        "
        [[limits]]
        name = 'budget'
        scope = 'global'
        unit = 'usd'
        algorithm = 'fixed_window'
        quota = {dollars}
        window = '365d'
        [openai]
        partial_images = 0
        [[openai.estimates]]
        model = '*'
        low = 0.1
        medium = 0.2
        high = {ESTIMATED}
        photo = 0.05
        "
    )
}

impl Atelier {
    /// What is left of the budget.
    pub(crate) async fn left(&self) -> f64 {
        let limits: Value = self.json("/api/limits").await;
        assert_eq!(limits["limits"][0]["unit"], "usd");
        limits["limits"][0]["remaining"].as_f64().unwrap()
    }

    /// Waits until so much is left: a settlement follows the end of its job at
    /// once, but not before it.
    pub(crate) async fn settled(&self, expected: f64) {
        let arrives = async { while (self.left().await - expected).abs() > 1e-9 {} };
        let arrived = tokio::time::timeout(PATIENCE, arrives).await;
        assert!(
            arrived.is_ok(),
            "{} is left, {expected} expected",
            self.left().await
        );
    }
}
