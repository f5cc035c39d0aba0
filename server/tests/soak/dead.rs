//! What an operator is told about dead letters.

use std::collections::HashMap;

use serde_json::Value;

use crate::fleet::Fleet;

/// `atelier dead list --json`, by the job's id.
pub(crate) fn letters(fleet: &Fleet) -> HashMap<String, Value> {
    let output = fleet.command_line(&["dead", "list", "--json"]).output();
    let output = output.unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "atelier dead list: {complaint}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let letters = lines.lines().map(|line| {
        let letter: Value = serde_json::from_str(line).unwrap();
        (letter["id"].as_str().unwrap().to_owned(), letter)
    });
    letters.collect()
}
