//! The languages, and what each has to have a text for.

use super::{Message, bring::Bring, english::ENGLISH, german::GERMAN, hebrew::HEBREW, ideas};
use atelier_api::{Job, Kind, Quality};

impl Message {
    /// All, in the order of their declaration.
    pub(crate) const ALL: [Self; 25] = [
        Self::NoAnswer,
        Self::Resuming,
        Self::Refused,
        Self::Ready,
        Self::Gone,
        Self::GivenUp,
        Self::Unreachable,
        Self::NotSent,
        Self::AheadOne,
        Self::Ahead,
        Self::Deleted,
        Self::Sure,
        Self::SureOfAll,
        Self::SureOfPhoto,
        Self::PhotoDeleted,
        Self::NothingPainted,
        Self::NoPhoto,
        Self::Empty,
        Self::TooLarge,
        Self::TooManyPixels,
        Self::More,
        Self::Place,
        Self::Chosen,
        Self::Most,
        Self::TooMany,
    ];
}

/// A language that the pages speak.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    English,
    German,
    Hebrew,
}

impl Language {
    /// All there are, in the order offered.
    pub const ALL: [Self; 3] = [Self::English, Self::German, Self::Hebrew];

    /// The language's tag (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::Hebrew => "he",
        }
    }

    /// Where its lines begin: `ltr` or `rtl`.
    pub(crate) const fn direction(self) -> &'static str {
        match self {
            Self::English | Self::German => "ltr",
            Self::Hebrew => "rtl",
        }
    }

    /// The language of a tag, whatever its region: `de`, `de-AT`, `DE_ch`; `iw` is Hebrew's old one.
    pub fn tagged(tag: &str) -> Option<Self> {
        let language = tag.split(['-', '_']).next()?;
        if language.eq_ignore_ascii_case("iw") {
            return Some(Self::Hebrew);
        }
        Self::ALL
            .into_iter()
            .find(|known| known.tag().eq_ignore_ascii_case(language))
    }

    /// What its speakers call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
            Self::Hebrew => "עברית",
        }
    }

    /// Its texts.
    pub(crate) const fn texts(self) -> &'static Texts {
        match self {
            Self::English => &ENGLISH,
            Self::German => &GERMAN,
            Self::Hebrew => &HEBREW,
        }
    }

    /// Prompts to try.
    pub const fn ideas(self) -> &'static [&'static str] {
        match self {
            Self::English => ideas::ENGLISH,
            Self::German => ideas::GERMAN,
            Self::Hebrew => ideas::HEBREW,
        }
    }

    /// The language of the prompts to try where the built-in engine draws, which does not know every language.
    pub const fn sketched(self) -> Self {
        match self {
            Self::English | Self::Hebrew => Self::English,
            Self::German => Self::German,
        }
    }

    /// A problem's title and detail by its code; it may pass after `wait`. `None` where it speaks for itself.
    pub fn problem(self, code: &str, wait: Option<&str>) -> Option<Problem> {
        (self.texts().problem)(code, wait)
    }
}

/// What the limits leave.
pub(crate) struct Left {
    pub(crate) kind: Kind,
    pub(crate) left: f64,
    pub(crate) all: f64,
    /// It is counted by the day.
    pub(crate) today: bool,
    /// A span of time until all is there again, unless all is.
    pub(crate) renewal: Option<String>,
}

/// A limit that leaves nothing.
pub(crate) struct Spent<'a> {
    pub(crate) kind: Kind,
    /// `usd`, `images` or `requests`.
    pub(crate) unit: &'a str,
    pub(crate) today: bool,
    /// A span of time until something is there again.
    pub(crate) back: String,
}

type Text = &'static str;

/// A problem's title and detail.
pub(crate) type Problem = (Text, String);

/// All that a language says. Numbers, money and spans of time come as they are to be shown.
pub(crate) struct Texts {
    pub(crate) message: fn(Message) -> Text,
    pub(crate) problem: fn(code: &str, wait: Option<&str>) -> Option<Problem>,
    pub(crate) failure: fn(code: &str) -> Option<Text>,
    pub(crate) bring: Bring,

    // The document.
    pub(crate) skip: Text,
    pub(crate) site: Text,
    pub(crate) paint: Text,
    pub(crate) restore: Text,
    pub(crate) gallery: Text,
    pub(crate) language: Text,
    pub(crate) by_local: Text,
    pub(crate) by_two: fn(pictures: &str, photos: &str) -> String,
    pub(crate) by_one: fn(&str) -> String,
    pub(crate) keys: Text,
    pub(crate) keys_off: Text,
    pub(crate) key_send: [Text; 2],
    pub(crate) key_write: Text,
    pub(crate) key_walk: Text,
    pub(crate) key_zoom: Text,
    pub(crate) key_delete: [Text; 2],
    pub(crate) key_close: [Text; 2],
    pub(crate) key_keys: Text,
    pub(crate) close: Text,

    // The art generator.
    pub(crate) art_title: Text,
    pub(crate) art_description: Text,
    pub(crate) art_heading: Text,
    pub(crate) art_jobs: Text,
    pub(crate) local_engine: Text,
    pub(crate) local_restorer: Text,
    /// Before and after the name of the variable.
    pub(crate) connect: [Text; 2],
    pub(crate) prompt: Text,
    pub(crate) prompt_example: Text,
    /// Around two ideas and a link to a third.
    pub(crate) try_these: [Text; 4],
    pub(crate) surprise: Text,
    pub(crate) examples_heading: Text,
    pub(crate) examples: [Text; 3],
    pub(crate) presets: Text,
    /// What a phone folds away once a picture is under way.
    pub(crate) options: Text,
    pub(crate) own_words: Text,
    pub(crate) style: Text,
    pub(crate) as_written: Text,
    /// Of a built-in style.
    pub(crate) style_label: fn(id: &str) -> Option<Text>,
    pub(crate) shape: Text,
    /// Square, wide, tall.
    pub(crate) shapes: [Text; 3],
    pub(crate) quality: Text,
    pub(crate) quality_label: fn(&Quality) -> Text,
    pub(crate) number: Text,
    pub(crate) transparent: Text,
    pub(crate) price: fn(&str) -> String,
    /// What comes after the price of one, for several.
    pub(crate) price_of: fn(pictures: u32, usd: &str) -> String,
    pub(crate) photo_price: fn(&str) -> String,
    pub(crate) paint_it: Text,
    pub(crate) sending: Text,
    /// Around the names of the keys.
    pub(crate) or_press: [Text; 3],

    // RestorePhotos.
    pub(crate) restore_title: Text,
    pub(crate) restore_description: Text,
    pub(crate) restore_heading: Text,
    pub(crate) restore_what: Text,
    pub(crate) restore_jobs: Text,
    pub(crate) choose_photo: Text,
    pub(crate) choose_photos: Text,
    pub(crate) photo_rules: fn(megabytes: &str, megapixels: u64) -> String,
    pub(crate) photo_chosen: Text,
    pub(crate) only_painted: Text,
    pub(crate) brush: Text,
    pub(crate) start_over: Text,
    pub(crate) strength: Text,
    pub(crate) gentle: Text,
    pub(crate) full: Text,
    pub(crate) size: Text,
    pub(crate) as_it_is: Text,
    pub(crate) twice: Text,
    pub(crate) four_times: Text,
    pub(crate) keep_monochrome: Text,
    pub(crate) stays_here: Text,
    pub(crate) sent_to: fn(provider: &str) -> String,
    pub(crate) both_deleted: fn(span: &str) -> String,
    pub(crate) restore_it: Text,
    pub(crate) uploading: Text,
    pub(crate) samples_heading: Text,
    pub(crate) samples: [Text; 3],
    pub(crate) sample_before: Text,
    pub(crate) sample_after: Text,

    // Allowances.
    pub(crate) left: fn(&Left) -> String,
    pub(crate) spent: fn(&Spent<'_>) -> String,

    // A job's card.
    pub(crate) stage: fn(&Job) -> Text,
    pub(crate) all_words: Text,
    pub(crate) progress: Text,
    pub(crate) ahead: fn(u64) -> String,
    pub(crate) usually: fn(span: &str) -> String,
    pub(crate) another_try: fn(u32) -> String,
    pub(crate) late: Text,
    pub(crate) call_off: Text,
    pub(crate) notify: Text,
    pub(crate) will_notify: Text,
    pub(crate) paint_again: Text,
    pub(crate) paint_new: Text,
    pub(crate) try_again: Text,
    pub(crate) after_all: Text,
    pub(crate) send_again: Text,
    pub(crate) another_photo: Text,
    pub(crate) a_photo: Text,
    pub(crate) change_words: Text,
    pub(crate) copy_words: Text,
    pub(crate) words_copied: Text,
    pub(crate) edit: Text,
    pub(crate) edit_how: Text,
    pub(crate) edit_example: Text,
    pub(crate) edit_it: Text,
    pub(crate) enlarge: Text,
    pub(crate) copy_link: Text,
    pub(crate) link_copied: Text,
    pub(crate) make_link: Text,
    pub(crate) give_link: [Text; 3],
    pub(crate) share: Text,
    pub(crate) unshare: Text,
    pub(crate) delete: Text,
    pub(crate) delete_now: Text,
    pub(crate) deleted: Text,
    pub(crate) download: Text,
    pub(crate) more: Text,
    pub(crate) without_words: Text,
    pub(crate) without_place: Text,
    pub(crate) shared: Text,
    pub(crate) earlier_picture: Text,
    /// What comes before the prompt of another picture.
    pub(crate) painted_before_like: fn(ago: Option<&str>) -> String,
    /// What comes between `An earlier picture` and its prompt.
    pub(crate) painted_like: fn(ago: Option<&str>) -> String,
    pub(crate) alike: fn(per_cent: &str) -> String,
    pub(crate) same_words: fn(ago: Option<&str>) -> String,
    pub(crate) same_photo: Text,
    pub(crate) edited: Text,
    pub(crate) enlarged: Text,
    pub(crate) repaired: Text,
    pub(crate) colours: Text,
    pub(crate) left_out: Text,
    pub(crate) took: Text,
    pub(crate) cost: Text,
    pub(crate) model: Text,
    pub(crate) another: Text,
    pub(crate) times: fn(u32) -> String,
    pub(crate) black_and_white: Text,
    pub(crate) painted_over: Text,
    pub(crate) no_reason: Text,
    pub(crate) seen_by_address: Text,
    pub(crate) seen_by_key: Text,
    pub(crate) seen_by_link: Text,
    pub(crate) seen_by_you: Text,
    pub(crate) page_closed: Text,
    pub(crate) deleted_soon: Text,
    pub(crate) deleted_in: fn(span: &str) -> String,

    // Pictures.
    pub(crate) restored_photo: Text,
    pub(crate) photo_to_restore: Text,
    pub(crate) photo_restored: Text,
    pub(crate) photo_as_sent: Text,
    pub(crate) photo_as_it_was: Text,
    pub(crate) picture_of: fn(prompt: &str, number: usize, all: usize) -> String,
    pub(crate) choose_picture: Text,
    pub(crate) before: Text,
    pub(crate) after: Text,
    pub(crate) how_much_before: Text,
    pub(crate) hold: Text,
    pub(crate) side_by_side: Text,
    pub(crate) only_changes: Text,
    pub(crate) actual_size: Text,
    pub(crate) wall: Text,
    pub(crate) everything: Text,

    // The page of a job.
    pub(crate) picture: Text,
    pub(crate) photo: Text,
    pub(crate) job_description: Text,
    pub(crate) another_picture: Text,
    pub(crate) restore_another: Text,
    pub(crate) looks_again: Text,

    // The gallery.
    pub(crate) gallery_description: Text,
    pub(crate) back_to_newest: Text,
    /// Around two links.
    pub(crate) nothing_yet: Text,
    pub(crate) paint_a_picture: Text,
    pub(crate) none: Text,
    pub(crate) clear: Text,
    /// The number of pictures found, or that there are more.
    pub(crate) found: fn(number: usize, more: bool) -> String,
    pub(crate) words_of_prompt: Text,
    pub(crate) kind: Text,
    pub(crate) all: Text,
    pub(crate) pictures: Text,
    pub(crate) photos: Text,
    pub(crate) search: Text,
    pub(crate) older: Text,
    pub(crate) choose_all: Text,
    pub(crate) favourites: Text,
    pub(crate) favourite: fn(name: &str) -> String,
    pub(crate) favour: Text,
    pub(crate) unfavour: Text,
    pub(crate) folder: Text,
    pub(crate) all_folders: Text,
    pub(crate) folder_name: Text,
    pub(crate) move_there: Text,
    pub(crate) out_of_folder: Text,
    pub(crate) download_chosen: Text,
    pub(crate) delete_chosen: Text,
    pub(crate) choose: fn(name: &str) -> String,
    pub(crate) undo: Text,
    pub(crate) newer_picture: Text,
    pub(crate) older_picture: Text,
    pub(crate) all_about_it: Text,
    pub(crate) view_large: Text,
    pub(crate) use_again: Text,

    // Problems.
    /// The picture that other sites show of a page without one of its own.
    pub(crate) share_alt: Text,
    pub(crate) problem_description: Text,
    pub(crate) back_where: Text,
    pub(crate) nothing_here: [Text; 3],
    pub(crate) job_gone: [Text; 3],
    pub(crate) store_away: [Text; 3],
    pub(crate) away_note: Text,

    // Numbers.
    pub(crate) just_now: Text,
    pub(crate) yesterday: Text,
    /// Of `2 h`.
    pub(crate) ago: fn(&str) -> String,
    pub(crate) days_ago: fn(u64) -> String,
    /// Seconds, minutes, hours, days.
    pub(crate) units: [Text; 4],
    pub(crate) money: fn(digits: &str) -> String,
    pub(crate) next_to_nothing: Text,
}
