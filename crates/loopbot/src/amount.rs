//! Durations, counts and ratios in words that a reader takes in at a glance. Knows no measurement: only its text.

use std::time::Duration;

/// A duration with three digits at most and the unit that fits: `24 s`, `12.6 s`, `0.60 s`, `13 ms`, `340 µs`, `85 ns`.
pub(crate) fn duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let seconds = duration.as_secs_f64();
    match nanos {
        0 => "0 s".into(),
        1..1_000 => format!("{nanos} ns"),
        1_000..9_950 => format!("{:.1} µs", seconds * 1e6),
        9_950..999_500 => format!("{:.0} µs", seconds * 1e6),
        999_500..9_950_000 => format!("{:.1} ms", seconds * 1e3),
        9_950_000..99_500_000 => format!("{:.0} ms", seconds * 1e3),
        99_500_000..9_995_000_000 => format!("{seconds:.2} s"),
        9_995_000_000..99_950_000_000 => trimmed(format!("{seconds:.1}")) + " s",
        _ => format!("{} s", count(seconds.round() as usize)),
    }
}

/// A duration in seconds with two decimals, for sentences that compare several: `0.60 s`.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

/// A whole number with commas: `100,000`.
pub(crate) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun: `1 poll`, `2 polls`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// A ratio: `1.9`, `12`, `1,200`.
pub(crate) fn ratio(ratio: f64) -> String {
    match ratio {
        r if !r.is_finite() => "–".into(),
        r if r < 1.095 => format!("{r:.2}"),
        r if r < 9.95 => format!("{r:.1}"),
        r => count(r.round() as usize),
    }
}

/// Words in a row: `a`, `a and b`, `a, b and c`.
pub(crate) fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// Ticks for an axis from 0 to `end`: at most eight, at 1, 2 or 5 times a power of ten.
pub(crate) fn ticks(end: f64) -> Vec<f64> {
    if !(end.is_finite() && end > 0.0) {
        return vec![0.0];
    }
    let rough = end / 7.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough * 0.999)
        .unwrap_or(10.0 * power);
    let number = (end / step + 1e-9).floor() as usize;
    (0..=number).map(|index| index as f64 * step).collect()
}

/// The labels of an axis of `ticks` seconds, all in one unit, and that unit.
pub(crate) fn tick_labels(ticks: &[f64]) -> (Vec<String>, &'static str) {
    let step = ticks.get(1).copied().unwrap_or(1.0);
    let (factor, unit) = match step {
        s if s >= 0.0999 => (1.0, "s"),
        s if s >= 0.0000999 => (1e3, "ms"),
        _ => (1e6, "µs"),
    };
    let decimals = usize::from(step * factor < 0.999);
    let labels = ticks
        .iter()
        .map(|tick| match *tick {
            0.0 => "0".into(),
            tick => format!("{:.decimals$}", tick * factor),
        })
        .collect();
    (labels, unit)
}

fn trimmed(text: String) -> String {
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_at_a_glance() {
        let check = |nanos: u64, expected: &str| {
            assert_eq!(duration(Duration::from_nanos(nanos)), expected);
        };
        check(0, "0 s");
        check(85, "85 ns");
        check(1_240, "1.2 µs");
        check(340_000, "340 µs");
        check(1_240_000, "1.2 ms");
        check(13_400_000, "13 ms");
        check(600_000_000, "0.60 s");
        check(12_600_000_000, "12.6 s");
        check(24_000_000_000, "24 s");
        check(3_600_000_000_000, "3,600 s");
    }

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(
            ticks(0.6),
            [
                0.0,
                0.1,
                0.2,
                0.30000000000000004,
                0.4,
                0.5,
                0.6000000000000001
            ]
        );
        assert_eq!(
            tick_labels(&ticks(24.0)),
            (["0", "5", "10", "15", "20"].map(String::from).to_vec(), "s")
        );
        assert_eq!(tick_labels(&ticks(0.013)).1, "ms");
        assert_eq!(ticks(0.0), [0.0]);
    }

    #[test]
    fn numbers_and_lists() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(
            counted(1, "poll") + &counted(20, " lane"),
            "1 poll20  lanes"
        );
        assert_eq!(list(&["a".into(), "b".into(), "c".into()]), "a, b and c");
        assert_eq!(
            (ratio(1.04), ratio(1.94), ratio(11.6)),
            ("1.04".into(), "1.9".into(), "12".into())
        );
    }
}
