//! A prompt as words.

/// Words read before the painter has heard enough. The rest of a long prompt still seeds the picture.
const ATTENTION: usize = 600;

/// Case folded and white space collapsed: prompts that differ in nothing else are the same prompt.
pub(crate) fn normalise(prompt: &str) -> String {
    let folded = prompt.to_lowercase();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) struct Word<'a> {
    pub(crate) written: &'a str,
    pub(crate) small: String,
    pub(crate) first: bool,
    /// A comma or the like stands before it.
    pub(crate) new_phrase: bool,
}

impl Word<'_> {
    pub(crate) fn capital(&self) -> bool {
        self.written.starts_with(char::is_uppercase)
    }
}

pub(crate) fn words(prompt: &str) -> Vec<Word<'_>> {
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '-' | '\'' | '’');
    let mut words = Vec::new();
    let mut new_phrase = false;
    for piece in prompt.split_inclusive(|c| !inside(c)) {
        let written = piece.trim_matches(|c: char| !c.is_alphanumeric());
        if !written.is_empty() {
            words.push(Word {
                written,
                first: words.is_empty(),
                small: written.to_lowercase(),
                new_phrase: std::mem::take(&mut new_phrase),
            });
        }
        new_phrase |= piece.ends_with(|c: char| !inside(c) && !c.is_whitespace());
        if words.len() == ATTENTION {
            break;
        }
    }
    words
}
