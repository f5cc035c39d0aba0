//! What a suite's report in JUnit's XML says.

use anyhow::{Result, bail};
use serde_json::json;

/// How much is told of a failure.
const REASON: usize = 400;

#[derive(Debug, Default, PartialEq)]
pub(super) struct Report {
    passed: usize,
    skipped: usize,
    failed: Vec<Failure>,
}

#[derive(Debug, PartialEq)]
struct Failure {
    test: String,
    reason: String,
}

impl Report {
    /// Errors if there is no test in it.
    pub(super) fn read(xml: &str) -> Result<Report> {
        let mut report = Report::default();
        for case in xml.split("<testcase ").skip(1) {
            let case = case.split("<testsuite").next().unwrap_or(case);
            match ["<failure", "<error"]
                .iter()
                .find_map(|tag| case.split_once(tag))
            {
                Some((head, failure)) => report.failed.push(Failure {
                    test: test(head),
                    reason: attribute(failure, "message").chars().take(REASON).collect(),
                }),
                None if case.contains("<skipped") => report.skipped += 1,
                None => report.passed += 1,
            }
        }
        if report.passed + report.skipped + report.failed.len() == 0 {
            bail!("no test was run");
        }
        Ok(report)
    }

    /// The failures one a line, then the counts.
    pub(super) fn print(&self, name: &str) {
        for Failure { test, reason } in &self.failed {
            println!(
                "{}",
                json!({"name": name, "failed": test, "reason": reason})
            );
        }
        let (passed, failed) = (self.passed, self.failed.len());
        println!(
            "{}",
            json!({"name": name, "passed": passed, "skipped": self.skipped, "failed": failed, "ok": failed == 0})
        );
    }

    pub(super) fn has_failures(&self) -> bool {
        !self.failed.is_empty()
    }
}

/// The group and the name of a test.
fn test(case: &str) -> String {
    let group = attribute(case, "classname");
    format!("{group} > {}", attribute(case, "name"))
}

/// The value of the first attribute with that name; empty without one.
fn attribute(element: &str, name: &str) -> String {
    let quoted = element.split_once(&format!("{name}=\""));
    let value = quoted.and_then(|(_, rest)| rest.split_once('"'));
    let mut text = value.map_or("", |(value, _)| value).to_owned();
    for (escaped, plain) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&#39;", "'"),
        ("&#10;", "\n"),
        ("&amp;", "&"),
    ] {
        text = text.replace(escaped, plain);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bun_and_pytest_are_understood() {
        let xml = r#"<testsuites><testsuite name="a" tests="3">
            <testcase name="one" classname="DLQ" time="0.1" />
            <testcase name="two &gt; &amp;" classname="DLQ">
              <failure type="AssertionError" message="expected &quot;1&quot;&#10;" >at</failure>
            </testcase>
            <testcase classname="tests.test_queue" name="test_queue"><skipped message="no" /></testcase>
            </testsuite></testsuites>"#;
        let report = Report::read(xml).unwrap();
        assert_eq!((report.passed, report.skipped), (1, 1));
        let failure = Failure {
            test: "DLQ > two > &".into(),
            reason: "expected \"1\"\n".into(),
        };
        assert_eq!(report.failed, [failure]);
        assert!(report.has_failures());
    }

    #[test]
    fn a_report_of_nothing_is_an_error() {
        assert!(Report::read("<testsuites></testsuites>").is_err());
    }
}
