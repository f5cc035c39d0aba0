//! The second WebAssembly module: what pages need only after a click, without Leptos. `boot.js` loads it when the
//! browser is idle, or at once on the first click that needs it.
#![cfg(target_arch = "wasm32")]

use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the page once the module is loaded.
#[wasm_bindgen]
pub fn wake() {
    atelier_app::later::wake();
}
