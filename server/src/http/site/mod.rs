//! Pages, assets and pictures.

pub(super) mod assets;
pub(super) mod download;
pub(super) mod language;
mod offered;
pub(super) mod pages;
pub(super) mod pictures;
