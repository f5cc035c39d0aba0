//! Numbers and states in words. Pure, and shared with the browser where it needs them.

/// A span of time in its two largest units: `45 s`, `1 min 5 s`, `7 h 12 min`, `2 d 3 h`.
pub(crate) fn duration(seconds: u64) -> String {
    let (large, small, units) = match seconds {
        0..60 => (0, seconds, ["", " s"]),
        60..3_600 => (seconds / 60, seconds % 60, [" min", " s"]),
        3_600..86_400 => (seconds / 3_600, seconds / 60 % 60, [" h", " min"]),
        _ => (seconds / 86_400, seconds / 3_600 % 24, [" d", " h"]),
    };
    let mut text = String::new();
    if large > 0 {
        text += &large.to_string();
        text += units[0];
    }
    if small > 0 || large == 0 {
        if large > 0 {
            text.push(' ');
        }
        text += &small.to_string();
        text += units[1];
    }
    text
}

/// A size in whole megabytes, rounded up so that nobody is told less than it is.
pub(crate) fn megabytes(bytes: u64) -> String {
    let mut text = bytes.div_ceil(1_000_000).to_string();
    text += " MB";
    text
}

#[cfg(feature = "ssr")]
pub(crate) use on_server::*;

#[cfg(feature = "ssr")]
mod on_server {
    use super::duration;
    use crate::wire::{Job, Kind, Limit, STYLES, Status};

    /// At most `max` characters, cut at a word where one ends nearby, with an ellipsis.
    pub(crate) fn clip(text: &str, max: usize) -> String {
        let Some((end, _)) = text.char_indices().nth(max) else {
            return text.to_owned();
        };
        let head = &text[..end];
        let head = match head.rfind(' ') {
            Some(space) if space * 2 > end => &head[..space],
            _ => head,
        };
        format!("{}…", head.trim_end())
    }

    /// A name for a downloaded file: `a-fox-in-the-snow`.
    pub(crate) fn slug(text: &str) -> String {
        let mut slug = String::new();
        for c in text.chars() {
            if slug.len() >= 48 {
                break;
            }
            if c.is_alphanumeric() {
                slug.extend(c.to_lowercase());
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        }
        slug.trim_end_matches('-').to_owned()
    }

    /// Money with as many places as small sums need: `$0.042`, `$1.20`.
    pub(crate) fn money(usd: f64) -> String {
        match usd {
            _ if usd < 0.001 => "less than $0.001".into(),
            _ if usd < 0.1 => format!("${usd:.3}"),
            _ => format!("${usd:.2}"),
        }
    }

    /// What to call a job on its page: the prompt, or what is done to the photo.
    pub(crate) fn name(job: &Job) -> &str {
        match job.kind {
            Kind::Image => &job.prompt,
            Kind::Restoration if job.status == Status::Succeeded => "A restored photo",
            Kind::Restoration => "A photo to restore",
        }
    }

    /// A style's label, empty for none.
    pub(crate) fn style(id: Option<&str>) -> &'static str {
        STYLES
            .iter()
            .find(|style| Some(style.id) == id)
            .map_or("", |style| style.label)
    }

    /// The stage of a job as a heading, also announced to screen readers.
    pub(crate) fn stage(job: &Job) -> &'static str {
        let picture = job.kind == Kind::Image;
        match job.status {
            Status::Queued if job.attempt > 0 => "Trying again soon",
            Status::Queued if job.position == Some(0) => "Next in line",
            Status::Queued => "Waiting in line",
            Status::Running if job.attempt > 1 => "Trying again",
            Status::Running if picture => "Painting",
            Status::Running => "Restoring",
            Status::Delivering => "Putting it in its frame",
            Status::Succeeded if picture => "The picture is ready",
            Status::Succeeded => "The photo is ready",
            Status::Failed if picture => "This picture did not work out",
            Status::Failed => "This photo could not be restored",
            Status::Cancelled => "Called off",
        }
    }

    /// The jobs in front, in words: `2 ahead of it`.
    pub(crate) fn ahead(job: &Job) -> Option<String> {
        job.position
            .filter(|n| job.status == Status::Queued && *n > 0)
            .map(|n| format!("{n} ahead of it"))
    }

    /// What the limits leave a caller for one kind of job.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(crate) struct Allowance {
        pub(crate) sentence: String,
        /// Nothing can be sent before the quota renews.
        pub(crate) spent: bool,
    }

    /// The tightest policy that applies, in words; `None` when nothing is counted in pictures.
    pub(crate) fn allowance(limits: &[Limit], kind: Kind) -> Option<Allowance> {
        let things = match kind {
            Kind::Image => "pictures",
            Kind::Restoration => "photos",
        };
        let mine = || limits.iter().filter(|limit| limit.actions.contains(&kind));
        let spent = mine().filter(|limit| limit.unit != "usd" && limit.remaining < 1.0);
        if let Some(limit) = spent.max_by_key(|limit| limit.reset_seconds) {
            let back = duration(limit.reset_seconds.max(1));
            let sentence = match limit.unit.as_str() {
                "images" => format!("No {things} left for now. Come back in {back}."),
                _ => format!("That was a lot at once. Come back in {back}."),
            };
            return Some(Allowance {
                sentence,
                spent: true,
            });
        }
        let counted = mine().filter(|limit| {
            limit.unit == "images" && matches!(limit.scope.as_str(), "ip" | "user")
        });
        let limit = counted.min_by(|a, b| a.remaining.total_cmp(&b.remaining))?;
        let (left, quota) = (limit.remaining.floor(), limit.quota.floor());
        let sentence = match left < quota {
            true => format!(
                "{left} of {quota} {things} left, renews in {}.",
                duration(limit.reset_seconds.max(1))
            ),
            false => format!("{left} of {quota} {things} left."),
        };
        Some(Allowance {
            sentence,
            spent: false,
        })
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::wire::{Kind, Limit};

    #[test]
    fn durations_have_two_units_at_most() {
        for (seconds, words) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (65, "1 min 5 s"),
            (3_600, "1 h"),
            (25_920, "7 h 12 min"),
            (86_400, "1 d"),
            (183_600, "2 d 3 h"),
        ] {
            assert_eq!(duration(seconds), words);
        }
    }

    #[test]
    fn megabytes_round_up() {
        assert_eq!(megabytes(25_000_000), "25 MB");
        assert_eq!(megabytes(25_000_001), "26 MB");
    }

    #[test]
    fn clipping_respects_words_and_characters() {
        assert_eq!(clip("a red fox", 20), "a red fox");
        assert_eq!(clip("a red fox in snow", 12), "a red fox…");
        assert_eq!(clip("äöüäöü", 3), "äöü…");
    }

    #[test]
    fn slugs_are_file_names() {
        assert_eq!(slug("  A Fox, in the Snow! "), "a-fox-in-the-snow");
        assert_eq!(slug("../../etc"), "etc");
        assert_eq!(slug("…"), "");
    }

    #[test]
    fn money_shows_small_sums() {
        assert_eq!(money(0.0417), "$0.042");
        assert_eq!(money(1.2), "$1.20");
        assert_eq!(money(0.0), "less than $0.001");
    }

    fn limit(unit: &str, quota: f64, remaining: f64, reset_seconds: u64) -> Limit {
        let actions = vec![Kind::Image];
        Limit {
            name: "x".into(),
            scope: "ip".into(),
            unit: unit.into(),
            quota,
            remaining,
            reset_seconds,
            actions,
        }
    }

    #[test]
    fn the_allowance_names_the_tightest_policy() {
        let limits = [
            limit("images", 20.0, 17.0, 25_920),
            limit("requests", 5.0, 4.0, 60),
        ];
        let told = allowance(&limits, Kind::Image).unwrap();
        assert_eq!(
            told.sentence,
            "17 of 20 pictures left, renews in 7 h 12 min."
        );
        assert!(!told.spent);
        assert_eq!(allowance(&limits, Kind::Restoration), None);
        let full = allowance(&[limit("images", 20.0, 20.0, 0)], Kind::Image).unwrap();
        assert_eq!(full.sentence, "20 of 20 pictures left.");
    }

    #[test]
    fn a_spent_allowance_says_when_to_come_back() {
        let limits = [
            limit("images", 20.0, 0.0, 7_200),
            limit("requests", 5.0, 0.0, 30),
        ];
        let told = allowance(&limits, Kind::Image).unwrap();
        assert_eq!(
            (told.sentence.as_str(), told.spent),
            ("No pictures left for now. Come back in 2 h.", true)
        );
        let hurried = allowance(&[limit("requests", 5.0, 0.5, 30)], Kind::Image).unwrap();
        assert_eq!(
            hurried.sentence,
            "That was a lot at once. Come back in 30 s."
        );
    }
}
