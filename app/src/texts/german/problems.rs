//! The API's problems and failures.

pub(super) fn problem(code: &str, wait: Option<&str>) -> Option<(&'static str, String)> {
    const NOT_POSSIBLE: &str = "Das geht nicht";
    const PHOTO: &str = "Das Foto ist nicht zu gebrauchen";
    let (title, detail) = match code {
        "limited" => {
            let wait = wait.map_or_else(
                || "Warte ein wenig.".to_owned(),
                |wait| format!("In {wait} geht es weiter."),
            );
            return Some((
                "Über der Grenze",
                format!("Für Neues ist gerade nichts mehr frei. {wait}"),
            ));
        }
        "malformed" => (
            "Unlesbare Anfrage",
            "Die Anfrage ließ sich nicht lesen. Lade die Seite neu und versuch es noch einmal.",
        ),
        "prompt" => (
            NOT_POSSIBLE,
            "Die Beschreibung fehlt, ist zu lang oder enthält Steuerzeichen. Höchstens 32.000 Zeichen reinen Textes.",
        ),
        "background" => (NOT_POSSIBLE, "Dieses Modell wählt den Hintergrund selbst."),
        "model" => (
            NOT_POSSIBLE,
            "Dieses Modell gibt es hier nicht mehr. Lade die Seite neu und wähl ein anderes.",
        ),
        "size" => (NOT_POSSIBLE, "Dieses Format gibt es hier nicht."),
        "from" => (
            NOT_POSSIBLE,
            "Dieses Bild lässt sich hier nicht bearbeiten.",
        ),
        "image" => (
            NOT_POSSIBLE,
            "So lassen sich hier keine Bilder anhängen: höchstens 4, und nicht zu einem früheren Bild.",
        ),
        "attached" => (
            NOT_POSSIBLE,
            "Die Bilder daran sind nicht mehr hier. Häng sie noch einmal an.",
        ),
        "original" => (
            NOT_POSSIBLE,
            "Dieses Foto ist nicht mehr hier: Es wurde gelöscht oder ist abgelaufen. Sende es noch einmal.",
        ),
        "mask" => (
            NOT_POSSIBLE,
            "Was du übermalt hast, ist nicht zu gebrauchen. Übermal es noch einmal.",
        ),
        "enlarge" => (
            NOT_POSSIBLE,
            "So groß wird kein Bild. Wähl eine kleinere Größe.",
        ),
        "extend" => (
            NOT_POSSIBLE,
            "Weiter lässt sich dieses Bild nicht erweitern.",
        ),
        "nothing_chosen" => (NOT_POSSIBLE, "Wähl zuerst eines oder mehrere aus."),
        "nothing_to_mark" => (
            NOT_POSSIBLE,
            "Sag, was daraus werden soll: ein Favorit, oder in welchen Ordner.",
        ),
        "folder" => (
            NOT_POSSIBLE,
            "Der Name eines Ordners hat höchstens 60 Zeichen, darunter keine Steuerzeichen.",
        ),
        "too_many_folders" => ("Zu viele Ordner", "Mehr als 100 Ordner gibt es nicht."),
        "too_many" => (NOT_POSSIBLE, "Höchstens 200 gehen auf einmal."),
        "photo" => (NOT_POSSIBLE, "Es fehlt ein Foto. Wähl eines."),
        "photo_empty" => (PHOTO, "Die Datei ist leer. Wähl ein Foto."),
        "photo_type" => (
            PHOTO,
            "Die Datei ist kein Foto, das wir lesen können. Wähl ein JPEG, PNG, WebP, GIF, BMP oder TIFF.",
        ),
        "photo_kind" => (
            PHOTO,
            "Die Datei mag heil sein, aber diese Art von Datei lesen wir nicht. Speichere sie als gewöhnliches JPEG, PNG \
             oder TIFF.",
        ),
        "photo_pixels" => (PHOTO, "Das Foto hat zu viele Pixel. Wähl ein kleineres."),
        "photo_damaged" => (PHOTO, "Die Datei ist beschädigt oder bricht ab."),
        "too_large" => ("Zu groß", "So viel wird nicht angenommen."),
        "not_found" => (
            "Nicht gefunden",
            "Das gibt es nicht, oder es wurde gelöscht.",
        ),
        "not_yours" => ("Nicht deins", "Das darf nur ändern, wer es bestellt hat."),
        "wrong_state" => ("Zu spät", "Es ist schon weiter."),
        "denied" => (
            "Verboten",
            "Diese Seite bedient dich nicht. Wenn das ein Irrtum ist, frag ihren Betreiber.",
        ),
        "cross_origin" => ("Verboten", "Die Anfrage kam von der Seite eines anderen."),
        "precondition_failed" => (
            "Andere Fassung",
            "Es gibt eine andere Fassung als die, nach der gefragt wurde.",
        ),
        "method_not_allowed" => ("Nicht erlaubt", "Diese Adresse nimmt so etwas nicht an."),
        "too_slow" => (
            "Zu langsam",
            "Die Daten kamen zu langsam an. Versuch es über eine bessere Verbindung noch einmal.",
        ),
        "busy" => (
            "Zu viel auf einmal",
            "Du fragst nach zu viel auf einmal. Wart die Antworten ab.",
        ),
        "closing" => (
            "Neustart",
            "Das Atelier startet neu. Versuch es gleich noch einmal.",
        ),
        "store_full" => (
            "Voll",
            "Der Speicher des Ateliers ist voll und nimmt gerade nichts Neues auf. Verloren ist nichts; bitte später noch einmal.",
        ),
        "store_unavailable" => (
            "Nicht erreichbar",
            "Das Atelier erreicht seine Aufzeichnungen gerade nicht. Nichts ist verloren; versuch es gleich noch \
             einmal.",
        ),
        "storage_full" => (
            "Kein Platz mehr",
            "Auf der Platte des Ateliers ist kein Platz mehr. Sag bitte dem Betreiber Bescheid.",
        ),
        "storage_unavailable" => (
            "Nicht erreichbar",
            "Das Atelier erreicht seine Bilder gerade nicht. Nichts ist verloren; versuch es gleich noch einmal.",
        ),
        "internal" => (
            "Unser Fehler",
            "Bei uns ging etwas schief. Es ist vermerkt; versuch es noch einmal.",
        ),
        _ => return None,
    };
    Some((title, detail.to_owned()))
}

pub(super) fn failure(code: &str) -> Option<&'static str> {
    Some(match code {
        "content_refused" => {
            "Der Bilddienst hat das als unsicher abgelehnt. Dasselbe noch einmal zu senden hilft nicht."
        }
        "held" => {
            "Der Bilddienst wurde nicht gefragt, denn er hat gerade zu viel abgelehnt, was von derselben Stelle kam. \
             Versuch es später noch einmal."
        }
        "provider_credit_exhausted" => {
            "Das Guthaben dieses Ateliers beim Bilddienst ist aufgebraucht. Sag bitte dem Betreiber Bescheid."
        }
        "provider_key_refused" => {
            "Der Bilddienst nimmt den Schlüssel dieses Ateliers nicht an. Sag bitte dem Betreiber Bescheid."
        }
        "provider_busy" => "Der Bilddienst ist überlastet.",
        "provider_failed" => "Der Bilddienst ist gescheitert.",
        "provider_unreachable" => "Der Bilddienst ist nicht zu erreichen.",
        "answer_lost" => {
            "Der Bilddienst antwortete nicht rechtzeitig, oder seine Antwort brach ab."
        }
        "provider_missing" => "Der Bilddienst ist nicht mehr angeschlossen.",
        "bad_answer" => "Die Antwort des Bilddienstes war kein Bild, das sich lesen lässt.",
        "interrupted" | "lease_expired" => {
            "Die Arbeit wurde zu oft unterbrochen. Versuch es noch einmal."
        }
        "photo_lost" => "Das Bild, mit dem es anfing, ist nicht mehr da.",
        "engine_failed" => "Die eingebaute Maschine ist daran gescheitert.",
        _ => return None,
    })
}
