/// Why there is no restored photo.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The progress callback answered [`ControlFlow::Break`](std::ops::ControlFlow::Break).
    #[error("the restoration was cancelled")]
    Cancelled,
    /// The factor is not 1, 2 or 4, or the result would be larger than can be addressed.
    #[error("a photo of {width} x {height} pixels cannot be enlarged {factor} times")]
    Enlargement {
        /// Of the photo, in pixels.
        width: u32,
        /// Of the photo, in pixels.
        height: u32,
        /// [`Options::enlarge`](crate::Options::enlarge) as it was asked for.
        factor: u32,
    },
}
