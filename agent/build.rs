//! Link options of the small agent.

use std::env;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=agent.ld");
    // The profile `agent` alone optimizes for size; it aborts on a panic, so that nothing ever unwinds.
    if env::var("OPT_LEVEL").as_deref() == Ok("z") {
        let script = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("agent.ld");
        for option in
            [format!("-T,{}", script.display()), "--no-eh-frame-hdr".to_owned(), "-z,pack-relative-relocs".to_owned()]
        {
            println!("cargo::rustc-link-arg-bin=cc-agent=-Wl,{option}");
        }
    }
}
