//! Every text of the pages, in every language.
//!
//! A language is a file below with one [`Texts`] in it; the compiler names what a new one
//! lacks. What a program reads (the API's problems) is English, and is put into a
//! visitor's language by its code: [`Texts::problem`] and [`Texts::failure`].

#[cfg(feature = "ssr")]
mod english;
#[cfg(feature = "ssr")]
mod german;
#[cfg(feature = "ssr")]
mod speaking;

/// A text that scripts show. The server puts them all on the page ([`Said::ALL`]), so that the WASM
/// carries none; `{}` stands for a number or a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    /// A form did not reach the server.
    NoAnswer,
    /// A form was refused without a reason.
    Refused,
    /// The job was deleted meanwhile.
    Gone,
    /// No news for so long that the page stops asking.
    GivenUp,
    /// No news at the moment.
    Lost,
    /// A button's order did not reach the server.
    NotThrough,
    /// `{}` jobs in front.
    Ahead,
    /// `{}` pictures will be deleted.
    Deleted,
    /// Before a picture is deleted.
    Sure,
    /// Before `{}` pictures of one job are deleted.
    SureOfAll,
    /// The brush was chosen and nothing painted over.
    NothingPainted,
    /// A file that is no photo.
    NoPhoto,
    /// A file without bytes.
    Empty,
    /// A file of `{}` where at most `{}` are taken.
    TooLarge,
    /// A photo of `{}` megapixels where at most `{}` are taken.
    TooManyPixels,
    /// A file `{}` and `{}` others.
    More,
}

impl Said {
    /// Where it stands in [`Self::ALL`].
    #[cfg(feature = "hydrate")]
    pub(crate) const fn place(self) -> usize {
        self as usize
    }
}

#[cfg(feature = "ssr")]
pub use speaking::Language;
#[cfg(feature = "ssr")]
pub(crate) use speaking::{Left, Spent, Texts};

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn every_text_for_scripts_has_its_place() {
        for (place, said) in Said::ALL.into_iter().enumerate() {
            assert_eq!(said as usize, place);
            for language in Language::ALL {
                let gaps = |language: Language| (language.texts().said)(said).matches("{}").count();
                assert_eq!(gaps(language), gaps(Language::English), "{said:?}");
            }
        }
    }

    #[test]
    fn tags_name_languages() {
        assert_eq!(Language::tagged("de-AT"), Some(Language::German));
        assert_eq!(Language::tagged("EN"), Some(Language::English));
        assert_eq!(Language::tagged("den"), None);
        assert_eq!(Language::tagged(""), None);
    }
}
