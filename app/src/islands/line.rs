//! The right to wait for an answer, of which a browser has few.

use std::cell::Cell;

use js_sys::{Function, Promise};
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;

/// Questions of all tabs that may wait for their answer, as names of locks. Browsers open six connections to a
/// site, and need some for what the visitor does.
const LINES: [&str; 2] = ["news-1", "news-2"];

thread_local! {
    /// Whether a question of this page waits, where there are no locks.
    static WAITING: Cell<bool> = const { Cell::new(false) };
}

#[wasm_bindgen]
extern "C" {
    /// The promise of a lock.
    type Requested;
    #[wasm_bindgen(method, js_name = catch)]
    fn or_else(this: &Requested, refused: &Function);

    /// How a lock is requested.
    #[wasm_bindgen(js_name = Object)]
    type Locking;
    #[wasm_bindgen(constructor, js_class = "Object")]
    fn new() -> Locking;
    #[wasm_bindgen(method, setter, js_name = ifAvailable)]
    fn set_if_available(this: &Locking, value: bool);

    /// Calls `held` with the lock, or with null while it is another's; it is held until what `held` promises.
    /// Only where a site is trusted there are any.
    #[wasm_bindgen(js_namespace = ["navigator", "locks"], js_name = request, catch)]
    fn request(name: &str, options: &JsValue, held: &JsValue) -> Result<Requested, JsValue>;
}

/// The right to wait for an answer, until it is dropped.
pub(super) enum Line {
    /// Of all tabs; the function gives the lock back.
    Ours(Function),
    /// Of this page.
    Own,
}

impl Line {
    pub(super) async fn free() -> Option<Self> {
        for name in LINES {
            let told = JsFuture::from(lock(name)).await.ok()?;
            match told.dyn_into::<Function>() {
                Ok(give_back) => return Some(Self::Ours(give_back)),
                Err(told) if told.is_null() => {}
                Err(_) => return (!WAITING.replace(true)).then(|| Self::Own),
            }
        }
        None
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        match self {
            Self::Ours(give_back) => {
                let _ = give_back.call0(&JsValue::NULL);
            }
            Self::Own => WAITING.set(false),
        }
    }
}

/// The function that gives the lock back, null where it is another's, and anything else where there are no locks.
fn lock(name: &str) -> Promise {
    Promise::new(&mut |told, _| {
        let tell = told.clone();
        let held = Closure::once_into_js(move |lock: JsValue| {
            let tell = |what: &JsValue| {
                let _ = tell.call1(&JsValue::NULL, what);
            };
            if lock.is_null() {
                tell(&lock);
                return lock;
            }
            Promise::new(&mut |give_back, _| tell(&give_back)).into()
        });
        let options = Locking::new();
        options.set_if_available(true);
        match request(name, &options, &held) {
            Ok(requested) => requested.or_else(&told),
            Err(_) => {
                let _ = told.call0(&JsValue::NULL);
            }
        }
    })
}
