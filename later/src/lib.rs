//! The second WebAssembly module: what pages need only after a click, without Leptos. `boot.js` loads it when the
//! browser is idle, or at once on the first click that needs it.
#![cfg(target_arch = "wasm32")]

use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};
use wasm_bindgen::prelude::wasm_bindgen;

/// Takes 2 kB less of what is downloaded than the default.
#[cfg(not(target_feature = "atomics"))]
#[global_allocator]
static ALLOCATOR: WasmDynamicTalc = new_wasm_dynamic_allocator();

/// Called by the page once the module is loaded.
#[wasm_bindgen]
pub fn wake() {
    atelier_app::later::wake();
}
