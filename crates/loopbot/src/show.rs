//! The one place that prints: hands a bundle of MIME forms, or a line of text, to the notebook. Decides nothing about
//! their content.

use std::io::Write as _;

/// One value in several forms, best first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bundle(Vec<(&'static str, String)>);

impl Bundle {
    pub(crate) fn with(mut self, mime: &'static str, text: String) -> Bundle {
        self.0.push((mime, text));
        self
    }

    /// The protocol of Rust kernels for rich output: blocks that follow each other directly are one display. LoopBot's
    /// kernel lets a later display of the same `id` take the place of an earlier one.
    pub(crate) fn to_blocks(&self, id: Option<&str>) -> String {
        let mut blocks = String::new();
        let id = id.map(|id| format!(" loopbot-id={id}")).unwrap_or_default();
        for (mime, text) in &self.0 {
            blocks += &format!("EVCXR_BEGIN_CONTENT {mime}{id}\n{text}\nEVCXR_END_CONTENT\n");
        }
        blocks
    }

    /// Shows the forms as an output of the cell.
    pub(crate) fn show(&self) {
        self.show_in_place(None);
    }

    /// Shows the forms in the place of those shown before under `id`. Only where [`updates_are_understood`].
    pub(crate) fn show_in_place(&self, id: Option<&str>) {
        write(&self.to_blocks(id));
    }
}

impl From<Vec<(&'static str, String)>> for Bundle {
    fn from(forms: Vec<(&'static str, String)>) -> Bundle {
        Bundle(forms)
    }
}

/// Whether the kernel lets one display take the place of an earlier one.
pub(crate) fn updates_are_understood() -> bool {
    std::env::var_os("LOOPBOT_DISPLAY_UPDATES").is_some()
}

/// Prints a line of text.
pub(crate) fn line(text: &str) {
    write(&format!("{text}\n"));
}

/// Writes in one go, so that nothing another thread prints comes between.
fn write(text: &str) {
    let mut stdout = std::io::stdout().lock();
    // A notebook that went away is no reason to panic in its cell.
    let _ = stdout.write_all(text.as_bytes());
    let _ = stdout.flush();
}
