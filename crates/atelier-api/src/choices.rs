//! What may be chosen for a picture. Values that this version does not know are kept as
//! they are, so that whoever reads an older or a newer record loses nothing.

use std::fmt;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// The size of a picture: `auto` or `WIDTHxHEIGHT`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(from = "String", into = "String"))]
pub enum Size {
    /// The provider chooses.
    #[default]
    Auto,
    /// As many pixels.
    Pixels {
        /// From left to right.
        width: u32,
        /// From top to bottom.
        height: u32,
    },
    /// Any other text.
    Other(String),
}

impl Size {
    /// The sizes offered in the form: square, wide and tall.
    pub const OFFERED: &[Self; 3] = &[
        Self::pixels(1024, 1024),
        Self::pixels(1536, 1024),
        Self::pixels(1024, 1536),
    ];

    /// As many pixels.
    pub const fn pixels(width: u32, height: u32) -> Self {
        Self::Pixels { width, height }
    }

    /// Width and height; `None` if the provider chooses them.
    pub const fn sides(&self) -> Option<(u32, u32)> {
        match self {
            Self::Pixels { width, height } => Some((*width, *height)),
            Self::Auto | Self::Other(_) => None,
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Pixels { width, height } => write!(f, "{width}x{height}"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl From<String> for Size {
    fn from(text: String) -> Self {
        if text == "auto" {
            return Self::Auto;
        }
        let sides = text.split_once('x');
        let sides =
            sides.and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
        match sides.map(|(width, height)| Self::pixels(width, height)) {
            // `+1024x01024` would not be written back as it was.
            Some(size) if size.to_string() == text => size,
            _ => Self::Other(text),
        }
    }
}

impl From<&str> for Size {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<Size> for String {
    fn from(size: Size) -> Self {
        size.to_string()
    }
}

/// An enum of names, and of those that are not known.
macro_rules! names {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
        #[cfg_attr(feature = "serde", serde(from = "String", into = "String"))]
        pub enum $name {
            $($(#[$doc])* $variant,)+
            /// Any other text.
            Other(String),
        }

        impl $name {
            /// The name used in JSON.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(text) => text,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                match text.as_str() {
                    $($text => Self::$variant,)+
                    _ => Self::Other(text),
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                text.to_owned().into()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.as_str().to_owned()
            }
        }
    };
}

names! {
    /// The quality of a picture.
    Quality {
        /// The provider chooses.
        #[default]
        Auto = "auto",
        /// Quick and cheap.
        Low = "low",
        /// Between the two.
        Medium = "medium",
        /// Slow and expensive.
        High = "high",
    }
}

impl Quality {
    /// Those accepted.
    pub const ALL: &[Self; 4] = &[Self::Auto, Self::Low, Self::Medium, Self::High];
}

names! {
    /// The background of a picture; not every provider makes others than [`Self::Auto`].
    Background {
        /// The provider chooses.
        #[default]
        Auto = "auto",
        /// None that shows through.
        Opaque = "opaque",
        /// One that shows through.
        Transparent = "transparent",
    }
}

impl Background {
    /// Those accepted.
    pub const ALL: &[Self; 3] = &[Self::Auto, Self::Opaque, Self::Transparent];
}

names! {
    /// Where a picture is continued beyond its frame.
    Extend {
        /// On all sides.
        #[default]
        Around = "around",
        /// On the left and on the right.
        Wide = "wide",
        /// Above and below.
        Tall = "tall",
    }
}

impl Extend {
    /// Those accepted.
    pub const ALL: &[Self; 3] = &[Self::Wide, Self::Tall, Self::Around];

    /// Width and height of a picture of these that has been extended: half as much again each way that it grows.
    pub fn sides(&self, (width, height): (u32, u32)) -> (u32, u32) {
        let longer = |side: u32| side.saturating_add(side / 2);
        match self {
            Self::Around => (longer(width), longer(height)),
            Self::Wide => (longer(width), height),
            Self::Tall => (width, longer(height)),
            Self::Other(_) => (width, height),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_written_back_as_it_was() {
        for text in [
            "auto",
            "1024x1536",
            "01024x1024",
            "+16x16",
            "16x16x16",
            "big",
            "",
        ] {
            assert_eq!(Size::from(text).to_string(), text);
        }
        for text in ["auto", "low", "medium", "high", "ultra", ""] {
            assert_eq!(Quality::from(text).as_str(), text);
        }
        for text in ["auto", "opaque", "transparent", "pink"] {
            assert_eq!(Background::from(text).as_str(), text);
        }
    }

    #[test]
    fn known_texts_have_values() {
        assert_eq!(Size::from("1024x1536"), Size::pixels(1024, 1536));
        assert_eq!(Size::from("01024x1024").sides(), None);
        assert!(
            Quality::ALL
                .iter()
                .all(|one| Quality::from(one.as_str()) == *one)
        );
        assert!(
            Background::ALL
                .iter()
                .all(|one| Background::from(one.as_str()) == *one)
        );
        assert_eq!(Quality::from("ultra"), Quality::Other("ultra".into()));
    }
}
