//! What a call has used, by the provider's own figures.

use serde::Deserialize;

use crate::config::Prices;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Usage {
    input_tokens: Option<u64>,
    input_tokens_details: Option<InputDetails>,
    output_tokens: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct InputDetails {
    #[serde(default)]
    text_tokens: u64,
    #[serde(default)]
    image_tokens: u64,
}

impl Usage {
    /// The cost in US dollars, if the usage has tokens.
    pub(super) fn cost(&self, prices: Option<Prices>) -> Option<f64> {
        let prices = prices?;
        let input = self.input_tokens.or(self.output_tokens.map(|_| 0))?;
        // Without details every input token counts as text, the cheapest.
        let (text, image) = self
            .input_tokens_details
            .as_ref()
            .map_or((input, 0), |details| {
                (details.text_tokens, details.image_tokens)
            });
        let millionths = text as f64 * prices.text_input
            + image as f64 * prices.image_input
            + self.output_tokens.unwrap_or_default() as f64 * prices.image_output;
        Some(millionths / 1e6)
    }
}
