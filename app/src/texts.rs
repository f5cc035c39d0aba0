//! Every text of the pages, in every language.
//!
//! A language is a file below with one [`Texts`] in it; the compiler reports what a new one
//! lacks. The API's problems are in English, and are translated for visitors by their
//! code: [`Texts::problem`] and [`Texts::failure`].

#[cfg(feature = "ssr")]
mod bring;
#[cfg(feature = "ssr")]
mod english;
#[cfg(feature = "ssr")]
mod german;
#[cfg(feature = "ssr")]
mod hebrew;
#[cfg(feature = "ssr")]
mod ideas;
#[cfg(feature = "ssr")]
mod speaking;

/// A message that scripts show. The server puts them all on the page (`Message::ALL`), so that the WASM
/// contains none; `{}` is the placeholder of a number or a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// A form did not reach the server.
    NoAnswer,
    /// An upload lost its connection and will be sent again.
    Resuming,
    /// A form was refused without a reason.
    Refused,
    /// A picture or photo is ready, in a title.
    Ready,
    /// The job has been deleted.
    Gone,
    /// The server has not answered for so long that the page stops polling.
    GivenUp,
    /// The server does not answer at the moment.
    Unreachable,
    /// A button's request did not reach the server.
    NotSent,
    /// One job in front.
    AheadOne,
    /// `{}` jobs in front, more than one.
    Ahead,
    /// `{}` pictures will be deleted.
    Deleted,
    /// Before a picture is deleted.
    Sure,
    /// Before `{}` pictures of one job are deleted.
    SureOfAll,
    /// Before a photo is deleted.
    SureOfPhoto,
    /// A photo has been deleted.
    PhotoDeleted,
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
    /// The picture of number `{}` of `{}`.
    Place,
    /// `{}` are chosen.
    Chosen,
    /// More than `{}` are chosen, which are too many for one file.
    Most,
    /// More than `{}` are attached.
    TooMany,
}

impl Message {
    /// Its index in [`Self::ALL`].
    #[cfg(feature = "browser")]
    pub const fn place(self) -> usize {
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
        for (place, message) in Message::ALL.into_iter().enumerate() {
            assert_eq!(message as usize, place);
            for language in Language::ALL {
                let gaps =
                    |language: Language| (language.texts().message)(message).matches("{}").count();
                assert_eq!(gaps(language), gaps(Language::English), "{message:?}");
            }
        }
    }

    #[test]
    fn the_example_is_an_idea() {
        for language in Language::ALL {
            let example = language.texts().prompt_example;
            let first = language.ideas()[0];
            assert_eq!(example.to_lowercase(), first.to_lowercase());
        }
    }

    #[test]
    fn tags_name_languages() {
        assert_eq!(Language::tagged("de-AT"), Some(Language::German));
        assert_eq!(Language::tagged("iw"), Some(Language::Hebrew));
        assert_eq!(Language::tagged("EN"), Some(Language::English));
        assert_eq!(Language::tagged("den"), None);
        assert_eq!(Language::tagged(""), None);
    }
}
