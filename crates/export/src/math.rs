//! LaTeX formulas into MathML, at build time. What cannot be converted is shown as it was typed, with the reason.

use math_core::{LatexToMathML, MathCoreConfig, MathDisplay};

use crate::escape::escape;

/// The MathML of one formula.
pub(crate) fn mathml(latex: &str, is_display: bool) -> String {
    let display = match is_display {
        true => MathDisplay::Block,
        false => MathDisplay::Inline,
    };
    let latex = latex.trim();
    let converted = LatexToMathML::new(MathCoreConfig::default())
        .map_err(|_| "no converter".to_owned())
        .and_then(|converter| {
            let result = converter.convert_with_local_state(latex, display);
            result.map_err(|error| error.to_string())
        });
    match converted {
        Ok(result) => result.mathml,
        Err(reason) => format!(
            "<code class=\"math-error\" title=\"{}\">{}</code>",
            escape(&reason),
            escape(latex)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::mathml;

    #[test]
    fn formulas_become_mathml_and_broken_ones_stay_readable() {
        let html = mathml(r"S(n) = \frac{1}{(1-p) + p/n}", true);
        assert!(html.starts_with("<math display=\"block\">"), "{html}");
        assert!(html.contains("<mfrac>"), "{html}");
        let html = mathml(r"\frac{1", false);
        assert!(html.contains("math-error"), "{html}");
        assert!(html.ends_with(r"\frac{1</code>"), "{html}");
    }
}
