//! What pages need only after a click, in a module of its own that is fetched after the first ([`crate::islands`]).
//!
//! Nothing here is an island: everything listens at the document, whatever comes into it later.

mod brush;
mod buttons;
mod glass;
mod keys;
mod news;
mod stars;
mod viewer;

/// Begins to listen.
pub fn wake() {
    brush::wake();
    buttons::wake();
    keys::wake();
    news::wake();
    stars::wake();
    viewer::wake();
}
