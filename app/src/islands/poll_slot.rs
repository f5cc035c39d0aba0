//! Limits the long polls of a browser, over all its tabs.

use std::cell::Cell;

use js_sys::{Function, Promise};
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;

/// Names of the locks that long polls hold, shared by all tabs. Browsers open at most six connections to a site,
/// and need some for what the visitor does.
const SLOTS: [&str; 2] = ["news-1", "news-2"];

thread_local! {
    /// Whether a long poll of this page is waiting, in browsers without locks.
    static WAITING: Cell<bool> = const { Cell::new(false) };
}

#[wasm_bindgen]
extern "C" {
    /// The promise of a lock request.
    type Requested;
    #[wasm_bindgen(method, js_name = catch)]
    fn or_else(this: &Requested, refused: &Function);

    /// Options of a lock request.
    #[wasm_bindgen(js_name = Object)]
    type Locking;
    #[wasm_bindgen(constructor, js_class = "Object")]
    fn new() -> Locking;
    #[wasm_bindgen(method, setter, js_name = ifAvailable)]
    fn set_if_available(this: &Locking, value: bool);

    /// Calls `held` with the lock, or with null if it is taken; the lock is held until the promise that `held`
    /// returns is settled. Available in secure contexts only.
    #[wasm_bindgen(js_namespace = ["navigator", "locks"], js_name = request, catch)]
    fn request(name: &str, options: &JsValue, held: &JsValue) -> Result<Requested, JsValue>;
}

/// Permission for one long poll, until dropped.
pub(super) enum PollSlot {
    /// One of those shared by all tabs; the function releases the lock.
    Shared(Function),
    /// The only one of this page.
    Local,
}

impl PollSlot {
    pub(super) async fn acquire() -> Option<Self> {
        for name in SLOTS {
            let answer = JsFuture::from(lock(name)).await.ok()?;
            match answer.dyn_into::<Function>() {
                Ok(release) => return Some(Self::Shared(release)),
                Err(answer) if answer.is_null() => {}
                Err(_) => return (!WAITING.replace(true)).then(|| Self::Local),
            }
        }
        None
    }
}

impl Drop for PollSlot {
    fn drop(&mut self) {
        match self {
            Self::Shared(release) => {
                let _ = release.call0(&JsValue::NULL);
            }
            Self::Local => WAITING.set(false),
        }
    }
}

/// Resolves to the function that releases the lock, to null if it is taken, or to anything else if there are no
/// locks.
fn lock(name: &str) -> Promise {
    Promise::new(&mut |resolve, _| {
        let resolved = resolve.clone();
        let held = Closure::once_into_js(move |lock: JsValue| {
            let resolve = |what: &JsValue| {
                let _ = resolved.call1(&JsValue::NULL, what);
            };
            if lock.is_null() {
                resolve(&lock);
                return lock;
            }
            Promise::new(&mut |release, _| resolve(&release)).into()
        });
        let options = Locking::new();
        options.set_if_available(true);
        match request(name, &options, &held) {
            Ok(requested) => requested.or_else(&resolve),
            Err(_) => {
                let _ = resolve.call0(&JsValue::NULL);
            }
        }
    })
}
