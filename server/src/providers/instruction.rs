//! The prompt for restoring a photo.

use crate::job::RestorationTask;

/// The prompt: repair, do not invent.
const RESTORATION: &str = "Restore this old photograph faithfully. Keep every person's identity, facial features, \
expression, age, hair, pose and clothing, the background, the framing and the composition exactly as they are. \
Repair only damage: scratches, dust, creases, stains, tears, noise, fading and colour cast. Recover natural contrast, \
and natural colour where the photo had colour; keep a black-and-white photo black and white. Add nothing, remove \
nothing, do not beautify, do not crop.";

/// Added for a monochrome result.
const COLOURLESS: &str = " The result is black and white.";

/// The prompt for this task.
pub(super) fn instruction(task: &RestorationTask) -> String {
    let colours = if task.monochrome { COLOURLESS } else { "" };
    format!("{RESTORATION}{colours}")
}
