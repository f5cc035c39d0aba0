//! The WebAssembly entry: wakes the islands of `atelier-app`, nothing else.

use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the page once the module is loaded.
#[wasm_bindgen]
pub fn hydrate() {
    // Naming the crate links the islands into this module.
    use atelier_app as _;
    leptos::mount::hydrate_islands();
}
