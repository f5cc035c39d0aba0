//! Hebrew, from right to left.

mod problems;

use self::problems::{failure, problem};
use super::{Left, Message, Spent, Texts};
use atelier_api::{Job, Kind, Quality, Status};

pub(super) const HEBREW: Texts = Texts {
    message,
    problem,
    failure,
    bring: super::bring::HEBREW,

    skip: "לתוכן העמוד",
    site: "האתר",
    paint: "ציור",
    restore: "שחזור",
    gallery: "גלריה",
    language: "שפה",
    by_local: "תמונות ממנוע הציור המובנה, תצלומים מהמשחזר המובנה.",
    by_two: |pictures, photos| format!("תמונות מאת {pictures}, תצלומים מאת {photos}."),
    by_one: |model| format!("תמונות ותצלומים מאת {model}."),
    keys: "קיצורי מקלדת",
    keys_off: "ביטול קיצורים של מקש אחד",
    key_send: ["Ctrl Enter", "שליחת הטופס"],
    key_write: "כתיבת תיאור, או חיפוש",
    key_walk: "מעבר בין תמונות בגלריה",
    key_zoom: "הגדלה והקטנה",
    key_delete: ["Delete", "מחיקת התמונה, לאחר אישור"],
    key_close: ["Esc", "סגירת מה שפתוח"],
    key_keys: "הצגת הקיצורים האלה",
    close: "סגירה",

    art_title: "ציור תמונה",
    art_description: "תיאור במילים הופך לתמונה.",
    art_heading: "מה נצייר?",
    art_jobs: "התמונות שלך בהכנה",
    local_engine: "זהו מנוע הציור המובנה, לא מודל בינה מלאכותית. הוא מבין מילים באנגלית ובגרמנית.",
    local_restorer: "זהו המשחזר המובנה: עיבוד תמונה קלאסי, לא מודל בינה מלאכותית.",
    connect: [" יש להגדיר את ", " כדי לחבר מודל."],
    prompt: "תיאור",
    prompt_example: "מגדלור ליד הים בשעת דמדומים, שחפים ברוח",
    try_these: ["למשל ”", "”, ”", "” או ", "."],
    surprise: "הפתעה",
    examples_heading: "צוירו ממילים. נסו אחת:",
    examples: [
        "סירה אדומה על ים רגוע בשקיעה",
        "מגדלור ליד הים בשעת דמדומים, שחפים ברוח",
        "שועל בשלג תחת אורנים גבוהים",
    ],
    presets: "אפשר להתחיל עם",
    options: "סגנון, צורה ועוד",
    own_words: "ביטול: חזרה לתיאור שלי",
    style: "סגנון",
    as_written: "ללא סגנון",
    style_label: |id| match id {
        "watercolour" => Some("צבעי מים"),
        "ink" => Some("דיו"),
        "oil" => Some("שמן"),
        "pencil" => Some("עיפרון"),
        "poster" => Some("כרזה"),
        "pixel" => Some("פיקסלים"),
        "photo" => Some("תצלום"),
        _ => None,
    },
    shape: "צורה",
    shapes: ["ריבוע", "לרוחב", "לאורך"],
    quality: "איכות",
    quality_label: |quality| match quality {
        Quality::Low => "נמוכה, מהירה",
        Quality::Medium => "בינונית",
        Quality::High => "גבוהה, איטית",
        Quality::Auto | Quality::Other(_) => "אוטומטית",
    },
    number: "כמה",
    transparent: "רקע שקוף",
    price: |usd| format!("כ־{usd} לתמונה."),
    price_of: |pictures, usd| format!(" {pictures} עולות כ־{usd}."),
    photo_price: |usd| format!("כ־{usd} לתצלום."),
    paint_it: "לצייר",
    sending: "נשלח …",
    or_press: ["או ", " או ", " + "],

    restore_title: "שחזור תצלום",
    restore_description: "מעלים תצלום דהוי, שרוט או מגורען ומקבלים אותו משוחזר.",
    restore_heading: "שחזור תצלומים ישנים",
    restore_what: "דהוי, שרוט או מגורען: בוחרים תצלום ומשווים לפני ואחרי.",
    restore_jobs: "התצלומים שלך בהכנה",
    choose_photo: "בחירת תצלום, או גרירה לכאן",
    choose_photos: "בחירת תצלומים",
    photo_rules: |megabytes, megapixels| {
        let megabytes = apart(megabytes);
        format!("JPEG, PNG, WebP, GIF, BMP או TIFF, עד {megabytes} ו־{megapixels} מגה־פיקסל.")
    },
    photo_chosen: "התצלום שבחרת",
    only_painted: "תיקון רק במה שאסמן",
    brush: "מכחול",
    start_over: "ניקוי",
    strength: "עוצמה",
    gentle: "עדינה",
    full: "מלאה",
    size: "גודל",
    as_it_is: "מקורי",
    twice: "2x",
    four_times: "4x",
    keep_monochrome: "להשאיר בשחור־לבן",
    stays_here: "התצלום נשאר בשרת הזה, והוא והתוצאה גלויים רק לך.",
    sent_to: |provider| {
        format!("התצלום נשלח אל {provider} לשחזור, לפי התנאים שלהם; כאן הוא והתוצאה גלויים רק לך.")
    },
    both_deleted: |span| format!(" שניהם נמחקים {span} לאחר הסיום, או מיד עם מחיקתם."),
    restore_it: "לשחזר",
    uploading: "בהעלאה …",
    samples_heading: "אין תצלום ישן בהישג יד? נסו אחד מאלה:",
    samples: ["דיוקן", "צלם", "קפה"],
    sample_before: "תצלום ישן ודהוי עם שריטות",
    sample_after: "אותו תצלום, משוחזר",

    left,
    spent,

    stage,
    all_words: "התיאור המלא",
    progress: "התקדמות",
    ahead: |jobs| match jobs {
        1 => message(Message::AheadOne).into(),
        _ => message(Message::Ahead).replace("{}", &jobs.to_string()),
    },
    usually: |span| format!("בדרך כלל כ־{}", apart(span)),
    another_try: |number| format!("ניסיון {number}. הקודם נכשל."),
    late: "זה לוקח יותר זמן מהרגיל. אפשר לסגור את העמוד ולחזור; העבודה ממשיכה.",
    call_off: "ביטול",
    notify: "להודיע לי",
    will_notify: "תישלח הודעה.",
    paint_again: "לצייר שוב",
    paint_new: "לצייר חדשה",
    try_again: "לנסות שוב",
    after_all: "לצייר בכל זאת",
    send_again: "לשלוח שוב",
    another_photo: "בחירת תצלום אחר",
    a_photo: "בחירת תצלום",
    change_words: "עריכת התיאור",
    copy_words: "העתקת התיאור",
    words_copied: "התיאור הועתק",
    edit: "עריכה",
    edit_how: "מה לשנות?",
    edit_example: "שירד שלג",
    edit_it: "החלת השינוי",
    enlarge: "הגדלה",
    copy_link: "שיתוף",
    link_copied: "הקישור הועתק",
    make_link: "יצירת קישור",
    give_link: [
        "מי שיש לו הקישור לעמוד הזה יכול למחוק. לאחרים כדאי לתת את ",
        "הקישור הזה",
        ".",
    ],
    share: "לשתף שוב",
    unshare: "הפסקת השיתוף",
    delete: "מחיקה",
    delete_now: "מחיקה עכשיו",
    deleted: "נמחק. ",
    download: "הורדה",
    more: "עוד",
    without_words: "ללא התיאור המוטבע",
    without_place: "ללא תאריך ומקום",
    shared: "בקשה זהה כבר רצה; התוצאה שלה משותפת.",
    earlier_picture: "תמונה קודמת",
    painted_before_like: |ago| format!("{} לתיאור בעל אותה משמעות", painted(ago)),
    painted_like: |ago| format!(", צוירה {} לתיאור בעל אותה משמעות", ago.unwrap_or("בעבר")),
    alike: |per_cent| format!(", דמיון של {per_cent}%."),
    same_words: |ago| format!("{} לאותו תיאור.", painted(ago)),
    same_photo: "התצלום הזה בדיוק כבר שוחזר.",
    edited: "נוצרה מתוך",
    enlarged: "הגדלה",
    repaired: "תוקן",
    colours: "צבעים",
    left_out: "לא בתמונה",
    took: "משך",
    cost: "עלות",
    model: "מודל",
    another: "תמונה אחרת",
    times: |factor| format!("{factor}x"),
    black_and_white: "שחור־לבן",
    painted_over: "מה שצבעת",
    no_reason: "משהו השתבש.",
    seen_by_address: "כל מי שיש לו הקישור לעמוד הזה יכול לראות.",
    seen_by_key: "רק מי שיש לו הקישור לעמוד הזה יכול לראות ולמחוק.",
    seen_by_link: "שותף איתך בקישור.",
    seen_by_you: "זה גלוי רק לך.",
    page_closed: "העמוד הזה גלוי רק לך. מי שיש לו הקישור הישיר לתמונה עדיין רואה אותה.",
    deleted_soon: " יימחק בקרוב.",
    deleted_in: |span| format!(" יימחק בעוד {span}."),

    restored_photo: "תצלום משוחזר",
    photo_to_restore: "תצלום לשחזור",
    photo_restored: "התצלום לאחר השחזור",
    photo_as_sent: "התצלום שלך",
    photo_as_it_was: "התצלום המקורי",
    picture_of: |prompt, number, all| format!("{prompt}, תמונה {number} מתוך {all}"),
    choose_picture: "בחירת תמונה",
    before: "לפני",
    after: "אחרי",
    how_much_before: "כמה מהמקור להציג, באחוזים",
    hold: "החזקה להצגת המקור",
    side_by_side: "זה לצד זה",
    only_changes: "שינויים בלבד",
    actual_size: "גודל אמיתי",
    wall: "אחרונות",
    everything: "הגלריה שלך",

    picture: "תמונה",
    photo: "תצלום",
    job_description: "תמונה שנוצרה בסטודיו הזה.",
    another_picture: "ציור תמונה נוספת",
    restore_another: "שחזור תצלום נוסף",
    looks_again: "העמוד מתרענן כל שתי שניות. לביטול נדרש JavaScript.",

    gallery_description: "כל מה שנוצר אצלך בסטודיו הזה.",
    back_to_newest: "חזרה לחדשות",
    nothing_yet: "עדיין אין כאן כלום. ציורים ושחזורים יופיעו כאן.",
    paint_a_picture: "ציור תמונה",
    none: "אין התאמות.",
    clear: "ניקוי",
    found: |number, more| match more {
        false => format!("נמצאו {number}."),
        true => format!("נמצאו יותר מ־{number}."),
    },
    words_of_prompt: "חיפוש בתיאורים",
    kind: "סוג",
    all: "הכול",
    pictures: "תמונות",
    photos: "תצלומים",
    search: "חיפוש",
    older: "ישנות יותר",
    choose_all: "בחירת הכול",
    favourites: "מועדפות",
    favourite: |name| format!("”{name}” היא מועדפת"),
    favour: "הוספה למועדפות",
    unfavour: "הסרה מהמועדפות",
    folder: "תיקייה",
    all_folders: "כל התיקיות",
    folder_name: "שם התיקייה",
    move_there: "העברה",
    out_of_folder: "הוצאה מהתיקייה",
    download_chosen: "הורדת הנבחרות",
    delete_chosen: "מחיקת הנבחרות",
    choose: |name| format!("בחירת ”{name}”"),
    undo: "ביטול המחיקה",
    newer_picture: "תמונה חדשה יותר",
    older_picture: "תמונה ישנה יותר",
    all_about_it: "פרטים",
    view_large: "הצגה בגדול",
    use_again: "שימוש חוזר",

    share_alt: "המילה Atelier ליד סירת מפרש בשקיעה, מצוירת וממוסגרת",
    problem_description: "עמוד שלא ניתן להציג.",
    back_where: "חזרה",
    nothing_here: [
        "העמוד לא נמצא",
        "אין כלום בכתובת הזאת. ייתכן שהעמוד עבר, או שיש טעות בכתובת.",
        "לסטודיו",
    ],
    job_gone: [
        "התמונה הזאת כבר לא כאן",
        "נמחקה או שפג תוקפה: אין תמונה בכתובת הזאת.",
        "לצייר חדשה",
    ],
    store_away: [
        "מיד נחזור",
        "הסטודיו לא מצליח להגיע לרישומים שלו כרגע. שום דבר לא אבד; אפשר לנסות שוב בעוד דקה.",
        "לנסות שוב",
    ],
    away_note: "הסטודיו לא מצליח להגיע לרישומים שלו כרגע: אי אפשר להציג את התמונות שלך או להתחיל חדשות. שום דבר לא \
        אבד; אפשר לנסות שוב בעוד דקה.",

    just_now: "ממש עכשיו",
    yesterday: "אתמול",
    ago: |span| format!("לפני {}", apart(span)),
    days_ago: |days| format!("לפני {days} ימים"),
    units: ["שניות", "דקות", "שעות", "ימים"],
    money: |digits| format!("${digits}"),
    next_to_nothing: "פחות מ־$0.001",
};

fn message(message: Message) -> &'static str {
    match message {
        Message::NoAnswer => "הסטודיו לא ענה. כדאי לבדוק את החיבור ולנסות שוב.",
        Message::Resuming => "החיבור אבד. ההעלאה תימשך מעצמה כשהוא יחזור.",
        Message::Refused => "הסטודיו לא הצליח לקבל את זה. אפשר לנסות שוב בעוד דקה.",
        Message::Ready => "מוכן",
        Message::Gone => "נמחק או שפג תוקפו.",
        Message::GivenUp => "עדיין אין חיבור. העבודה ממשיכה: אפשר לטעון את העמוד שוב מאוחר יותר.",
        Message::Unreachable => "החיבור אבד, מנסים שוב.",
        Message::NotSent => "זה לא עבר. אפשר לנסות שוב.",
        Message::AheadOne => "תמונה אחת לפני שלך",
        Message::Ahead => "{} תמונות לפני שלך",
        Message::Deleted => "{} נמחקו.",
        Message::Sure => "למחוק את התמונה?",
        Message::SureOfAll => "למחוק את כל {} התמונות?",
        Message::SureOfPhoto => "למחוק את התצלום הזה ואת הגרסה המשוחזרת? אי אפשר לבטל זאת.",
        Message::PhotoDeleted => "התצלום והגרסה המשוחזרת נמחקו.",
        Message::NothingPainted => "קודם יש לצבוע מעל מה שצריך להשתנות.",
        Message::NoPhoto => {
            "הקובץ הזה אינו תצלום שאפשר לקרוא. יש לבחור JPEG, PNG, WebP, GIF, BMP או TIFF."
        }
        Message::Empty => "הקובץ ריק. יש לבחור אחר.",
        Message::TooLarge => "גודל הקובץ {}; המרב הוא {}.",
        Message::TooManyPixels => "בתצלום יש {} מגה־פיקסל; המרב הוא {}.",
        Message::More => "{} ועוד {}",
        Message::Place => "{} מתוך {}",
        Message::Chosen => "נבחרו {}",
        Message::Most => "אפשר להוריד עד {} בבת אחת.",
        Message::TooMany => "אפשר לצרף עד {} תמונות.",
    }
}

fn stage(job: &Job) -> &'static str {
    let picture = job.kind == Kind::Image;
    match job.status {
        Status::Queued if job.attempt > 0 => "מיד ניסיון נוסף",
        Status::Queued if job.position == Some(0) => "הבאה בתור",
        Status::Queued => "ממתינה בתור",
        Status::Running if job.attempt > 1 => "ניסיון נוסף",
        Status::Running if picture => "בציור",
        Status::Running => "בשחזור",
        Status::Delivering => "במסגור",
        Status::Succeeded if picture => "התמונה מוכנה",
        Status::Succeeded => "התצלום מוכן",
        Status::Failed if picture => "התמונה לא הצליחה",
        Status::Failed => "לא ניתן היה לשחזר את התצלום",
        Status::Cancelled => "בוטלה",
    }
}

/// A number with a Latin unit, isolated: it keeps its own direction.
fn apart(text: &str) -> String {
    format!("\u{2068}{text}\u{2069}")
}

fn painted(ago: Option<&str>) -> String {
    format!("צוירה {}", ago.unwrap_or("בעבר"))
}

fn left(limit: &Left) -> String {
    let Left { left, all, .. } = limit;
    let things = things(limit.kind);
    let today = if limit.today { " היום" } else { "" };
    match &limit.renewal {
        Some(renewal) => {
            let renewal = apart(renewal);
            format!("נותרו {left} מתוך {all} {things}{today}, מתחדש בעוד {renewal}.")
        }
        None => format!("נותרו {left} מתוך {all} {things}{today}."),
    }
}

fn spent(limit: &Spent<'_>) -> String {
    let (back, today) = (apart(&limit.back), limit.today);
    let still = match limit.kind {
        Kind::Image => "תמונות שכבר צוירו נשארות זמינות.",
        Kind::Restoration => "תצלומים שכבר שוחזרו נמצאים בגלריה.",
    };
    let when = if today { "להיום" } else { "לעת עתה" };
    match limit.unit {
        "usd" => format!("התקציב של הסטודיו {when} נוצל. אפשר לחזור בעוד {back}. {still}"),
        "images" => {
            let things = things(limit.kind);
            format!("לא נותרו {things} {when}. אפשר לחזור בעוד {back}. {still}")
        }
        _ => format!("מהר מדי. אפשר לנסות שוב בעוד {back}."),
    }
}

fn things(kind: Kind) -> &'static str {
    match kind {
        Kind::Image => "תמונות",
        Kind::Restoration => "תצלומים",
    }
}
