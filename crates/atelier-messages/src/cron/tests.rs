use proptest::prelude::*;

use super::*;

/// The next so many times after an instant.
fn times(cron: &str, after: &str, count: usize) -> Vec<String> {
    let cron: Cron = cron.parse().unwrap();
    let mut at: Timestamp = after.parse().unwrap();
    let mut times = Vec::new();
    for _ in 0..count {
        at = cron.after(at).unwrap();
        times.push(at.to_string());
    }
    times
}

#[test]
fn times_follow_each_other() {
    assert_eq!(
        times("*/20 * * * *", "2026-11-27T00:00:00Z", 4),
        [
            "2026-11-27T00:20:00Z",
            "2026-11-27T00:40:00Z",
            "2026-11-27T01:00:00Z",
            "2026-11-27T01:20:00Z"
        ]
    );
    assert_eq!(
        times("* * * * *", "2026-11-27T00:00:59.999Z", 1),
        ["2026-11-27T00:01:00Z"]
    );
    assert_eq!(
        times("0 0 29 2 *", "2026-11-27T00:00:00Z", 2),
        ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]
    );
    assert_eq!(
        times("@daily", "2026-11-27T00:00:00Z", 1),
        ["2026-11-28T00:00:00Z"]
    );
    // Either day suffices; Sunday is 0 and 7.
    assert_eq!(
        times("0 0 13 * FRI", "2026-11-07T00:00:00Z", 2),
        ["2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z"]
    );
    assert_eq!(
        times("0 0 * * 7", "2026-11-27T00:00:00Z", 1),
        times("0 0 * * 0", "2026-11-27T00:00:00Z", 1)
    );
}

#[test]
fn a_fixed_time_that_the_clock_skips_is_due_after_the_gap() {
    // Berlin's clock goes from 02:00 to 03:00 on March 29th, 2026.
    assert_eq!(
        times(
            "CRON_TZ=Europe/Berlin 30 2 * * *",
            "2026-03-28T00:00:00Z",
            3
        ),
        [
            "2026-03-28T01:30:00Z",
            "2026-03-29T01:00:00Z",
            "2026-03-30T00:30:00Z"
        ]
    );
    assert_eq!(
        times(
            "CRON_TZ=Europe/Berlin 0 1-4 * * *",
            "2026-03-29T00:00:00Z",
            2
        ),
        ["2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"]
    );
    // Two times in the gap are due once.
    assert_eq!(
        times(
            "CRON_TZ=Europe/Berlin 15,45 2 * * *",
            "2026-03-29T00:00:00Z",
            2
        ),
        ["2026-03-29T01:00:00Z", "2026-03-30T00:15:00Z"]
    );
}

#[test]
fn a_fixed_time_that_the_clock_repeats_is_due_once() {
    // Berlin's clock goes from 03:00 to 02:00 on October 25th, 2026.
    assert_eq!(
        times(
            "CRON_TZ=Europe/Berlin 30 2 * * *",
            "2026-10-24T12:00:00Z",
            2
        ),
        ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
    );
    assert_eq!(
        times(
            "CRON_TZ=Europe/Berlin 0,30 2,3 * * *",
            "2026-10-25T00:15:00Z",
            4
        ),
        [
            "2026-10-25T00:30:00Z",
            "2026-10-25T02:00:00Z",
            "2026-10-25T02:30:00Z",
            "2026-10-26T01:00:00Z"
        ]
    );
    // The second time that Berlin shows 02:15.
    assert_eq!(
        times(
            "CRON_TZ=Europe/Berlin 30 2 * * *",
            "2026-10-25T01:15:00Z",
            1
        ),
        ["2026-10-26T01:30:00Z"]
    );
}

#[test]
fn an_interval_takes_every_real_time() {
    assert_eq!(
        times(
            "CRON_TZ=America/New_York */30 * * * *",
            "2026-11-01T05:00:00Z",
            4
        ),
        [
            "2026-11-01T05:30:00Z",
            "2026-11-01T06:00:00Z",
            "2026-11-01T06:30:00Z",
            "2026-11-01T07:00:00Z"
        ]
    );
    assert_eq!(
        times(
            "CRON_TZ=America/New_York */30 * * * *",
            "2026-03-08T06:00:00Z",
            3
        ),
        [
            "2026-03-08T06:30:00Z",
            "2026-03-08T07:00:00Z",
            "2026-03-08T07:30:00Z"
        ]
    );
}

#[test]
fn zones_are_by_name_with_the_quarters_that_they_have() {
    assert_eq!(
        times(
            "CRON_TZ=Asia/Kathmandu 0 12 * * *",
            "2026-11-27T00:00:00Z",
            1
        ),
        ["2026-11-27T06:15:00Z"]
    );
    assert_eq!(
        times("TZ=UTC 0 12 * * *", "2026-11-27T00:00:00Z", 1),
        ["2026-11-27T12:00:00Z"]
    );
}

#[test]
fn it_is_shown_as_it_was_given() {
    let cron: Cron = "  CRON_TZ=Europe/Berlin  0 1 * * * ".parse().unwrap();
    assert_eq!(cron.to_string(), "CRON_TZ=Europe/Berlin  0 1 * * *");
}

#[test]
fn what_is_no_expression_is_told_so() {
    let error = |text: &str| text.parse::<Cron>().unwrap_err();
    assert_eq!(error(""), InvalidCron::Fields(0));
    assert_eq!(error("* * * *"), InvalidCron::Fields(4));
    assert_eq!(error("* * * * * *"), InvalidCron::Fields(6));
    assert_eq!(error("CRON_TZ=Europe/Berlin"), InvalidCron::Fields(0));
    assert_eq!(error("0 0 30 2 *"), InvalidCron::Never);
    assert_eq!(error("0 0 31 2,4,6,9,11 *"), InvalidCron::Never);
    for zone in ["Mars/Phobos", "", "../../etc/passwd", "Europe", "+02:00"] {
        assert_eq!(
            error(&format!("CRON_TZ={zone} * * * * *")),
            InvalidCron::Zone(zone.to_owned())
        );
    }
    assert_eq!(error(&"*/1,".repeat(100_000)), InvalidCron::TooLong);
    for text in [
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 13 *",
        "* * * * 8",
        "*/0 * * * *",
        "5-1 * * * *",
        "-1 * * * *",
        "a * * * *",
        "* * * * FUN",
        "@reboot",
        "@every 5m * * *",
        "* * * * +1",
        "99999999999999999999 * * * *",
        "1,, * * * *",
        "é * * * *",
    ] {
        assert!(
            matches!(error(text), InvalidCron::Malformed(_)),
            "{text:?}: {:?}",
            error(text)
        );
    }
}

proptest! {
    #[test]
    fn any_text_is_answered(text in ".{0,80}") {
        let _ = text.parse::<Cron>();
    }

    #[test]
    fn anything_like_an_expression_is_due_later_or_refused(
        fields in proptest::collection::vec("[0-9*,/?LW#-]{1,4}|MON|JAN|[0-9]{1,2}", 5),
        second in 0_i64..4_000_000_000,
    ) {
        let after = Timestamp::from_second(second).unwrap();
        if let Ok(cron) = fields.join(" ").parse::<Cron>()
            && let Some(next) = cron.after(after)
        {
            prop_assert!(next > after);
            prop_assert_eq!(next.as_second() % 60, 0);
        }
    }
}
