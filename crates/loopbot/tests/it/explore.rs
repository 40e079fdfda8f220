//! Exploring programs: exact outcomes with counts, and how each kind of ending is told.

use std::sync::atomic::Ordering::SeqCst;

use loopbot::explore::sync::atomic::{AtomicBool, AtomicI32};
use loopbot::explore::sync::{Arc, Mutex, RwLock, mpsc};
use loopbot::explore::{hint, thread};
use loopbot::prelude::*;

/// Explores a program and compares the outcomes, as text with counts, and the number of schedules.
fn check<T, F>(program: F, expected: &[(&str, usize)]) -> Exploration<T>
where
    T: std::fmt::Debug + Clone + Ord + Send + 'static,
    F: Fn() -> T + Send + Sync + 'static,
{
    let found = explore(program);
    let outcomes = found.outcomes();
    let outcomes: Vec<(String, usize)> = outcomes
        .iter()
        .map(|(outcome, count)| (outcome.to_string(), *count))
        .collect();
    let outcomes: Vec<(&str, usize)> = outcomes
        .iter()
        .map(|(outcome, count)| (outcome.as_str(), *count))
        .collect();
    assert_eq!(outcomes, expected, "{:?}", found.verdict());
    assert_eq!(
        found.schedules(),
        expected.iter().map(|(_, count)| count).sum::<usize>()
    );
    assert!(found.complete(), "{:?}", found.verdict());
    found
}

fn cinema() -> i32 {
    let seats = Arc::new(AtomicI32::named("seats", 2));
    let buyers = ["Anna", "Ben"].map(|name| {
        let seats = seats.clone();
        thread::spawn_named(name, move || {
            if seats.load(SeqCst) >= 2 {
                seats.fetch_sub(2, SeqCst);
            }
        })
    });
    for buyer in buyers {
        buyer.join().unwrap();
    }
    seats.load(SeqCst)
}

/// Two locks, taken by the second thread in the other order unless `in_order`.
fn two_locks(in_order: bool) {
    let (left, right) = (
        Arc::new(Mutex::named("left", ())),
        Arc::new(Mutex::named("right", ())),
    );
    let (first, second) = if in_order {
        (left.clone(), right.clone())
    } else {
        (right.clone(), left.clone())
    };
    let other = thread::spawn_named("other", move || {
        let _first = first.lock().unwrap();
        let _second = second.lock().unwrap();
    });
    {
        let _left = left.lock().unwrap();
        let _right = right.lock().unwrap();
    }
    other.join().unwrap();
}

#[test]
fn check_then_act_sells_seats_twice() {
    let found = check(cinema, &[("-2", 4), ("0", 2)]);
    assert!(found.ever(|seats| *seats == 0) && !found.always(|seats| *seats >= 0));
    let lost = found.losing(|seats| *seats < 0);
    let steps: Vec<(&str, &str)> = lost
        .steps()
        .into_iter()
        .map(|(thread, text, _)| (thread, text))
        .collect();
    assert_eq!(
        steps,
        [
            ("Anna", "seats.load → 2"),
            ("Ben", "seats.load → 2"),
            ("Ben", "seats.fetch_sub(2): 2 → 0"),
            ("Anna", "seats.fetch_sub(2): 0 → -2"),
            ("main", "seats.load → -2"),
        ]
    );
    assert!(!found.losing(|seats| *seats == 7).is_some());
}

#[test]
fn a_token_replays_its_schedule() {
    let lost = explore(cinema).losing(|seats| *seats < 0);
    let again = replay(lost.token(), cinema);
    assert_eq!(
        (again.outcome(), again.steps()),
        (lost.outcome(), lost.steps())
    );

    let check = |token: &str, expected: &str| {
        let not = replay(token, cinema);
        assert!(
            !not.is_some() && not.verdict()[0].contains(expected),
            "{:?}",
            not.verdict()
        );
    };
    check("nonsense", "is no token");
    check("1-7", "at choice 2 the program is not where it was");
    check("1", "at choice 2");
}

#[test]
fn one_indivisible_step_is_enough() {
    check(
        || {
            let seats = Arc::new(AtomicI32::new(2));
            let buy = |seats: &AtomicI32| {
                seats
                    .fetch_update(SeqCst, SeqCst, |left| (left >= 2).then(|| left - 2))
                    .is_ok()
            };
            let other = thread::spawn({
                let seats = seats.clone();
                move || buy(&seats)
            });
            let mine = buy(&seats);
            (seats.load(SeqCst), mine != other.join().unwrap())
        },
        // Who reads after the other's exchange sees 0 and makes none; counted by hand: 2 + 3 + 3 + 1.
        &[("(0, true)", 9)],
    );
}

#[test]
fn a_mutex_leaves_as_many_schedules_as_orders() {
    let program = || {
        let count = Arc::new(Mutex::new(0));
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let count = count.clone();
                thread::spawn(move || *count.lock().unwrap() += 1)
            })
            .collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        *count.lock().unwrap()
    };
    check(program, &[("3", 6)]);
}

#[test]
fn a_deadlock_names_threads_locks_and_lines() {
    let found = check(|| two_locks(false), &[("()", 4), ("deadlock", 2)]);
    assert_eq!(found.deadlocks(), 2);
    let Some(Outcome::Deadlock(why)) = found.deadlocked().outcome().cloned() else {
        panic!("{:?}", found.verdict());
    };
    let why = scrub_lines(&why);
    assert_eq!(
        why,
        "`main` waits for `right` (line N), which `other` holds since line N; \
         `other` waits for `left` (line N), which `main` holds since line N"
    );
    check(|| two_locks(true), &[("()", 2)]);
}

fn scrub_lines(text: &str) -> String {
    let mut scrubbed = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("line ") {
        scrubbed += before;
        scrubbed += "line N";
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    scrubbed + rest
}

#[test]
fn locking_twice_is_a_deadlock_with_oneself() {
    let found = check(
        || {
            let lock = Mutex::new(0);
            let _first = lock.lock().unwrap();
            let _second = lock.lock().unwrap();
        },
        &[("deadlock", 1)],
    );
    let why = found.verdict().join(" ");
    assert!(
        scrub_lines(&why)
            .contains("`main` waits for Mutex 1 (line N), which it holds itself since line N"),
        "{why}"
    );
}

#[test]
fn try_lock_does_not_wait() {
    let program = || {
        let lock = Arc::new(Mutex::new(()));
        let other = thread::spawn({
            let lock = lock.clone();
            move || lock.try_lock().is_ok()
        });
        let mine = lock.try_lock().is_ok();
        (mine, other.join().unwrap())
    };
    check(
        program,
        &[
            ("(false, true)", 1),
            ("(true, false)", 1),
            ("(true, true)", 2),
        ],
    );
}

#[test]
fn a_panic_is_an_outcome_and_poisons() {
    let program = || {
        let lock = Arc::new(Mutex::new(1));
        let other = thread::spawn({
            let lock = lock.clone();
            move || {
                let _guard = lock.lock().unwrap();
                panic!("dropped the tray");
            }
        });
        let seen = lock.lock().map(|value| *value).map_err(|_| "poisoned");
        let error = other.join().unwrap_err();
        (seen, error.downcast_ref::<String>().cloned())
    };
    check(
        program,
        &[
            (r#"(Ok(1), Some("dropped the tray"))"#, 1),
            (r#"(Err("poisoned"), Some("dropped the tray"))"#, 1),
        ],
    );
    let found = explore(|| if true { panic!("oh no") } else { 1 });
    assert_eq!(found.panics(), 1);
    assert!(found.verdict().len() > 1 && !found.always(|_| true));
    assert!(
        matches!(found.panicked().outcome(), Some(Outcome::Panicked(text)) if text.starts_with("oh no (line"))
    );
}

#[test]
fn scoped_threads_borrow() {
    check(
        || {
            let total = AtomicI32::new(0);
            thread::scope(|scope| {
                for n in [1, 2] {
                    let total = &total;
                    scope.spawn(move || total.fetch_add(n, SeqCst));
                }
            });
            total.into_inner()
        },
        &[("3", 2)],
    );
    let found = explore(|| thread::scope(|scope| drop(scope.spawn(|| panic!("inside")))));
    assert_eq!(found.panics(), 1, "{:?}", found.outcomes());
}

#[test]
fn a_loop_that_waits_ends_if_it_gives_way() {
    let program = |polite: bool| {
        move || {
            let ready = Arc::new(AtomicBool::new(false));
            let other = thread::spawn({
                let ready = ready.clone();
                move || ready.store(true, SeqCst)
            });
            while !ready.load(SeqCst) {
                if polite {
                    hint::spin_loop();
                }
            }
            other.join().unwrap();
        }
    };
    check(program(true), &[("()", 2)]);
    let found = Explorer::new("impolite").steps(30).run(program(false));
    assert!(
        found.endless() > 0 && found.complete(),
        "{:?}",
        found.outcomes()
    );
}

#[test]
fn a_bound_is_said() {
    let program = || {
        let count = Arc::new(AtomicI32::new(0));
        let add = |count: Arc<AtomicI32>| {
            move || {
                for _ in 0..4 {
                    count.fetch_add(1, SeqCst);
                }
            }
        };
        let threads = [
            thread::spawn(add(count.clone())),
            thread::spawn(add(count.clone())),
        ];
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        count.load(SeqCst)
    };
    // 8 steps, 4 of one thread: 8! / (4! 4!) orders.
    check(program, &[("8", 70)]);
    let found = Explorer::new("some").schedules(10).run(program);
    assert_eq!((found.schedules(), found.complete()), (10, false));
    assert!(
        found.verdict()[0].starts_with("The first 10 schedules explored, not all"),
        "{:?}",
        found.verdict()
    );
    assert!(found.losing(|count| *count != 8).verdict()[0].contains("not all were explored"));
}

/// Five philosophers who all take the left fork first.
fn philosophers() -> &'static str {
    let forks: Vec<_> = (0..5)
        .map(|fork| Arc::new(Mutex::named(&format!("fork {fork}"), ())))
        .collect();
    let eat = |seat: usize| {
        let (left, right) = (forks[seat].clone(), forks[(seat + 1) % 5].clone());
        thread::spawn(move || {
            let _left = left.lock().unwrap();
            let _right = right.lock().unwrap();
        })
    };
    let threads: Vec<_> = (0..5).map(eat).collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    "all have eaten"
}

#[test]
fn too_many_orders_are_reduced_to_those_that_differ() {
    let found = Explorer::new("philosophers").reduced().run(philosophers);
    // Each of five forks goes to one of two first: 32 ways. Two are cycles: one is the deadlock, in the other all would
    // have begun with the right fork.
    assert_eq!(
        (found.schedules(), found.deadlocks()),
        (31, 1),
        "{:?}",
        found.verdict()
    );
    assert!(found.complete() && found.verdict()[0].contains("31 schedules. No outcome is missing"));
    let stuck = found.deadlocked();
    assert_eq!(
        replay(stuck.token(), philosophers).outcome(),
        stuck.outcome()
    );
}

#[test]
fn the_reduced_search_meets_every_outcome() {
    fn check<T, F>(program: F)
    where
        T: std::fmt::Debug + Clone + Ord + Send + 'static,
        F: Fn() -> T + Send + Sync + Clone + 'static,
    {
        let (all, some) = (
            explore(program.clone()),
            Explorer::new("reduced").reduced().run(program),
        );
        let outcomes = |found: &Exploration<T>| {
            let outcomes = found.outcomes().into_iter();
            outcomes
                .map(|(outcome, _)| outcome.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(outcomes(&all), outcomes(&some));
        assert!(all.complete() && some.complete() && some.schedules() <= all.schedules());
    }
    check(cinema);
    check(|| two_locks(false));
    check(|| {
        // A channel, a lock that is tried once, and a counter that is read inside it.
        let (sender, receiver) = mpsc::channel();
        let lock = Arc::new(Mutex::new(0));
        let count = Arc::new(AtomicI32::new(0));
        let other = thread::spawn({
            let (lock, count, sender) = (lock.clone(), count.clone(), sender.clone());
            move || {
                sender.send(1).unwrap();
                if let Ok(mut value) = lock.try_lock() {
                    *value += count.load(SeqCst);
                }
            }
        });
        sender.send(2).unwrap();
        count.store(5, SeqCst);
        *lock.lock().unwrap() += 10;
        let first = receiver.recv().unwrap();
        let early = receiver.try_recv().ok();
        other.join().unwrap();
        let value = *lock.lock().unwrap();
        (first, early, value)
    });
}

#[test]
fn what_is_made_outside_is_refused() {
    let seats = Arc::new(AtomicI32::new(2));
    let found = explore(move || seats.load(SeqCst));
    let Some(Outcome::Panicked(why)) = found.panicked().outcome().cloned() else {
        panic!("{:?}", found.outcomes());
    };
    assert!(
        why.starts_with("this AtomicI32 was made outside the explored program"),
        "{why}"
    );
}

#[test]
fn a_program_that_differs_each_time_is_found_out() {
    let runs = std::sync::atomic::AtomicI32::new(0);
    let found = explore(move || {
        let count = Arc::new(AtomicI32::new(0));
        let shared = count.clone();
        let starts = runs.fetch_add(1, SeqCst) % 2 == 0;
        let other = starts.then(|| thread::spawn(move || shared.fetch_add(1, SeqCst)));
        let seen = (count.load(SeqCst), count.load(SeqCst));
        other.map(|other| other.join().unwrap());
        seen
    });
    // With one thread only, there is nothing to choose: either the search or the repeated schedule notices.
    assert!(found.problem().is_some(), "{:?}", found.verdict());
    assert!(!found.always(|_| true));
}

#[test]
fn outside_an_exploration_the_types_behave_like_std() {
    let lock = Mutex::new(1);
    *lock.lock().unwrap() += 1;
    let held = lock.lock().unwrap();
    assert!(lock.try_lock().is_err());
    drop(held);
    assert_eq!(lock.into_inner().unwrap(), 2);
    assert_eq!(AtomicI32::new(3).fetch_add(1, SeqCst), 3);
    let (sender, receiver) = mpsc::channel();
    sender.send(5).unwrap();
    drop(sender);
    assert_eq!(receiver.iter().collect::<Vec<_>>(), [5]);
    let lock = RwLock::new(0);
    *lock.write().unwrap() += 1;
    assert_eq!(*lock.read().unwrap(), 1);
    step("nobody sees this");
}

#[test]
fn nothing_is_printed_and_the_panic_hook_is_put_back() {
    let (_, errors) = crate::in_child(
        "explore::nothing_is_printed_and_the_panic_hook_is_put_back",
        || {
            assert!(explore(|| two_locks(false)).deadlocks() > 0);
            assert_eq!(
                explore(|| if true { panic!("not to be seen") } else { 1 }).panics(),
                1
            );
            assert_eq!(
                explore(|| thread::spawn(|| panic!("nor this")).join().is_err()).values(),
                [(&true, 1)]
            );
            let _ = std::panic::catch_unwind(|| panic!("to be seen"));
        },
    );
    assert!(
        errors.contains("to be seen") && !errors.contains("not to be seen"),
        "{errors}"
    );
    for unwanted in ["nor this", "Task", "deadlock", "schedul"] {
        assert!(!errors.contains(unwanted), "{unwanted}: {errors}");
    }
}

#[test]
fn pictures_of_outcomes_and_schedules() {
    let found = Explorer::new("Two seats, two buyers of two").run(cinema);
    insta::assert_snapshot!("outcomes", scrub_lines(&found.picture().text()));
    insta::assert_snapshot!("outcomes_svg", found.picture().svg());
    let lost = found.losing(|seats| *seats < 0).picture();
    insta::assert_snapshot!("losing", scrub_table_lines(&lost.text()));
    let stuck = explore(|| two_locks(false)).deadlocked().picture();
    let svg = scrub_lines(&stuck.svg());
    // Ids follow from the content, lines included.
    let id = svg
        .split_once("pattern id=\"")
        .unwrap()
        .1
        .split_once('-')
        .unwrap()
        .0;
    insta::assert_snapshot!("deadlock_svg", svg.replace(id, "ID"));
}

/// The last column of the table of a schedule is the line in this file.
fn scrub_table_lines(text: &str) -> String {
    let lines = text.lines().map(|line| {
        line.trim_end_matches(|c: char| c.is_ascii_digit())
            .trim_end()
    });
    lines.collect::<Vec<_>>().join("\n")
}
