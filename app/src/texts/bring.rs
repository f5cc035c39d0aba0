//! The texts of pictures that are brought in and adjusted, in every language.

/// What a language has to have a text for.
pub(crate) struct Bring {
    pub(crate) adjust: &'static str,
    pub(crate) save_mixed: &'static str,
    pub(crate) restore_again: &'static str,
    pub(crate) repair_more: &'static str,
    pub(crate) repair_painted: &'static str,
    pub(crate) nothing_sent: &'static str,
}

pub(super) const ENGLISH: Bring = Bring {
    adjust: "Adjust",
    save_mixed: "Download this strength",
    restore_again: "Restore again",
    repair_more: "Repair more: paint over it",
    repair_painted: "Repair what I painted",
    nothing_sent: "Your photo is here already and is not uploaded again. This version stays as it is.",
};

pub(super) const GERMAN: Bring = Bring {
    adjust: "Anpassen",
    save_mixed: "In dieser Stärke herunterladen",
    restore_again: "Neu restaurieren",
    repair_more: "Mehr reparieren: übermalen",
    repair_painted: "Übermaltes reparieren",
    nothing_sent: "Dein Foto ist schon hier und wird nicht noch einmal hochgeladen. Diese Fassung bleibt, wie sie ist.",
};

pub(super) const HEBREW: Bring = Bring {
    adjust: "התאמה",
    save_mixed: "הורדה בעוצמה הזאת",
    restore_again: "לשחזר שוב",
    repair_more: "תיקון נוסף: לצבוע מעל",
    repair_painted: "לתקן את מה שצבעתי",
    nothing_sent: "התצלום כבר כאן ולא יועלה שוב. הגרסה הזאת נשארת כמו שהיא.",
};
