/// Why there is no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The progress callback answered [`ControlFlow::Break`](std::ops::ControlFlow::Break).
    #[error("the drawing was cancelled")]
    Cancelled,
    /// A side is 0, or the picture is larger than can be addressed.
    #[error("no picture of {width} x {height} pixels can be drawn")]
    Size {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
}

/// A style that is not on the list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no style called {0:?}")]
pub struct UnknownStyle(pub String);
