//! The JSON API.

pub(super) mod adjusting;
pub(super) mod attaching;
pub(super) mod blocks;
pub(super) mod callback;
pub(super) mod choosing;
pub(super) mod enlarging;
pub(super) mod gallery;
pub(super) mod images;
pub(super) mod jobs;
pub(super) mod limits;
pub(super) mod links;
pub(super) mod restorations;
pub(super) mod sizes;
pub(super) mod submission;
pub(super) mod uploads;
