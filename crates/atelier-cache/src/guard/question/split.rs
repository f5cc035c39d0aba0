//! Cuts a question into words and punctuation.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// A word or a punctuation mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// Lower case, without accents; in capitals where these make another word: `WHO`.
    pub(super) text: String,
    pub(super) form: Form,
    /// Whether it is quoted, or text to work on: only the identical word is a counterpart.
    pub(super) literal: bool,
}

/// The form of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Lower,
    /// Capitalised within a sentence.
    Capital,
    /// All in capitals, in a text that is not.
    Upper,
    /// A comma, a dash, a parenthesis.
    Pause,
    Colon,
    /// The end of a sentence.
    Stop,
}

/// Words that are others in capitals.
const INITIALS: [&str; 10] = [
    "us", "who", "it", "aids", "led", "ram", "sat", "act", "ice", "or",
];

/// Signs of programs and formulas.
const CODE: [char; 14] = [
    '{', '}', '<', '>', '=', '\\', '`', '[', ']', '|', '_', '^', '~', '*',
];

impl Token {
    pub(super) fn word(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            form: Form::Lower,
            literal: false,
        }
    }

    pub(super) const fn is_word(&self) -> bool {
        matches!(self.form, Form::Lower | Form::Capital | Form::Upper)
    }

    pub(super) fn is(&self, word: &str) -> bool {
        self.is_word() && !self.literal && self.text == word
    }

    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        self.is_word() && !self.literal && words.contains(&self.text.as_str())
    }

    pub(super) fn is_number(&self) -> bool {
        self.is_word() && self.text.parse::<f64>().is_ok()
    }
}

/// Whether the text has signs that are not those of prose.
pub(super) fn is_code(text: &str) -> bool {
    without_smileys(text).contains(CODE)
}

/// The words of the text, and its punctuation.
pub(super) fn split(text: &str) -> Vec<Token> {
    let text = without_smileys(&folded(text));
    let letters = || text.chars().filter(|c| c.is_alphabetic());
    let shouted = letters().count() > 3 && letters().all(char::is_uppercase);
    let mut splitter = Splitter {
        chars: text.chars().collect(),
        at: 0,
        tokens: Vec::new(),
        shouted,
        quote: None,
        begins: true,
    };
    while splitter.at < splitter.chars.len() {
        splitter.step();
    }
    splitter.tokens
}

/// Without accents, and with plain quotation marks and dashes.
fn folded(text: &str) -> String {
    let plain = text.nfd().filter(|c| !is_combining_mark(*c));
    let plain = plain.map(|c| match c {
        '’' | '‘' | 'ʼ' | '´' => '\'',
        '“' | '”' | '„' | '«' | '»' => '"',
        '–' | '—' => '–',
        _ => c,
    });
    plain.nfc().collect::<String>().replace("...", " … ")
}

fn without_smileys(text: &str) -> String {
    const SMILEYS: [&str; 18] = [
        ":-)", ":)", ":-(", ":(", ";-)", ";)", ":D", ":-D", ":P", "xD", "XD", "<3", "^^", "=)",
        "🙏", "😊", "🙂", "😅",
    ];
    let mut text = text.to_owned();
    for smiley in SMILEYS {
        if text.contains(smiley) {
            let letters = smiley.chars().all(char::is_alphabetic);
            text = text
                .split(' ')
                .map(|word| {
                    if letters && word != smiley {
                        word.to_owned()
                    } else {
                        word.replace(smiley, " ")
                    }
                })
                .collect::<Vec<_>>()
                .join(" ");
        }
    }
    text
}

struct Splitter {
    chars: Vec<char>,
    at: usize,
    tokens: Vec<Token>,
    shouted: bool,
    /// The mark that ends the quotation.
    quote: Option<char>,
    /// Whether a sentence begins.
    begins: bool,
}

impl Splitter {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn before(&self) -> Option<char> {
        self.chars.get(self.at.checked_sub(1)?).copied()
    }

    fn step(&mut self) {
        let c = self.chars[self.at];
        let opens = self.before().is_none_or(|c| !c.is_alphanumeric());
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        match c {
            '\n' => self.mark(Form::Stop, "."),
            _ if c.is_whitespace() => self.at += 1,
            _ if c.is_alphanumeric() => self.read_word(),
            '-' if opens && digit(self.peek(1)) => self.read_word(),
            '.' if opens && letter(self.peek(1)) => self.read_word(),
            '"' => self.read_quote('"'),
            '\'' if self.quote == Some('\'') => self.read_quote('\''),
            '\'' if opens && letter(self.peek(1)) && self.closes() => self.read_quote('\''),
            '.' | '!' | '?' | '…' | ';' => self.mark(Form::Stop, "."),
            ':' => self.mark(Form::Colon, ":"),
            ',' | '(' | ')' | '–' => self.mark(Form::Pause, ","),
            '-' if !letter(self.peek(1)) || opens => self.mark(Form::Pause, ","),
            '-' | '\'' => self.at += 1,
            _ => self.sign(c),
        }
    }

    /// Whether the quotation that begins here has an end.
    fn closes(&self) -> bool {
        let rest = &self.chars[self.at + 1..];
        (1..rest.len()).any(|at| {
            rest[at] == '\''
                && rest[at - 1] != ' '
                && rest.get(at + 1).is_none_or(|c| !c.is_alphanumeric())
        })
    }

    fn read_quote(&mut self, mark: char) {
        self.quote = if self.quote == Some(mark) {
            None
        } else {
            Some(mark)
        };
        self.at += 1;
    }

    fn mark(&mut self, form: Form, text: &str) {
        self.at += 1;
        self.begins = form != Form::Pause;
        let literal = self.quote.is_some();
        if literal {
            return;
        }
        if let Some(last) = self.tokens.last_mut().filter(|last| !last.is_word()) {
            if form == Form::Stop {
                (last.form, last.text) = (form, text.to_owned());
            }
            return;
        }
        self.tokens.push(Token {
            text: text.to_owned(),
            form,
            literal,
        });
    }

    fn sign(&mut self, sign: char) {
        self.at += 1;
        let word = match sign {
            '%' => "percent",
            '$' => "dollar",
            '€' => "euro",
            '£' => "pound",
            '&' => "and",
            '+' => "plus",
            '×' => "times",
            '÷' => "divided by",
            '°' => "degree",
            '@' => "at",
            _ => return self.push(&sign.to_string(), Form::Lower),
        };
        // $5 is 5 dollars.
        let currency =
            matches!(sign, '$' | '€' | '£') && self.peek(0).is_some_and(|c| c.is_ascii_digit());
        if currency {
            self.read_word();
        }
        for word in word.split(' ') {
            self.push(word, Form::Lower);
        }
    }

    /// Reads a word with what may stand within one: 1.3, 2,000, 3:30, don't, c++, node.js.
    fn read_word(&mut self) {
        let start = self.at;
        self.at += 1;
        while let Some(c) = self.peek(0) {
            let next = self.peek(1);
            let before = self.chars[self.at - 1];
            let inside = match c {
                _ if c.is_alphanumeric() => true,
                '\'' => before.is_alphabetic() && next.is_some_and(char::is_alphabetic),
                '.' => before.is_alphanumeric() && next.is_some_and(char::is_alphanumeric),
                '/' => {
                    before.is_alphanumeric()
                        && (next.is_some_and(char::is_alphanumeric) || before == 'w')
                }
                ',' | ':' => before.is_ascii_digit() && next.is_some_and(|c| c.is_ascii_digit()),
                '+' | '#' => before.is_alphabetic() || before == '+',
                _ => false,
            };
            if !inside {
                break;
            }
            self.at += 1;
        }
        let word: String = self.chars[start..self.at].iter().collect();
        // U.S., a.m.
        let dotted = word.contains('.')
            && word
                .split('.')
                .all(|part| part.chars().count() == 1 && part.chars().all(char::is_alphabetic));
        if dotted {
            self.at += usize::from(self.peek(0) == Some('.'));
        }
        self.add(&if dotted { word.replace('.', "") } else { word });
    }

    fn add(&mut self, word: &str) {
        let form = self.form(word);
        let lower = word.to_lowercase();
        if self.quote.is_none() {
            if let Some((number, unit)) = measure(&lower) {
                self.push(&number, Form::Lower);
                return self.push(&unit, Form::Lower);
            }
            if lower.contains('\'') {
                return self.contracted(&lower, form);
            }
        }
        self.push(&lower, form);
    }

    fn form(&self, word: &str) -> Form {
        let mut letters = word.chars().filter(|c| c.is_alphabetic());
        let many = word.chars().filter(|c| c.is_alphabetic()).count() > 1;
        if self.shouted {
            Form::Lower
        } else if many && letters.clone().all(char::is_uppercase) {
            Form::Upper
        } else if letters.next().is_some_and(char::is_uppercase) && !self.begins {
            Form::Capital
        } else {
            Form::Lower
        }
    }

    fn contracted(&mut self, word: &str, form: Form) {
        const NOT: [(&str, &str); 4] = [
            ("can't", "can"),
            ("won't", "will"),
            ("shan't", "shall"),
            ("ain't", "is"),
        ];
        const IS: [&str; 18] = [
            "what",
            "who",
            "where",
            "when",
            "why",
            "how",
            "that",
            "there",
            "here",
            "it",
            "he",
            "she",
            "this",
            "everything",
            "something",
            "which",
            "everyone",
            "nothing",
        ];
        if let Some(verb) = word.strip_suffix("n't") {
            let irregular = NOT.iter().find(|(whole, _)| *whole == word);
            self.push(irregular.map_or(verb, |(_, verb)| verb), form);
            return self.push("not", Form::Lower);
        }
        let Some((base, end)) = word.rsplit_once('\'') else {
            return;
        };
        let second = match end {
            "re" => "are",
            "ve" => "have",
            "ll" => "will",
            "d" => "would",
            "m" => "am",
            "s" if base == "let" => "us",
            "s" if IS.contains(&base) => "is",
            "s" => "'s",
            _ => return self.push(&word.replace('\'', ""), form),
        };
        self.push(base, form);
        self.push(second, Form::Lower);
    }

    fn push(&mut self, word: &str, form: Form) {
        let text = if form == Form::Upper && INITIALS.contains(&word) {
            word.to_uppercase()
        } else {
            number(word).unwrap_or_else(|| word.to_owned())
        };
        self.begins = false;
        self.tokens.push(Token {
            text,
            form,
            literal: self.quote.is_some(),
        });
    }
}

/// 2,000 without its comma.
fn number(word: &str) -> Option<String> {
    let digits = word.replace(',', "");
    let grouped = word
        .split(',')
        .skip(1)
        .all(|group| group.len() == 3 || group.contains('.'));
    (word.contains(',') && grouped && digits.parse::<f64>().is_ok()).then_some(digits)
}

/// A number with its unit: 3kg, 4am, 10%.
fn measure(word: &str) -> Option<(String, String)> {
    const UNITS: [&str; 32] = [
        "kg", "g", "mg", "km", "m", "cm", "mm", "ml", "l", "lb", "lbs", "oz", "ft", "in", "h",
        "hr", "hrs", "min", "mins", "s", "sec", "am", "pm", "c", "f", "gb", "mb", "tb", "mph",
        "km/h", "kmh", "w",
    ];
    let end = word.find(|c: char| c.is_alphabetic())?;
    let (number, unit) = word.split_at(end);
    (UNITS.contains(&unit) && number.parse::<f64>().is_ok())
        .then(|| (number.to_owned(), unit.to_owned()))
}
