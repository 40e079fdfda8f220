//! Python scripts beside a cell. Where there is no Python, the tests only check that this is said.

use loopbot::prelude::*;
use loopbot::{PythonEnding, python_within};

fn check(script: &str, expected: &str) {
    let run = python(script);
    if let PythonEnding::Missing(_) = run.ending {
        return;
    }
    assert!(run.text().contains(expected), "{}", run.text());
}

#[test]
fn output_errors_and_time_limit() {
    check(
        "\n    for n in range(3):\n        print(n)\n",
        "0\n1\n2\n(python3, ",
    );
    check("1/0", "File \"script.py\", line 1");
    check("1/0", "(python3 ended with exit status: 1 after");
    let run = python_within(
        Duration::from_millis(300),
        "print('first', flush=True)\nwhile True: pass",
    );
    if !matches!(run.ending, PythonEnding::Missing(_)) {
        assert_eq!(run.ending, PythonEnding::TimeUp);
        assert!(
            run.text().contains("(python3 was stopped"),
            "{}",
            run.text()
        );
    }
    assert_eq!(python_version().is_some(), python("pass").worked());
}

#[test]
fn no_python_is_said_and_not_raised() {
    let (output, _) = crate::in_child("python::no_python_is_said_and_not_raised", || {
        // SAFETY: this process has no other thread that reads the environment.
        unsafe { std::env::set_var("LOOPBOT_PYTHON", "/no/such/python") };
        let run = python("print(1)");
        assert!(!run.worked() && python_version().is_none());
        run.show();
    });
    assert!(
        output.contains("(python3 cannot be run here: /no/such/python: "),
        "{output}"
    );
}
