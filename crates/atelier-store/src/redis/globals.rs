//! A check for tests: Redis rejects undeclared globals, but only when the script reaches
//! them, possibly on a rare path.

use std::collections::BTreeSet;

/// The globals that Redis provides, as far as our scripts use them.
const GIVEN: &str = "ARGV KEYS cjson cmsgpack ipairs math next pairs pcall redis string struct table tonumber type \
     unpack";
const WORDS: &str = "and break do else elseif end false for function if in local nil not or \
    repeat return then true until while";

/// Tokens that begin and end blocks and tables. A bare `do` block is not supported.
const BEGIN: [&str; 7] = ["then", "else", "repeat", "for", "while", "function", "{"];
const END: [&str; 5] = ["end", "until", "elseif", "else", "}"];

/// The tokens of the code, each with its line. Comments and strings of more than one
/// line are not supported.
fn tokens(code: &str) -> Vec<(&str, &str)> {
    let mut tokens = Vec::new();
    for line in code.lines() {
        let mut rest = line.trim();
        while let Some(first) = rest.chars().next() {
            let in_word = |letter: char| letter.is_alphanumeric() || letter == '_';
            let length = match first {
                '-' if rest.starts_with("--") => break,
                '\'' | '"' => quoted(rest, first),
                '.' | '=' => rest.len() - rest.trim_start_matches(first).len(),
                _ if in_word(first) => rest.find(|letter| !in_word(letter)).unwrap_or(rest.len()),
                _ => first.len_utf8(),
            };
            tokens.push((line.trim(), &rest[..length]));
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

/// The length of the string literal at the beginning, with its quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = true;
    let end = text.find(|letter| {
        let ends = letter == quote && !escaped;
        escaped = letter == '\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 1)
}

fn is_name(token: &str) -> bool {
    token.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
        && !WORDS.split(' ').any(|word| word == token)
}

/// The names that are neither declared where they are used nor provided, each with its
/// line. A name counts as declared from its `local` on.
pub(super) fn undeclared(code: &str) -> Vec<String> {
    let tokens = tokens(code);
    let token = |index: usize| tokens.get(index).map_or("", |(_, token)| *token);
    // The opening token of each open block, and the names declared in it.
    let mut blocks = vec![BTreeSet::from_iter(GIVEN.split(' '))];
    let (mut found, mut index) = (Vec::new(), 0);
    while let Some((line, now)) = tokens.get(index).copied() {
        let before = index.checked_sub(1).map_or("", token);
        index += 1;
        if END.contains(&now) {
            blocks.pop();
        }
        if now == "function" && before == "local" {
            // Its name belongs to the block around.
            let around = blocks.len() - 1;
            blocks[around].insert(token(index));
            index += 1;
        }
        if BEGIN.contains(&now) {
            blocks.push(BTreeSet::from([now]));
        }
        if matches!(now, "local" | "for" | "function") {
            // A bracket stands before a function's parameters.
            index += usize::from(now == "function");
            let inside = blocks.len() - 1;
            while is_name(token(index)) {
                blocks[inside].insert(token(index));
                index += 1 + usize::from(token(index + 1) == ",");
            }
        } else if is_name(now) && before != "." && before != ":" {
            let in_table = blocks.last().is_some_and(|names| names.contains("{"));
            let is_key = in_table && token(index) == "=";
            if !is_key && !blocks.iter().any(|names| names.contains(now)) {
                found.push(format!("{now} in: {line}"));
            }
        }
    }
    found
}

#[test]
fn names_are_found_that_are_not_declared_where_they_are_used() {
    let sound = "local a, b = 1 -- c\nlocal function f(x, ...)\n  return f(x.y, { z = b, [a] = 'c \\' d' })\nend\n\
        for _, i in ipairs(KEYS) do while i do local j = a .. i .. 1e13 break end end\n\
        return f, function(k) return k and math.max(k) end, #ARGV == 1, a:upper()";
    assert_eq!(undeclared(sound), [""; 0]);
    for (code, name) in [
        ("if x then end", "x"),
        ("y = 1", "y"),
        ("while 1 do local z = 1 end return z", "z"),
        ("local function f(a) end return a", "a"),
        ("local function f() return later end local later", "later"),
        (
            "for i = 1, 2 do local j = i end return { i = 1 }, 'a' .. i",
            "i",
        ),
        ("local t = { a = function() u = 1 end }", "u"),
        ("if 1 then local v = 1 elseif v then end", "v"),
        ("return function() global() end", "global"),
    ] {
        let found = undeclared(code);
        assert_eq!(found.len(), 1, "{found:?} in {code}");
        assert!(found[0].starts_with(&format!("{name} in: ")), "{found:?}");
    }
}
