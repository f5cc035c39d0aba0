//! Styles that pictures may have.

/// A style preset: an id for the API, and the words that extend the prompt for a provider that draws
/// from words alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// What the API calls it.
    pub id: &'static str,
    /// Appended to the prompt.
    pub words: &'static str,
}

/// The style presets, in the order shown.
pub const STYLES: &[Style] = &[
    Style {
        id: "watercolour",
        words: "loose watercolour on textured paper",
    },
    Style {
        id: "ink",
        words: "black ink drawing with fine hatching",
    },
    Style {
        id: "oil",
        words: "oil painting with visible brush strokes",
    },
    Style {
        id: "pencil",
        words: "graphite pencil drawing on paper",
    },
    Style {
        id: "poster",
        words: "flat screen-printed poster in few bold colours",
    },
    Style {
        id: "pixel",
        words: "pixel art with a small palette",
    },
    Style {
        id: "photo",
        words: "natural photograph, soft daylight",
    },
];
