//! The one place that prints: hands a bundle of MIME forms to the notebook. Decides nothing about their content.

use std::io::Write as _;

/// One value in several forms, best first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bundle(Vec<(&'static str, String)>);

impl Bundle {
    pub(crate) fn with(mut self, mime: &'static str, text: String) -> Bundle {
        self.0.push((mime, text));
        self
    }

    /// The protocol of Rust kernels for rich output: blocks that follow each other directly are one display.
    pub(crate) fn to_blocks(&self) -> String {
        let mut blocks = String::new();
        for (mime, text) in &self.0 {
            blocks += &format!("EVCXR_BEGIN_CONTENT {mime}\n{text}\nEVCXR_END_CONTENT\n");
        }
        blocks
    }

    /// Writes the blocks in one go, so that nothing another thread prints comes between them.
    pub(crate) fn show(&self) {
        let mut stdout = std::io::stdout().lock();
        // A notebook that went away is no reason to panic in its cell.
        let _ = stdout.write_all(self.to_blocks().as_bytes());
        let _ = stdout.flush();
    }
}
