//! The route table and the document around every page.

use leptos::{nonce::use_nonce, prelude::*};

use crate::{
    data::{Data, Problem, Unavailable, Wanted},
    pages::{self, Content, Document, Social},
    parts::{fixed::Fixed, viewer::viewer},
    texts::{Language, Message, Texts},
};
use atelier_api::Kind;

/// Maximum length of a search, in characters.
const LONGEST_SEARCH: usize = 200;

/// A page of the site.
#[derive(Debug, Clone, PartialEq)]
pub enum Page {
    /// `/`: the art generator.
    Art(Draft),
    /// `/restore`
    Restore,
    /// `/gallery`
    Gallery(Wanted),
    /// `/jobs/{id}`, by a link with a key or without.
    Job { id: String, key: Option<String> },
    /// A refused form, with the reason.
    Problem(Problem),
    /// Everything else.
    NotFound,
}

/// What fills in the art generator's form.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    /// An earlier job.
    pub from: Option<String>,
    /// The idea of this number.
    pub idea: Option<usize>,
    /// The example of this number, with its style.
    pub example: Option<usize>,
    /// The operator's preset of this number.
    pub preset: Option<usize>,
}

impl Page {
    /// The page at a path; `query` is the part of the URL after `?`.
    pub fn for_path(path: &str, query: Option<&str>) -> Self {
        match path {
            "/" => Self::Art(Draft {
                from: parameter(query, "from").and_then(job_id),
                idea: number(query, "idea"),
                example: number(query, "example"),
                preset: number(query, "preset"),
            }),
            "/restore" => Self::Restore,
            "/gallery" => Self::Gallery(wanted(query)),
            _ => path
                .strip_prefix("/jobs/")
                .and_then(job_id)
                .map_or(Self::NotFound, |id| Self::Job {
                    id,
                    // Owners by a key have theirs in the path, and a link's key in the query.
                    key: parameter(query, "link")
                        .or_else(|| parameter(query, "key"))
                        .and_then(job_id),
                }),
        }
    }
}

/// The value of a query parameter, without percent-decoding.
fn parameter<'a>(query: Option<&'a str>, name: &str) -> Option<&'a str> {
    query?
        .split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn number(query: Option<&str>, name: &str) -> Option<usize> {
    parameter(query, name)?.parse().ok()
}

fn wanted(query: Option<&str>) -> Wanted {
    let mut wanted = Wanted::default();
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match name.as_ref() {
            "q" => wanted.words = value.trim().chars().take(LONGEST_SEARCH).collect(),
            "kind" => {
                wanted.kind = Kind::named(&value);
                wanted.favourites = value == "favourite";
            }
            "folder" => {
                wanted.folder = Some(value.into_owned()).filter(|name| !name.is_empty());
            }
            "before" => wanted.before = job_id(&value),
            _ => {}
        }
    }
    wanted
}

/// Ids consist of letters, digits, `-` and `_`.
fn job_id(text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (!text.is_empty() && text.len() <= 64 && text.chars().all(plain)).then(|| text.to_owned())
}

/// The built assets that every page refers to.
#[derive(Debug)]
pub struct Assets {
    /// The address of the style sheet.
    pub css: String,
    /// The address of the font that headings are set in.
    pub font: String,
    /// The script that hydrates the islands.
    boot: String,
}

impl Assets {
    /// Takes addresses such as `/assets/frontend.ab12.js`: those of the islands, and those of what is needed later.
    pub fn new([js, wasm, later_js, later_wasm]: [&str; 4], css: String, font: String) -> Self {
        let addresses = [
            ("{js}", js),
            ("{wasm}", wasm),
            ("{later_js}", later_js),
            ("{later_wasm}", later_wasm),
        ];
        let boot = String::from(include_str!("boot.js"));
        let fill = |boot: String, (gap, address): (&str, &str)| boot.replace(gap, address);
        Self {
            css,
            font,
            boot: addresses.into_iter().fold(boot, fill),
        }
    }
}

/// Loads what a page needs, for the caller of `data`.
pub async fn load(page: Page, data: &dyn Data) -> Content {
    gather(page, data)
        .await
        .unwrap_or_else(|Unavailable| pages::problem::unavailable(data))
}

async fn gather(page: Page, data: &dyn Data) -> Result<Content, Unavailable> {
    match page {
        Page::Art(draft) => pages::art::load(data, draft).await,
        Page::Restore => Ok(pages::restore::load(data).await),
        Page::Gallery(wanted) => pages::gallery::load(data, wanted).await,
        Page::Job { id, key } => pages::job::load(data, &id, key.as_deref()).await,
        Page::Problem(problem) => Ok(pages::problem::refused(data, problem)),
        Page::NotFound => Ok(pages::problem::not_found(data)),
    }
}

/// The whole HTML document around a page; its inline scripts carry the nonce in
/// the context.
pub fn shell(content: Content, assets: &Assets) -> impl IntoView + use<> {
    // Only the islands are hydrated.
    if let Some(context) = Owner::current_shared_context() {
        context.set_is_hydrating(false);
    }
    let nonce = use_nonce().map(|nonce| nonce.to_string());
    let Content {
        title,
        description,
        here,
        refresh,
        engine,
        document,
        social,
        body,
        ..
    } = content;
    let language = document.language;
    let t = language.texts();
    let social = social.unwrap_or_else(|| Social::of_studio(&document));
    let social = preview(social, &title, description);
    let title = format!("{title} · Atelier");
    let current = move |path: &str| (here == path).then_some("page");
    view! {
        <!DOCTYPE html>
        <html lang=language.tag() dir=language.direction() data-owner=document.owner.clone()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <title>{title}</title>
                <meta name="description" content=description />
                <meta name="color-scheme" content="light dark" />
                <meta name="theme-color" content="#f3eee4" media="(prefers-color-scheme: light)" />
                <meta name="theme-color" content="#15110d" media="(prefers-color-scheme: dark)" />
                <link rel="icon" href="/favicon.ico" sizes="32x32" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="apple-touch-icon" href="/apple-touch-icon.png" />
                <link rel="manifest" href="/manifest.webmanifest" />
                {social}
                // Before the style sheet, which would delay them. Two scripts: old browsers cannot parse the second.
                <script nonce=nonce.clone() inner_html=include_str!("plain.js")></script>
                <script nonce=nonce inner_html=assets.boot.clone()></script>
                <link rel="stylesheet" href=assets.css.clone() />
                {refresh.then(|| view! { <noscript><meta http-equiv="refresh" content="2" /></noscript> })}
            </head>
            <body>
                <a class="skip" href="#main">{t.skip}</a>
                <header class="top">
                    <a class="mark" href="/">"Atelier"</a>
                    <nav aria-label=t.site>
                        <a href="/" aria-current=current("/")>{t.paint}</a>
                        <a href="/restore" aria-current=current("/restore")>{t.restore}</a>
                        <a href="/gallery" aria-current=current("/gallery")>{t.gallery}</a>
                    </nav>
                </header>
                <main id="main" tabindex="-1">{body()}</main>
                <footer class="foot">
                    <p>{engine}</p>
                    <button type="button" class="scripted keys" data-keys>{t.keys}</button>
                    {languages(&document)}
                </footer>
                <p id="announcer" class="unseen" role="status"></p>
                {VIEWER.show(language, || viewer(t))}
                {SHEET.show(language, || sheet(t))}
                {MESSAGES.show(language, || messages(t))}
            </body>
        </html>
    }
}

/// What other sites show of a page.
fn preview(social: Social, title: &str, description: &str) -> impl IntoView + use<> {
    let property = |name: &'static str, content: String| {
        view! { <meta content=content /> }.attr("property", name)
    };
    view! {
        {property("og:site_name", "Atelier".into())}
        {property("og:type", social.kind.into())}
        {property("og:title", title.to_owned())}
        {property("og:description", description.to_owned())}
        {property("og:url", social.address)}
        {property("og:image", social.image)}
        {property("og:image:type", "image/jpeg".into())}
        {property("og:image:width", social.width.to_string())}
        {property("og:image:height", social.height.to_string())}
        {property("og:image:alt", social.alt)}
        <meta name="twitter:card" content="summary_large_image" />
    }
}

/// Links to the same page in the other languages.
fn languages(document: &Document) -> impl IntoView + use<> {
    let t = document.language.texts();
    let joint = if document.address.contains('?') {
        '&'
    } else {
        '?'
    };
    let others = Language::ALL
        .into_iter()
        .filter(|language| *language != document.language);
    let links = others.map(|language| {
        let tag = language.tag();
        let address = format!("{}{joint}lang={tag}", document.address);
        view! { <a href=address hreflang=tag lang=tag dir=language.direction() rel="nofollow">{language.name()}</a> }
    });
    view! { <nav aria-label=t.language>{links.collect_view()}</nav> }
}

/// The messages that scripts show, one per line.
fn messages(t: &Texts) -> impl IntoView + use<> {
    let lines = Message::ALL.map(t.message).join("\n");
    view! { <div id="said" hidden>{lines}</div> }
}

static MESSAGES: Fixed = Fixed::new();

static VIEWER: Fixed = Fixed::new();

static SHEET: Fixed = Fixed::new();

/// The keys there are.
fn sheet(t: &'static Texts) -> impl IntoView {
    let keys = [
        t.key_send,
        ["/", t.key_write],
        ["← →", t.key_walk],
        ["+ −", t.key_zoom],
        t.key_delete,
        t.key_close,
        ["?", t.key_keys],
    ];
    let rows =
        keys.map(|[key, what]| view! { <dt><kbd dir="ltr">{key}</kbd></dt> <dd>{what}</dd> });
    view! {
        <dialog class="keys-sheet" data-sheet aria-labelledby="keys-title">
            <h2 id="keys-title">{t.keys}</h2>
            <dl>{rows.into_iter().collect_view()}</dl>
            <form method="dialog">
                <label class="tick">
                    <input type="checkbox" data-off autocomplete="off" />
                    <span>{t.keys_off}</span>
                </label>
                <button type="submit">{t.close}</button>
            </form>
        </dialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_pages() {
        assert_eq!(Page::for_path("/", None), Page::Art(Draft::default()));
        let draft = Draft {
            from: Some("0190-ab".into()),
            ..Draft::default()
        };
        let path = Page::for_path("/", Some("a=1&from=0190-ab"));
        assert_eq!(path, Page::Art(draft));
        let draft = Draft {
            idea: Some(3),
            example: Some(1),
            ..Draft::default()
        };
        let path = Page::for_path("/", Some("from=../etc&idea=3&example=1"));
        assert_eq!(path, Page::Art(draft));
        let search = Page::for_path("/gallery", Some("q=a+r%C3%B6d%20boat&kind=image&before=7"));
        let wanted = Wanted {
            words: "a röd boat".into(),
            kind: Some(Kind::Image),
            before: Some("7".into()),
            ..Wanted::default()
        };
        assert_eq!(search, Page::Gallery(wanted));
        let search = Page::for_path("/gallery", Some("kind=favourite&folder=%C3%A9t%C3%A9"));
        let wanted = Wanted {
            favourites: true,
            folder: Some("été".into()),
            ..Wanted::default()
        };
        assert_eq!(search, Page::Gallery(wanted));
        assert_eq!(Page::for_path("/restore", None), Page::Restore);
        let job = |key: Option<&str>| Page::Job {
            id: "7".into(),
            key: key.map(str::to_owned),
        };
        assert_eq!(Page::for_path("/jobs/7", None), job(None));
        assert_eq!(Page::for_path("/jobs/7", Some("key=a-_")), job(Some("a-_")));
        assert_eq!(
            Page::for_path("/jobs/7", Some("key=a&link=b")),
            job(Some("b"))
        );
        for path in ["/jobs/", "/jobs/a/b", "/jobs/%3C", "/nowhere"] {
            assert_eq!(Page::for_path(path, None), Page::NotFound, "{path}");
        }
    }
}
