//! Numbers and states in words. Pure, and shared with the browser where it needs them.

/// A span of time in its two largest units, with no-break spaces: `45 s`, `1 min 5 s`, `7 h 12 min`, `2 d 3 h`.
pub fn duration(seconds: u64) -> String {
    let (large, small, units) = match seconds {
        0..60 => (0, seconds, ["", "\u{a0}s"]),
        60..3_600 => (seconds / 60, seconds % 60, ["\u{a0}min", "\u{a0}s"]),
        3_600..86_400 => (seconds / 3_600, seconds / 60 % 60, ["\u{a0}h", "\u{a0}min"]),
        _ => (
            seconds / 86_400,
            seconds / 3_600 % 24,
            ["\u{a0}d", "\u{a0}h"],
        ),
    };
    let mut text = String::new();
    if large > 0 {
        text += &large.to_string();
        text += units[0];
    }
    if small > 0 || large == 0 {
        if large > 0 {
            text.push('\u{a0}');
        }
        text += &small.to_string();
        text += units[1];
    }
    text
}

/// A size in whole megabytes, rounded up.
pub(crate) fn megabytes(bytes: u64) -> String {
    let mut text = bytes.div_ceil(1_000_000).to_string();
    text += "\u{a0}MB";
    text
}

#[cfg(feature = "ssr")]
pub use on_server::slug;
#[cfg(feature = "ssr")]
pub(crate) use on_server::*;

#[cfg(feature = "ssr")]
mod on_server {
    use super::duration;
    use crate::texts::{Left, Spent, Texts};
    use atelier_api::{Job, Kind, Limit, Status};

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

    /// How long ago, in the largest suitable unit: `2 h ago`.
    pub(crate) fn ago(seconds: u64, t: &Texts) -> String {
        let (number, unit) = match seconds {
            0..60 => return t.just_now.into(),
            60..3_600 => (seconds / 60, "min"),
            3_600..86_400 => (seconds / 3_600, "h"),
            86_400..172_800 => return t.yesterday.into(),
            _ => return (t.days_ago)(seconds / 86_400),
        };
        (t.ago)(&format!("{number}\u{a0}{unit}"))
    }

    /// A span of time in round numbers: `24 hours`, `30 days`.
    pub(crate) fn round(seconds: u64, t: &Texts) -> String {
        let (unit, name) = match seconds {
            0..120 => (1, 0),
            120..7_200 => (60, 1),
            7_200..172_800 => (3_600, 2),
            _ => (86_400, 3),
        };
        format!("{}\u{a0}{}", (seconds + unit / 2) / unit, t.units[name])
    }

    /// A name for a downloaded file: `a-fox-in-the-snow`.
    pub fn slug(text: &str) -> String {
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
    pub(crate) fn money(usd: f64, t: &Texts) -> String {
        match usd {
            _ if usd < 0.001 => t.next_to_nothing.into(),
            _ if usd < 0.1 => (t.money)(&format!("{usd:.3}")),
            _ => (t.money)(&format!("{usd:.2}")),
        }
    }

    /// A job's name on its page: the prompt, or what is done to the photo.
    pub(crate) fn name<'a>(job: &'a Job, t: &Texts) -> &'a str {
        match job.kind {
            Kind::Image => &job.prompt,
            Kind::Restoration if job.status == Status::Succeeded => t.restored_photo,
            Kind::Restoration => t.photo_to_restore,
        }
    }

    /// The jobs in front, in words: `2 pictures ahead of yours`.
    pub(crate) fn ahead(job: &Job, t: &Texts) -> Option<String> {
        job.position
            .filter(|n| job.status == Status::Queued && *n > 0)
            .map(t.ahead)
    }

    /// What the limits leave a caller for one kind of job.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(crate) struct Allowance {
        pub(crate) sentence: String,
        /// The quota is used up.
        pub(crate) spent: bool,
    }

    /// What the limits on jobs of this kind leave, in words; `usd` is the expected cost of
    /// one job. `None` if no limit counts pictures, and none is used up.
    pub(crate) fn allowance(
        limits: &[Limit],
        kind: Kind,
        usd: f64,
        t: &Texts,
    ) -> Option<Allowance> {
        let spent = (limits.iter()).filter(|limit| limit.remaining < need(limit, usd));
        if let Some(limit) = spent.max_by_key(|limit| limit.reset_seconds) {
            let sentence = (t.spent)(&Spent {
                kind,
                unit: &limit.unit,
                today: today(limit),
                back: duration(limit.reset_seconds.max(1)),
            });
            return Some(Allowance {
                sentence,
                spent: true,
            });
        }
        let counted = limits.iter().filter(|limit| {
            limit.unit == "images" && matches!(limit.scope.as_str(), "ip" | "user")
        });
        let limit = counted.min_by(|a, b| a.remaining.total_cmp(&b.remaining))?;
        let (left, all) = (
            limit.remaining.floor(),
            limit.burst.unwrap_or(limit.quota).floor(),
        );
        let sentence = (t.left)(&Left {
            kind,
            left,
            all,
            today: today(limit),
            renewal: (left < all).then(|| duration(limit.reset_seconds.max(1))),
        });
        Some(Allowance {
            sentence,
            spent: false,
        })
    }

    /// The least that something can be done with.
    fn need(limit: &Limit, usd: f64) -> f64 {
        match limit.unit.as_str() {
            "usd" => usd,
            // Neither pictures nor photos are counted in these.
            "tokens" => 0.0,
            _ => 1.0,
        }
    }

    const fn today(limit: &Limit) -> bool {
        limit.window_seconds == 86_400
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::texts::Language;
    use atelier_api::{Kind, Limit};

    const ENGLISH: Language = Language::English;

    #[test]
    fn durations_have_two_units_at_most() {
        for (seconds, words) in [
            (0, "0\u{a0}s"),
            (59, "59\u{a0}s"),
            (60, "1\u{a0}min"),
            (65, "1\u{a0}min\u{a0}5\u{a0}s"),
            (3_600, "1\u{a0}h"),
            (25_920, "7\u{a0}h\u{a0}12\u{a0}min"),
            (86_400, "1\u{a0}d"),
            (183_600, "2\u{a0}d\u{a0}3\u{a0}h"),
        ] {
            assert_eq!(duration(seconds), words);
        }
    }

    #[test]
    fn megabytes_round_up() {
        assert_eq!(megabytes(25_000_000), "25\u{a0}MB");
        assert_eq!(megabytes(25_000_001), "26\u{a0}MB");
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
        let english = |usd| money(usd, ENGLISH.texts());
        assert_eq!(english(0.0417), "$0.042");
        assert_eq!(english(1.2), "$1.20");
        assert_eq!(english(0.0), "less than $0.001");
        assert_eq!(money(0.0417, Language::Hebrew.texts()), "$0.042");
        assert_eq!(money(0.0417, Language::German.texts()), "0,042\u{a0}$");
    }

    fn limit(unit: &str, quota: f64, remaining: f64, reset_seconds: u64) -> Limit {
        Limit {
            name: "x".into(),
            scope: "ip".into(),
            unit: unit.into(),
            quota,
            window_seconds: if unit == "requests" { 60 } else { 86_400 },
            burst: None,
            remaining,
            reset_seconds,
            actions: vec!["image".into()],
        }
    }

    fn told(limits: &[Limit]) -> (String, bool) {
        allowance(limits, Kind::Image, 0.2, ENGLISH.texts())
            .map(|told| (told.sentence, told.spent))
            .unwrap_or_default()
    }

    #[test]
    fn the_allowance_names_the_tightest_policy() {
        let limits = [
            limit("images", 20.0, 17.0, 25_920),
            limit("requests", 5.0, 4.0, 60),
            limit("usd", 10.0, 3.0, 25_920),
        ];
        let left = "17 of 20 pictures left today, renews in 7\u{a0}h\u{a0}12\u{a0}min.";
        assert_eq!(told(&limits), (left.into(), false));
        assert_eq!(allowance(&[], Kind::Image, 0.2, ENGLISH.texts()), None);
        let full = [limit("images", 20.0, 20.0, 0)];
        assert_eq!(told(&full), ("20 of 20 pictures left today.".into(), false));
        let elsewhere = [full[0].clone(), limit("tokens", 9.0, 0.0, 60)];
        assert_eq!(told(&elsewhere), told(&full));
    }

    #[test]
    fn a_spent_allowance_says_when_to_come_back() {
        let still = "Pictures painted before stay available.";
        let limits = [
            limit("images", 20.0, 0.0, 7_200),
            limit("requests", 5.0, 0.0, 30),
        ];
        let none = format!("No pictures left today. Come back in 2\u{a0}h. {still}");
        assert_eq!(told(&limits), (none, true));
        let money =
            format!("The studio's budget for today is spent. Come back in 2\u{a0}h. {still}");
        assert_eq!(told(&[limit("usd", 10.0, 0.1, 7_200)]), (money, true));
        let hurried = "Too fast. Try again in 30\u{a0}s.";
        assert_eq!(
            told(&[limit("requests", 5.0, 0.5, 30)]),
            (hurried.into(), true)
        );
    }
}
