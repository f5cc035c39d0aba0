//! What the operator adds to the studio's form: styles and presets.

use std::{collections::HashSet, path::PathBuf};

use anyhow::{Result, ensure};
use atelier_api::STYLES;
use serde::{Deserialize, Serialize};

use super::{Config, ModelName, PicturePrice, pictures};

/// The most of each kind; the form has room for no more.
const MOST: usize = 24;
const LONGEST_NAME: usize = 40;
const LONGEST_WORDS: usize = 2_000;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudioConfig {
    /// The models for pictures, in the order in which they are asked; none for those of `provider`.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "pictures::names"
    )]
    pub pictures: Vec<ModelName>,
    /// The same for photos.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "pictures::names"
    )]
    pub photos: Vec<ModelName>,
    /// The models that visitors may choose instead of the first of `pictures`.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "pictures::names"
    )]
    pub picture_choices: Vec<ModelName>,
    /// The same for photos.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "pictures::names"
    )]
    pub photo_choices: Vec<ModelName>,
    pub styles: Vec<StyleConfig>,
    pub presets: Vec<PresetConfig>,
    pub prices: Vec<PicturePrice>,
}

/// A style of the operator's own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StyleConfig {
    /// Its name on pages and in the API.
    pub name: String,
    /// What the provider receives after the prompt.
    pub words: String,
    /// A picture of it, read at start.
    pub thumbnail: Option<PathBuf>,
}

/// A prompt that visitors may begin with.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresetConfig {
    pub name: String,
    pub words: String,
    pub style: Option<String>,
    pub thumbnail: Option<PathBuf>,
}

impl Config {
    pub(super) fn check_studio(&self) -> Result<()> {
        let StudioConfig {
            styles, presets, ..
        } = &self.studio;
        let named = styles.iter().map(|style| (&style.name, &style.words));
        check("studio.styles", named, STYLES.iter().map(|style| style.id))?;
        let named = presets.iter().map(|preset| (&preset.name, &preset.words));
        check("studio.presets", named, std::iter::empty())?;
        for preset in presets {
            let known = |style: &String| {
                STYLES.iter().any(|known| known.id == style)
                    || styles.iter().any(|known| known.name == *style)
            };
            ensure!(
                preset.style.as_ref().is_none_or(known),
                "studio.presets: the preset {:?} has the style {:?}, which there is not.",
                preset.name,
                preset.style.as_deref().unwrap_or_default()
            );
        }
        Ok(())
    }
}

/// Checks names, which are to be unique, and words.
fn check<'a>(
    setting: &str,
    entries: impl ExactSizeIterator<Item = (&'a String, &'a String)>,
    taken: impl Iterator<Item = &'a str>,
) -> Result<()> {
    let count = entries.len();
    ensure!(
        count <= MOST,
        "{setting} has {count} entries. At most {MOST} are shown."
    );
    let mut names: HashSet<String> = taken.map(str::to_lowercase).collect();
    for (name, words) in entries {
        ensure!(
            fits(name, LONGEST_NAME),
            "{setting}: the name {name:?} must have 1 to {LONGEST_NAME} characters on one line, and no blank at an end."
        );
        ensure!(
            names.insert(name.to_lowercase()),
            "{setting}: the name {name:?} is taken. Choose another."
        );
        ensure!(
            fits(words, LONGEST_WORDS),
            "{setting}: the words of {name:?} must have 1 to {LONGEST_WORDS} characters on one line, and no blank at an end."
        );
    }
    Ok(())
}

fn fits(text: &str, longest: usize) -> bool {
    !text.is_empty()
        && text.trim() == text
        && text.chars().count() <= longest
        && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use crate::config::tests::{load, message};

    #[test]
    fn styles_and_presets_are_checked_by_name() {
        let style = "[[studio.styles]]\nname = 'Linocut'\nwords = 'linocut'\n";
        let preset = "[[studio.presets]]\nname = 'Fair'\nwords = 'a fair'\nstyle = 'Linocut'";
        let config = load(&format!("{style}{preset}"), &[]).unwrap();
        assert_eq!(config.studio.styles[0].words, "linocut");
        assert_eq!(config.studio.presets[0].style.as_deref(), Some("Linocut"));
        let entry = |kind: &str, name: &str, words: &str| {
            format!("[[studio.{kind}]]\nname = '{name}'\nwords = '{words}'\n")
        };
        for (file, parts) in [
            (entry("styles", "Ink", "black"), ["studio.styles", "Ink"]),
            (style.repeat(2), ["studio.styles", "Linocut"]),
            (entry("styles", "A", ""), ["studio.styles", "words"]),
            (entry("styles", "", "a"), ["studio.styles", "name"]),
            (
                entry("presets", &"n".repeat(41), "a"),
                ["studio.presets", "40"],
            ),
            (
                entry("presets", "A", &"w".repeat(2001)),
                ["studio.presets", "2000"],
            ),
            (preset.to_owned(), ["studio.presets", "Linocut"]),
            (
                (0..25)
                    .map(|n| entry("styles", &n.to_string(), "a"))
                    .collect(),
                ["studio.styles", "24"],
            ),
        ] {
            let told = message(&file, &[]);
            assert!(parts.iter().all(|part| told.contains(part)), "{told}");
        }
    }
}
