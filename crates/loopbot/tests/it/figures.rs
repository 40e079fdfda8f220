//! The figures of `images/` are those that the code draws today.

#[allow(dead_code)] // its `main` draws them into the folder
#[path = "../../examples/figures.rs"]
mod drawing;

#[test]
fn figures_are_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../images/timeline.svg");
    let drawn = std::fs::read_to_string(path).unwrap_or_default();
    let today = drawing::three_dishes()
        .picture(&loopbot::Words::default())
        .svg();
    assert!(
        drawn == today,
        "draw them again: cargo run -p loopbot --example figures"
    );
}
