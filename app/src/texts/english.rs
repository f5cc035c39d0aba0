//! English.

use super::{Left, Message, Spent, Texts};
use atelier_api::{Job, Kind, Quality, Status};

pub(super) const ENGLISH: Texts = Texts {
    message,
    problem: |_, _| None,
    failure: |_| None,
    bring: super::bring::ENGLISH,

    skip: "Skip to the page",
    site: "Site",
    paint: "Paint",
    restore: "Restore",
    gallery: "Gallery",
    language: "Language",
    by_local: "Pictures by the built-in sketch engine, photos by the built-in restorer.",
    by_two: |pictures, photos| format!("Pictures by {pictures}, photos by {photos}."),
    by_one: |model| format!("Pictures and photos by {model}."),
    keys: "Shortcuts",
    keys_off: "Turn off single-key shortcuts",
    key_send: ["Ctrl Enter", "Send the form"],
    key_write: "Write a prompt, or search",
    key_walk: "Walk through the gallery",
    key_zoom: "Zoom in and out",
    key_delete: ["Delete", "Delete the picture, after asking"],
    key_close: ["Esc", "Close what is open"],
    key_keys: "Show these shortcuts",
    close: "Close",

    art_title: "Paint a picture",
    art_description: "Describe a picture in words and have it painted.",
    art_heading: "What shall we paint?",
    art_jobs: "Your pictures in progress",
    local_engine: "This is the built-in sketch engine, not an AI model.",
    local_restorer: "This is the built-in restorer: classical image processing, not an AI model.",
    connect: [" Set ", " to connect one."],
    prompt: "Prompt",
    prompt_example: "A lighthouse by the sea at dusk, gulls in the wind",
    try_these: ["Try “", "”, “", "” or ", "."],
    surprise: "surprise me",
    examples_heading: "Made from words. Try one:",
    examples: [
        "a red boat on a calm sea at sunset",
        "a lighthouse by the sea at dusk, gulls in the wind",
        "a fox in the snow under tall pines",
    ],
    presets: "Begin with",
    options: "Style, shape and more",
    own_words: "Undo: back to my prompt",
    style: "Style",
    as_written: "No style",
    style_label: |id| match id {
        "watercolour" => Some("Watercolour"),
        "ink" => Some("Ink"),
        "oil" => Some("Oil"),
        "pencil" => Some("Pencil"),
        "poster" => Some("Poster"),
        "pixel" => Some("Pixel"),
        "photo" => Some("Photo"),
        _ => None,
    },
    shape: "Shape",
    shapes: ["Square", "Wide", "Tall"],
    quality: "Quality",
    quality_label: |quality| match quality {
        Quality::Low => "Low, quick",
        Quality::Medium => "Medium",
        Quality::High => "High, slow",
        Quality::Auto | Quality::Other(_) => "Automatic",
    },
    number: "How many",
    transparent: "Transparent background",
    price: |usd| format!("About {usd} a picture."),
    price_of: |pictures, usd| format!(" {pictures} cost about {usd}."),
    photo_price: |usd| format!("About {usd} a photo."),
    paint_it: "Paint it",
    sending: "Sending …",
    or_press: ["or press ", " or ", " + "],

    restore_title: "Restore a photo",
    restore_description: "Upload a faded, scratched or noisy photo and get it back restored.",
    restore_heading: "Restore old photos",
    restore_what: "Faded, scratched or grainy: choose a photo, then compare before and after.",
    restore_jobs: "Your photos in progress",
    choose_photo: "Choose a photo, or drop it here",
    choose_photos: "Choose photos",
    photo_rules: |megabytes, megapixels| {
        format!("JPEG, PNG, WebP, GIF, BMP or TIFF, up to {megabytes} and {megapixels} megapixels.")
    },
    photo_chosen: "The photo you chose",
    only_painted: "Repair only what I paint over",
    brush: "Brush",
    start_over: "Clear",
    strength: "Strength",
    gentle: "gentle",
    full: "full",
    size: "Size",
    as_it_is: "Original",
    twice: "2x",
    four_times: "4x",
    keep_monochrome: "Keep it black and white",
    stays_here: "Your photo stays on this server, and only you can see it and its result.",
    sent_to: |provider| {
        format!(
            "Your photo is sent to {provider} to be restored, under their terms; here only you can see it and \
             its result."
        )
    },
    both_deleted: |span| {
        format!(" Both are deleted {span} after it is done, or as soon as you delete them.")
    },
    restore_it: "Restore it",
    uploading: "Uploading …",
    samples_heading: "No old photo at hand? Try one of these:",
    samples: ["Portrait", "Cameraman", "Coffee"],
    sample_before: "An old, faded photo with scratches",
    sample_after: "That photo restored",

    left,
    spent,

    stage,
    all_words: "Full prompt",
    progress: "Progress",
    ahead: |jobs| match jobs {
        1 => message(Message::AheadOne).into(),
        _ => message(Message::Ahead).replace("{}", &jobs.to_string()),
    },
    usually: |span| format!("usually about {span}"),
    another_try: |number| format!("Attempt {number}. The last one failed."),
    late: "This is taking longer than usual. You can close the page and come back; it keeps running.",
    call_off: "Cancel",
    notify: "Notify me",
    will_notify: "You will be notified.",
    paint_again: "Paint again",
    paint_new: "Paint a new one",
    try_again: "Try again",
    after_all: "Paint it anyway",
    send_again: "Send again",
    another_photo: "Choose another photo",
    a_photo: "Choose a photo",
    change_words: "Edit prompt",
    copy_words: "Copy prompt",
    words_copied: "Prompt copied",
    edit: "Edit",
    edit_how: "What should change?",
    edit_example: "Make it snow",
    edit_it: "Apply the change",
    enlarge: "Enlarge",
    copy_link: "Share",
    link_copied: "Link copied",
    make_link: "Make a link",
    give_link: [
        "Anyone with the link to this page can delete it. Give others ",
        "this link",
        ".",
    ],
    share: "Share again",
    unshare: "Stop sharing",
    delete: "Delete",
    delete_now: "Delete now",
    deleted: "Deleted. ",
    download: "Download",
    more: "More",
    without_words: "Without embedded prompt",
    without_place: "Without date and location",
    shared: "An identical request was running; you share its result.",
    earlier_picture: "An earlier picture",
    painted_before_like: |ago| format!("{} for a prompt with the same meaning", painted(ago)),
    painted_like: |ago| {
        format!(
            ", painted {} for a prompt with the same meaning",
            ago.unwrap_or("before")
        )
    },
    alike: |per_cent| format!(", {per_cent}\u{a0}% alike."),
    same_words: |ago| format!("{} for the same prompt.", painted(ago)),
    same_photo: "This very photo was restored before.",
    edited: "Made from",
    enlarged: "Enlarged",
    repaired: "Repaired",
    colours: "Colours",
    left_out: "Left out",
    took: "Took",
    cost: "Cost",
    model: "Model",
    another: "another picture",
    times: |factor| format!("{factor}x"),
    black_and_white: "Black and white",
    painted_over: "What you painted over",
    no_reason: "Something went wrong.",
    seen_by_address: "Anyone with the link to this page can see it.",
    seen_by_key: "Only those who have the link to this page can see this, and delete it.",
    seen_by_link: "Shared with you by a link.",
    seen_by_you: "Only you can see this.",
    page_closed: "Only you can see this page. Anyone with the picture’s direct link can still see the picture.",
    deleted_soon: " It will be deleted shortly.",
    deleted_in: |span| format!(" It will be deleted in {span}."),

    restored_photo: "A restored photo",
    photo_to_restore: "A photo to restore",
    photo_restored: "The photo, restored",
    photo_as_sent: "Your photo",
    photo_as_it_was: "The original photo",
    picture_of: |prompt, number, all| format!("{prompt}, picture {number} of {all}"),
    choose_picture: "Choose a picture",
    before: "Before",
    after: "After",
    how_much_before: "How much of the original to show, in percent",
    hold: "Hold for original",
    side_by_side: "Side by side",
    only_changes: "Changes only",
    actual_size: "Actual size",
    wall: "Recent",
    everything: "Your gallery",

    picture: "Picture",
    photo: "Photo",
    job_description: "A picture made in this studio.",
    another_picture: "Paint another picture",
    restore_another: "Restore another photo",
    looks_again: "This page refreshes every two seconds. Cancelling needs JavaScript.",

    gallery_description: "Your gallery in this studio.",
    back_to_newest: "Back to the newest",
    nothing_yet: "Nothing yet. What you paint or restore appears here.",
    paint_a_picture: "Paint a picture",
    none: "No matches.",
    clear: "Clear",
    found: |number, more| match more {
        false => format!("{number} found."),
        true => format!("More than {number} found."),
    },
    words_of_prompt: "Search prompts",
    kind: "Kind",
    all: "All",
    pictures: "Pictures",
    photos: "Photos",
    search: "Search",
    older: "Older",
    choose_all: "Choose all",
    favourites: "Favourites",
    favourite: |name| format!("“{name}” is a favourite"),
    favour: "Add to favourites",
    unfavour: "Remove from favourites",
    folder: "Folder",
    all_folders: "All folders",
    folder_name: "Name of the folder",
    move_there: "Move",
    out_of_folder: "Out of this folder",
    download_chosen: "Download chosen",
    delete_chosen: "Delete chosen",
    choose: |name| format!("Choose “{name}”"),
    undo: "Undo",
    newer_picture: "Newer picture",
    older_picture: "Older picture",
    all_about_it: "Details",
    view_large: "View larger",
    use_again: "Use again",

    share_alt: "The word Atelier beside a sailing boat at sunset, painted and framed",
    problem_description: "A page that could not be shown.",
    back_where: "Back",
    nothing_here: [
        "Page not found",
        "There is nothing at this address. The page may have moved, or the address may be mistyped.",
        "To the studio",
    ],
    job_gone: [
        "This picture is no longer here",
        "Deleted or expired: there is no picture at this address.",
        "Paint a new one",
    ],
    store_away: [
        "Back in a minute",
        "The studio cannot reach its records right now. Nothing is lost; please try again in a minute.",
        "Try again",
    ],
    away_note: "The studio cannot reach its records right now: your pictures cannot be shown, and no new ones can be \
        started. Nothing is lost; please try again in a minute.",

    just_now: "just now",
    yesterday: "yesterday",
    ago: |span| format!("{span} ago"),
    days_ago: |days| format!("{days} days ago"),
    units: ["seconds", "minutes", "hours", "days"],
    money: |digits| format!("${digits}"),
    next_to_nothing: "less than $0.001",
};

fn message(message: Message) -> &'static str {
    match message {
        Message::NoAnswer => "The studio did not answer. Check the connection and try again.",
        Message::Resuming => "Connection lost. The upload goes on by itself once it is back.",
        Message::Refused => "The studio could not accept this. Try again in a minute.",
        Message::Ready => "Ready",
        Message::Gone => "Deleted or expired.",
        Message::GivenUp => "Still no connection. Your job keeps running: reload this page later.",
        Message::Unreachable => "Connection lost, trying again.",
        Message::NotSent => "That did not go through. Try again.",
        Message::AheadOne => "1 picture ahead of yours",
        Message::Ahead => "{} pictures ahead of yours",
        Message::Deleted => "{} deleted.",
        Message::Sure => "Delete this picture?",
        Message::SureOfAll => "Delete all {} pictures?",
        Message::SureOfPhoto => {
            "Delete this photo and its restored version? This cannot be undone."
        }
        Message::PhotoDeleted => "The photo and its restored version are deleted.",
        Message::NothingPainted => "First paint over what should change.",
        Message::NoPhoto => {
            "This file is not a photo we can read. Choose a JPEG, PNG, WebP, GIF, BMP or TIFF."
        }
        Message::Empty => "This file is empty. Choose another one.",
        Message::TooLarge => "This file is {}; the limit is {}.",
        Message::TooManyPixels => "This photo has {} megapixels; the limit is {}.",
        Message::More => "{} and {} more",
        Message::Place => "{} of {}",
        Message::Chosen => "{} chosen",
        Message::Most => "At most {} can be downloaded at once.",
        Message::TooMany => "At most {} pictures can be attached.",
    }
}

fn stage(job: &Job) -> &'static str {
    let picture = job.kind == Kind::Image;
    match job.status {
        Status::Queued if job.attempt > 0 => "Trying again soon",
        Status::Queued if job.position == Some(0) => "Next in line",
        Status::Queued => "Waiting in line",
        Status::Running if job.attempt > 1 => "Trying again",
        Status::Running if picture => "Painting",
        Status::Running => "Restoring",
        Status::Delivering => "Putting it in its frame",
        Status::Succeeded if picture => "The picture is ready",
        Status::Succeeded => "The photo is ready",
        Status::Failed if picture => "This picture did not work out",
        Status::Failed => "This photo could not be restored",
        Status::Cancelled => "Cancelled",
    }
}

fn painted(ago: Option<&str>) -> String {
    format!("Painted {}", ago.unwrap_or("before"))
}

fn left(limit: &Left) -> String {
    let Left { left, all, .. } = limit;
    let things = things(limit.kind);
    let today = if limit.today { " today" } else { "" };
    match &limit.renewal {
        Some(renewal) => format!("{left} of {all} {things} left{today}, renews in {renewal}."),
        None => format!("{left} of {all} {things} left{today}."),
    }
}

fn spent(limit: &Spent<'_>) -> String {
    let Spent { back, today, .. } = limit;
    let still = match limit.kind {
        Kind::Image => "Pictures painted before stay available.",
        Kind::Restoration => "Photos restored before are in the gallery.",
    };
    match limit.unit {
        "usd" => {
            let today = if *today { " for today" } else { "" };
            format!("The studio's budget{today} is spent. Come back in {back}. {still}")
        }
        "images" => {
            let (things, today) = (
                things(limit.kind),
                if *today { " today" } else { " for now" },
            );
            format!("No {things} left{today}. Come back in {back}. {still}")
        }
        _ => format!("Too fast. Try again in {back}."),
    }
}

fn things(kind: Kind) -> &'static str {
    match kind {
        Kind::Image => "pictures",
        Kind::Restoration => "photos",
    }
}
