//! Where the browser starts: it brings the islands of a page to life and nothing else. A crate of its own, because one that becomes
//! WebAssembly too is also linked into a library whenever it is compiled for the server, and whoever uses it has to wait for that.

#![cfg(target_arch = "wasm32")]

use app as _;

/// Called by the loader once the module is there.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}
