//! German.

mod problems;

use self::problems::{failure, problem};
use super::{Left, Message, Spent, Texts};
use atelier_api::{Job, Kind, Quality, Status};

pub(super) const GERMAN: Texts = Texts {
    message,
    problem,
    failure,
    bring: super::bring::GERMAN,

    skip: "Zum Inhalt",
    site: "Seiten",
    paint: "Malen",
    restore: "Restaurieren",
    gallery: "Galerie",
    language: "Sprache",
    by_local: "Bilder von der eingebauten Zeichenmaschine, Fotos vom eingebauten Restaurator.",
    by_two: |pictures, photos| format!("Bilder von {pictures}, Fotos von {photos}."),
    by_one: |model| format!("Bilder und Fotos von {model}."),
    keys: "Tastenkürzel",
    keys_off: "Ein-Tasten-Kürzel abschalten",
    key_send: ["Strg Enter", "Formular abschicken"],
    key_write: "Ins Textfeld oder in die Suche",
    key_walk: "Durch die Galerie gehen",
    key_zoom: "Vergrößern und verkleinern",
    key_delete: ["Entf", "Bild löschen, nach Rückfrage"],
    key_close: ["Esc", "Schließen, was offen ist"],
    key_keys: "Diese Tastenkürzel zeigen",
    close: "Schließen",

    art_title: "Ein Bild malen",
    art_description: "Beschreib ein Bild und lass es malen.",
    art_heading: "Was sollen wir malen?",
    art_jobs: "Deine Bilder in Arbeit",
    local_engine: "Das ist die eingebaute Zeichenmaschine, kein KI-Modell.",
    local_restorer: "Das ist der eingebaute Restaurator: klassische Bildverarbeitung, kein KI-Modell.",
    connect: [" Mit ", " wird eines angeschlossen."],
    prompt: "Beschreibung",
    prompt_example: "Ein Leuchtturm am Meer in der Dämmerung, Möwen im Wind",
    try_these: ["Zum Beispiel „", "“, „", "“ oder ", "."],
    surprise: "überrasch mich",
    examples_heading: "Aus Worten gemalt. Probier eines aus:",
    examples: [
        "ein rotes Boot auf ruhiger See bei Sonnenuntergang",
        "ein Leuchtturm am Meer in der Dämmerung, Möwen im Wind",
        "ein Fuchs im Schnee unter hohen Kiefern",
    ],
    presets: "Fang an mit",
    options: "Stil, Format und mehr",
    own_words: "Rückgängig: meine Beschreibung zurück",
    style: "Stil",
    as_written: "Ohne Stil",
    style_label: |id| match id {
        "watercolour" => Some("Aquarell"),
        "ink" => Some("Tusche"),
        "oil" => Some("Öl"),
        "pencil" => Some("Bleistift"),
        "poster" => Some("Plakat"),
        "pixel" => Some("Pixel"),
        "photo" => Some("Foto"),
        _ => None,
    },
    shape: "Format",
    shapes: ["Quadrat", "Quer", "Hoch"],
    quality: "Qualität",
    quality_label: |quality| match quality {
        Quality::Low => "Niedrig, schnell",
        Quality::Medium => "Mittel",
        Quality::High => "Hoch, langsam",
        Quality::Auto | Quality::Other(_) => "Automatisch",
    },
    number: "Anzahl",
    transparent: "Durchsichtiger Hintergrund",
    price: |usd| format!("Etwa {usd} je Bild."),
    price_of: |pictures, usd| format!(" {pictures} kosten etwa {usd}."),
    photo_price: |usd| format!("Etwa {usd} je Foto."),
    paint_it: "Malen",
    sending: "Wird gesendet …",
    or_press: ["oder ", " oder ", " + "],

    restore_title: "Ein Foto restaurieren",
    restore_description: "Lade ein verblasstes, verkratztes oder verrauschtes Foto hoch und bekomm es restauriert \
        zurück.",
    restore_heading: "Alte Fotos restaurieren",
    restore_what: "Verblasst, verkratzt oder körnig: Wähl ein Foto und vergleiche vorher und nachher.",
    restore_jobs: "Deine Fotos in Arbeit",
    choose_photo: "Foto wählen oder hier ablegen",
    choose_photos: "Fotos auswählen",
    photo_rules: |megabytes, megapixels| {
        format!("JPEG, PNG, WebP, GIF, BMP oder TIFF, bis {megabytes} und {megapixels} Megapixel.")
    },
    photo_chosen: "Das gewählte Foto",
    only_painted: "Nur reparieren, was ich übermale",
    brush: "Pinsel",
    start_over: "Löschen",
    strength: "Stärke",
    gentle: "sanft",
    full: "voll",
    size: "Größe",
    as_it_is: "Original",
    twice: "2x",
    four_times: "4x",
    keep_monochrome: "Schwarzweiß lassen",
    stays_here: "Dein Foto bleibt auf diesem Server; nur du siehst es und das Ergebnis.",
    sent_to: |provider| {
        format!(
            "Dein Foto wird zum Restaurieren an {provider} gesendet, zu deren Bedingungen; hier siehst nur du es und \
             was daraus wird."
        )
    },
    both_deleted: |span| {
        format!(
            " Beide werden {span} nach der Fertigstellung gelöscht, oder sobald du sie löschst."
        )
    },
    restore_it: "Restaurieren",
    uploading: "Wird hochgeladen …",
    samples_heading: "Kein altes Foto zur Hand? Probier eines von diesen:",
    samples: ["Porträt", "Fotograf", "Kaffee"],
    sample_before: "Ein altes, verblasstes Foto mit Kratzern",
    sample_after: "Das restaurierte Foto",

    left,
    spent,

    stage,
    all_words: "Ganze Beschreibung",
    progress: "Fortschritt",
    ahead: |jobs| match jobs {
        1 => message(Message::AheadOne).into(),
        _ => message(Message::Ahead).replace("{}", &jobs.to_string()),
    },
    usually: |span| format!("meist etwa {span}"),
    another_try: |number| format!("Versuch {number}. Der letzte ist gescheitert."),
    late: "Das dauert länger als sonst. Du kannst die Seite schließen und wiederkommen; es geht weiter.",
    call_off: "Abbrechen",
    notify: "Benachrichtige mich",
    will_notify: "Du wirst benachrichtigt.",
    paint_again: "Noch einmal malen",
    paint_new: "Neu malen",
    try_again: "Noch einmal versuchen",
    after_all: "Trotzdem malen",
    send_again: "Noch einmal senden",
    another_photo: "Anderes Foto wählen",
    a_photo: "Foto wählen",
    change_words: "Beschreibung ändern",
    copy_words: "Beschreibung kopieren",
    words_copied: "Beschreibung kopiert",
    edit: "Bearbeiten",
    edit_how: "Was soll anders sein?",
    edit_example: "Lass es schneien",
    edit_it: "Änderung malen",
    enlarge: "Vergrößern",
    copy_link: "Teilen",
    link_copied: "Link kopiert",
    make_link: "Link erstellen",
    give_link: [
        "Wer den Link zu dieser Seite hat, kann es löschen. Gib anderen ",
        "diesen Link",
        ".",
    ],
    share: "Wieder teilen",
    unshare: "Nicht mehr teilen",
    delete: "Löschen",
    delete_now: "Jetzt löschen",
    deleted: "Gelöscht. ",
    download: "Herunterladen",
    more: "Mehr",
    without_words: "Ohne eingebettete Beschreibung",
    without_place: "Ohne Datum und Ort",
    shared: "Dieselbe Anfrage lief schon; du bekommst ihr Ergebnis.",
    earlier_picture: "Ein früheres Bild",
    painted_before_like: |ago| format!("{} für eine gleichbedeutende Beschreibung", painted(ago)),
    painted_like: |ago| {
        format!(
            ", gemalt {} für eine gleichbedeutende Beschreibung",
            ago.unwrap_or("zuvor")
        )
    },
    alike: |per_cent| format!(", zu {per_cent}\u{a0}% gleich."),
    same_words: |ago| format!("{} für dieselbe Beschreibung.", painted(ago)),
    same_photo: "Genau dieses Foto wurde schon einmal restauriert.",
    edited: "Entstanden aus",
    enlarged: "Vergrößert",
    repaired: "Repariert",
    colours: "Farben",
    left_out: "Nicht im Bild",
    took: "Dauer",
    cost: "Kosten",
    model: "Modell",
    another: "einem anderen Bild",
    times: |factor| format!("{factor}x"),
    black_and_white: "Schwarzweiß",
    painted_over: "Was du übermalt hast",
    no_reason: "Etwas ist schiefgegangen.",
    seen_by_address: "Alle mit dem Link zu dieser Seite können es sehen.",
    seen_by_key: "Nur wer den Link zu dieser Seite hat, kann das sehen und löschen.",
    seen_by_link: "Über einen Link mit dir geteilt.",
    seen_by_you: "Nur du kannst das sehen.",
    page_closed: "Nur du siehst diese Seite. Wer den direkten Link zum Bild hat, sieht das Bild weiterhin.",
    deleted_soon: " Es wird gleich gelöscht.",
    deleted_in: |span| format!(" Noch {span}, dann wird es gelöscht."),

    restored_photo: "Ein restauriertes Foto",
    photo_to_restore: "Ein Foto zum Restaurieren",
    photo_restored: "Das Foto, restauriert",
    photo_as_sent: "Dein Foto",
    photo_as_it_was: "Das Originalfoto",
    picture_of: |prompt, number, all| format!("{prompt}, Bild {number} von {all}"),
    choose_picture: "Wähl ein Bild",
    before: "Vorher",
    after: "Nachher",
    how_much_before: "Wie viel vom Original zu sehen ist, in Prozent",
    hold: "Original: gedrückt halten",
    side_by_side: "Nebeneinander",
    only_changes: "Nur die Änderungen",
    actual_size: "Originalgröße",
    wall: "Zuletzt",
    everything: "Deine Galerie",

    picture: "Bild",
    photo: "Foto",
    job_description: "Ein Bild aus diesem Atelier.",
    another_picture: "Noch ein Bild malen",
    restore_another: "Noch ein Foto restaurieren",
    looks_again: "Diese Seite lädt sich alle zwei Sekunden neu. Zum Abbrechen braucht es JavaScript.",

    gallery_description: "Alles, was du in diesem Atelier gemacht hast.",
    back_to_newest: "Zurück zu den neuesten",
    nothing_yet: "Noch nichts. Was du malst oder restaurierst, erscheint hier.",
    paint_a_picture: "Mal ein Bild",
    none: "Keine Treffer.",
    clear: "Zurücksetzen",
    found: |number, more| match more {
        false => format!("{number} gefunden."),
        true => format!("Mehr als {number} gefunden."),
    },
    words_of_prompt: "Beschreibungen durchsuchen",
    kind: "Art",
    all: "Alles",
    pictures: "Bilder",
    photos: "Fotos",
    search: "Suchen",
    older: "Ältere",
    choose_all: "Alle auswählen",
    favourites: "Favoriten",
    favourite: |name| format!("„{name}“ ist ein Favorit"),
    favour: "Zu den Favoriten",
    unfavour: "Aus den Favoriten",
    folder: "Ordner",
    all_folders: "Alle Ordner",
    folder_name: "Name des Ordners",
    move_there: "Verschieben",
    out_of_folder: "Aus diesem Ordner",
    download_chosen: "Auswahl herunterladen",
    delete_chosen: "Auswahl löschen",
    choose: |name| format!("„{name}“ auswählen"),
    undo: "Rückgängig",
    newer_picture: "Neueres Bild",
    older_picture: "Älteres Bild",
    all_about_it: "Details",
    view_large: "Größer ansehen",
    use_again: "Wiederverwenden",

    share_alt: "Das Wort Atelier neben einem Segelboot bei Sonnenuntergang, gemalt und gerahmt",
    problem_description: "Eine Seite, die nicht gezeigt werden konnte.",
    back_where: "Zurück",
    nothing_here: [
        "Seite nicht gefunden",
        "An dieser Adresse gibt es nichts. Vielleicht ist die Seite umgezogen, oder die Adresse ist vertippt.",
        "Zum Atelier",
    ],
    job_gone: [
        "Dieses Bild gibt es nicht mehr",
        "Gelöscht oder abgelaufen: An dieser Adresse ist kein Bild.",
        "Ein neues malen",
    ],
    store_away: [
        "Gleich wieder da",
        "Das Atelier erreicht seine Aufzeichnungen gerade nicht. Nichts ist verloren; versuch es in einer Minute \
         noch einmal.",
        "Noch einmal versuchen",
    ],
    away_note: "Das Atelier erreicht seine Aufzeichnungen gerade nicht: Was du gemacht hast, wird nicht gezeigt, und \
        Neues wird nicht angenommen. Nichts ist verloren; versuch es in einer Minute noch einmal.",

    just_now: "gerade eben",
    yesterday: "gestern",
    ago: |span| format!("vor {span}"),
    days_ago: |days| format!("vor {days} Tagen"),
    units: ["Sekunden", "Minuten", "Stunden", "Tage"],
    money: |digits| format!("{}\u{a0}$", digits.replace('.', ",")),
    next_to_nothing: "weniger als 0,001\u{a0}$",
};

fn message(message: Message) -> &'static str {
    match message {
        Message::NoAnswer => {
            "Das Atelier antwortet nicht. Prüf die Verbindung und versuch es noch einmal."
        }
        Message::Resuming => {
            "Keine Verbindung. Das Hochladen geht von selbst weiter, sobald sie wieder da ist."
        }
        Message::Refused => {
            "Das Atelier konnte das nicht annehmen. Versuch es in einer Minute noch einmal."
        }
        Message::Ready => "Fertig",
        Message::Gone => "Gelöscht oder abgelaufen.",
        Message::GivenUp => {
            "Noch immer keine Verbindung. Dein Auftrag läuft weiter: Lade die Seite später neu."
        }
        Message::Unreachable => "Verbindung verloren, neuer Versuch.",
        Message::NotSent => "Das hat nicht geklappt. Versuch es noch einmal.",
        Message::AheadOne => "1 Bild vor deinem",
        Message::Ahead => "{} Bilder vor deinem",
        Message::Deleted => "{} gelöscht.",
        Message::Sure => "Dieses Bild löschen?",
        Message::SureOfAll => "Alle {} Bilder löschen?",
        Message::SureOfPhoto => {
            "Dieses Foto und die restaurierte Fassung löschen? Das lässt sich nicht rückgängig machen."
        }
        Message::PhotoDeleted => "Das Foto und die restaurierte Fassung sind gelöscht.",
        Message::NothingPainted => "Übermal zuerst, was anders werden soll.",
        Message::NoPhoto => {
            "Diese Datei ist kein Foto, das wir lesen können. Wähl ein JPEG, PNG, WebP, GIF, BMP oder TIFF."
        }
        Message::Empty => "Diese Datei ist leer. Wähl eine andere.",
        Message::TooLarge => "Diese Datei hat {}; erlaubt sind {}.",
        Message::TooManyPixels => "Dieses Foto hat {} Megapixel; erlaubt sind {}.",
        Message::More => "{} und {} weitere",
        Message::Place => "{} von {}",
        Message::Chosen => "{} ausgewählt",
        Message::Most => "Höchstens {} lassen sich auf einmal herunterladen.",
        Message::TooMany => "Höchstens {} Bilder lassen sich anhängen.",
    }
}

fn stage(job: &Job) -> &'static str {
    let picture = job.kind == Kind::Image;
    match job.status {
        Status::Queued if job.attempt > 0 => "Gleich ein neuer Versuch",
        Status::Queued if job.position == Some(0) => "Als Nächstes dran",
        Status::Queued => "In der Schlange",
        Status::Running if job.attempt > 1 => "Neuer Versuch",
        Status::Running if picture => "Wird gemalt",
        Status::Running => "Wird restauriert",
        Status::Delivering => "Wird gerahmt",
        Status::Succeeded if picture => "Das Bild ist fertig",
        Status::Succeeded => "Das Foto ist fertig",
        Status::Failed if picture => "Das Bild ist nicht gelungen",
        Status::Failed => "Das Foto ließ sich nicht restaurieren",
        Status::Cancelled => "Abgebrochen",
    }
}

fn painted(ago: Option<&str>) -> String {
    format!("Gemalt {}", ago.unwrap_or("zuvor"))
}

fn left(limit: &Left) -> String {
    let Left { left, all, .. } = limit;
    let things = match limit.kind {
        Kind::Image => "Bildern",
        Kind::Restoration => "Fotos",
    };
    let still = if limit.today { "Heute noch" } else { "Noch" };
    match &limit.renewal {
        Some(renewal) => format!("{still} {left} von {all} {things}, neue in {renewal}."),
        None => format!("{still} {left} von {all} {things}."),
    }
}

fn spent(limit: &Spent<'_>) -> String {
    let Spent { back, today, .. } = limit;
    let (things, still) = match limit.kind {
        Kind::Image => ("Bilder", "Schon gemalte Bilder bleiben verfügbar."),
        Kind::Restoration => (
            "Fotos",
            "Was schon restauriert wurde, steht in der Galerie.",
        ),
    };
    let [when, begins] = if *today {
        ["für heute", "Für heute"]
    } else {
        ["vorerst", "Vorerst"]
    };
    match limit.unit {
        "usd" => format!(
            "Das Budget dieses Ateliers ist {when} aufgebraucht. Komm in {back} wieder. {still}"
        ),
        "images" => format!("{begins} keine {things} mehr. Komm in {back} wieder. {still}"),
        _ => format!("Zu schnell. Versuch es in {back} noch einmal."),
    }
}
