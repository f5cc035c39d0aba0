//! The texts of pictures that are brought in and adjusted and of the models that make them, in every language.

/// What a language has to have a text for.
pub(crate) struct Bring {
    pub(crate) adjust: &'static str,
    pub(crate) save_mixed: &'static str,
    pub(crate) restore_again: &'static str,
    pub(crate) repair_more: &'static str,
    pub(crate) repair_painted: &'static str,
    pub(crate) nothing_sent: &'static str,
    pub(crate) attach: &'static str,
    pub(crate) attach_how: fn(most: usize) -> String,
    pub(crate) attached: &'static str,
    pub(crate) attached_to: &'static str,
    pub(crate) take_off: &'static str,
    pub(crate) only_here: &'static str,
    pub(crate) changed: &'static str,
    pub(crate) same_attached: &'static str,
    pub(crate) attached_price: fn(usd: &str) -> String,
    pub(crate) attached_privacy: fn(provider: &str) -> String,
    pub(crate) eraser: &'static str,
    pub(crate) variations: &'static str,
    pub(crate) model_and_price: &'static str,
    pub(crate) sketch_engine: &'static str,
    pub(crate) restorer: &'static str,
    pub(crate) free: &'static str,
    pub(crate) extended: &'static str,
    pub(crate) extend: &'static str,
    pub(crate) wider: &'static str,
    pub(crate) taller: &'static str,
    pub(crate) all_around: &'static str,
    pub(crate) save_jpeg: &'static str,
    pub(crate) save_png: &'static str,
    /// Between two models.
    pub(crate) or: &'static str,
}

pub(super) const ENGLISH: Bring = Bring {
    adjust: "Adjust",
    save_mixed: "Download at this strength",
    restore_again: "Restore again",
    repair_more: "Repair more: paint over it",
    repair_painted: "Repair what I painted",
    nothing_sent: "Your photo is here already and is not uploaded again. This version stays as it is.",
    attach: "Attach pictures",
    attach_how: |most| format!("or drop or paste, up to {most}"),
    attached: "Attached pictures",
    attached_to: "Attached",
    take_off: "Remove",
    only_here: "Change only what I paint over",
    changed: "Changed",
    same_attached: "With the pictures attached to it",
    attached_price: |usd| format!(" Each adds about {usd}."),
    attached_privacy: |provider| {
        format!(
            "Attached pictures are sent to {provider} with your prompt, under their terms. Here only you can see them, and \
             they are deleted with the picture."
        )
    },
    eraser: "Eraser",
    variations: "Four variations",
    model_and_price: "Model and approximate price",
    sketch_engine: "Built-in sketch engine",
    restorer: "Built-in restorer",
    free: "free",
    extended: "Extended",
    extend: "Extend",
    wider: "wider",
    taller: "taller",
    all_around: "all around",
    save_jpeg: "Save as JPEG",
    save_png: "Save as PNG",
    or: " or ",
};

pub(super) const GERMAN: Bring = Bring {
    adjust: "Anpassen",
    save_mixed: "In dieser Stärke herunterladen",
    restore_again: "Neu restaurieren",
    repair_more: "Mehr reparieren: übermalen",
    repair_painted: "Übermaltes reparieren",
    nothing_sent: "Dein Foto ist schon hier und wird nicht noch einmal hochgeladen. Diese Fassung bleibt, wie sie ist.",
    attach: "Bilder anhängen",
    attach_how: |most| format!("oder ablegen oder einfügen, bis zu {most}"),
    attached: "Angehängte Bilder",
    attached_to: "Angehängt",
    take_off: "Entfernen",
    only_here: "Nur ändern, was ich übermale",
    changed: "Geändert",
    same_attached: "Mit den Bildern, die daran hingen",
    attached_price: |usd| format!(" Jedes kostet etwa {usd} mehr."),
    attached_privacy: |provider| {
        format!(
            "Angehängte Bilder werden mit deiner Beschreibung an {provider} gesendet, zu deren Bedingungen. Hier siehst nur \
             du sie, und sie werden mit dem Bild gelöscht."
        )
    },
    eraser: "Radierer",
    variations: "Vier Variationen",
    model_and_price: "Modell und ungefährer Preis",
    sketch_engine: "Eingebaute Zeichenmaschine",
    restorer: "Eingebauter Restaurator",
    free: "kostenlos",
    extended: "Erweitert",
    extend: "Erweitern",
    wider: "breiter",
    taller: "höher",
    all_around: "rundum",
    save_jpeg: "Als JPEG speichern",
    save_png: "Als PNG speichern",
    or: " oder ",
};

pub(super) const HEBREW: Bring = Bring {
    adjust: "התאמה",
    save_mixed: "הורדה בעוצמה הזאת",
    restore_again: "לשחזר שוב",
    repair_more: "תיקון נוסף: לצבוע מעל",
    repair_painted: "לתקן את מה שצבעתי",
    nothing_sent: "התצלום כבר כאן ולא יועלה שוב. הגרסה הזאת נשארת כמו שהיא.",
    attach: "צירוף תמונות",
    attach_how: |most| format!("או גרירה או הדבקה, עד {most}"),
    attached: "תמונות מצורפות",
    attached_to: "צורפו",
    take_off: "הסרה",
    only_here: "לשנות רק את מה שאסמן",
    changed: "השתנה",
    same_attached: "עם התמונות שצורפו אליה",
    attached_price: |usd| format!(" כל אחת מוסיפה כ־{usd}."),
    attached_privacy: |provider| {
        format!(
            "התמונות המצורפות נשלחות אל {provider} עם התיאור, לפי התנאים שלהם. כאן הן גלויות רק לך, והן נמחקות עם התמונה."
        )
    },
    eraser: "מחק",
    variations: "ארבע גרסאות",
    model_and_price: "מודל ומחיר משוער",
    sketch_engine: "מנוע הציור המובנה",
    restorer: "המשחזר המובנה",
    free: "חינם",
    extended: "הורחבה",
    extend: "הרחבה",
    wider: "לרוחב",
    taller: "לגובה",
    all_around: "סביב",
    save_jpeg: "שמירה כ־JPEG",
    save_png: "שמירה כ־PNG",
    or: " או ",
};
