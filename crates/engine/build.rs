//! Makes cargo rebuild this crate when the sources that travel inside it change (`include_dir!` alone does not).

fn main() {
    for path in [
        "../loopbot/src",
        "../loopbot/Cargo.toml",
        "../runtime/src",
        "../runtime/Cargo.toml",
        "../../Cargo.toml",
        "../../Cargo.lock",
    ] {
        println!("cargo:rerun-if-changed={path}");
    }
}
