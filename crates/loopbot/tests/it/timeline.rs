//! Recording: futures polled by hand, threads, stretches, marks; then what is drawn from a fixed recording.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use loopbot::prelude::*;
use loopbot::timeline::{End, Kind, Lane, Note, Recording, Span, State, Wake};

/// Stays pending until it has been polled so often, and keeps the waker of the last poll.
struct Pending {
    polls_left: usize,
    waker: Arc<Mutex<Option<Waker>>>,
}

impl Future for Pending {
    type Output = &'static str;

    fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut Context<'_>) -> Poll<&'static str> {
        *self.waker.lock().unwrap() = Some(context.waker().clone());
        if self.polls_left == 0 {
            return Poll::Ready("done");
        }
        self.polls_left -= 1;
        Poll::Pending
    }
}

#[test]
fn every_poll_and_wake_of_a_future_is_recorded() {
    let timeline = Timeline::new("by hand");
    let waker = Arc::default();
    let mut future = pin!(timeline.task(
        "egg",
        Pending {
            polls_left: 2,
            waker: Arc::clone(&waker)
        }
    ));
    let mut context = Context::from_waker(Waker::noop());
    let wake = || waker.lock().unwrap().take().unwrap().wake();

    assert!(future.as_mut().poll(&mut context).is_pending());
    wake();
    assert!(future.as_mut().poll(&mut context).is_pending());
    timeline.run("cook", wake);
    assert_eq!(timeline.recording().lanes[0].end, End::Open);
    assert_eq!(future.as_mut().poll(&mut context), Poll::Ready("done"));

    let recording = timeline.recording();
    let egg = recording.lane("egg").unwrap();
    assert_eq!((egg.kind, egg.polls(), egg.end), (Kind::Task, 3, End::Done));
    let wakes: Vec<(usize, &str)> = egg
        .wakes
        .iter()
        .map(|wake| (wake.polls, wake.by.as_str()))
        .collect();
    let this_thread = std::thread::current().name().unwrap().to_owned();
    assert_eq!(wakes, [(1, this_thread.as_str()), (2, "cook")]);
    assert_eq!(egg.threads(), [this_thread]);
}

struct Executor;

impl std::task::Wake for Executor {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn a_waker_is_kept_from_poll_to_poll() {
    let timeline = Timeline::new("wakers");
    let waker = Arc::default();
    let mut future = pin!(timeline.task(
        "egg",
        Pending {
            polls_left: 5,
            waker: Arc::clone(&waker)
        }
    ));
    let executors = Waker::from(Arc::new(Executor)).clone();
    let mut context = Context::from_waker(&executors);
    let mut poll = || {
        assert!(future.as_mut().poll(&mut context).is_pending());
        waker.lock().unwrap().clone().unwrap()
    };
    // The first is not compared: std gives a waker and its clones different tables.
    poll();
    assert!(poll().will_wake(&poll()));
}

#[test]
fn a_dropped_future_is_cancelled_and_an_untouched_one_never_started() {
    let timeline = Timeline::new("dropped");
    {
        let _never = timeline.task("never", async {});
        let mut polled = Box::pin(timeline.task("polled", std::future::pending::<()>()));
        assert!(
            polled
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
    }
    let recording = timeline.recording();
    let check = |name: &str, polls: usize| {
        let lane = recording.lane(name).unwrap();
        assert_eq!((lane.polls(), lane.end), (polls, End::Dropped));
    };
    check("never", 0);
    check("polled", 1);
    assert!(
        timeline
            .verdict()
            .iter()
            .any(|text| text == "`polled` was dropped before the end: cancelled.")
    );
}

#[test]
fn threads_stretches_and_marks_have_their_lanes() {
    let timeline = Timeline::new("threads");
    timeline.note("before all");
    let inside = timeline.clone();
    let sum = timeline.thread("adder", move || {
        inside.note("adds");
        inside.run("part", || inside.note("inner"));
        2 + 2
    });
    assert_eq!(sum.join().unwrap(), 4);
    timeline.note_on("adder", "joined");
    let panicked = timeline.thread("clumsy", || {
        let quiet: Box<dyn std::any::Any + Send> = Box::new("tray");
        std::panic::resume_unwind(quiet)
    });
    assert!(panicked.join().is_err());

    let recording = timeline.recording();
    let notes = |name: &str| {
        let notes = recording.lane(name).unwrap().notes.iter();
        notes.map(|note| note.text.clone()).collect::<Vec<_>>()
    };
    assert_eq!(notes("notes"), ["before all"]);
    assert_eq!(notes("adder"), ["adds", "joined"]);
    assert_eq!(notes("part"), ["inner"]);
    let adder = recording.lane("adder").unwrap();
    assert_eq!(
        (adder.kind, adder.threads(), adder.end),
        (Kind::Thread, vec!["adder"], End::Done)
    );
    assert_eq!(recording.lane("clumsy").unwrap().end, End::Panicked);
}

#[test]
fn a_panicking_task_is_recorded() {
    let timeline = Timeline::new("panic");
    let task = timeline.task("clumsy", async {
        std::panic::resume_unwind(Box::new("tray"))
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let joined: Result<(), _> = runtime.block_on(async { tokio::spawn(task).await });
    assert!(joined.is_err());
    assert_eq!(timeline.recording().lanes[0].end, End::Panicked);
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Spans are (start, end, cpu); wakes are (time, polls begun before).
fn lane(
    name: &str,
    kind: Kind,
    spans: &[(u64, u64, u64)],
    wakes: &[(u64, usize)],
    thread: &str,
    end: End,
) -> Lane {
    Lane {
        name: name.into(),
        kind,
        spans: spans
            .iter()
            .map(|(start, end, cpu)| Span {
                start: ms(*start),
                end: ms(*end),
                thread: thread.into(),
                real: ms(end - start),
                cpu: Some(ms(*cpu)),
            })
            .collect(),
        wakes: wakes
            .iter()
            .map(|(at, polls)| Wake {
                at: ms(*at),
                by: "main".into(),
                polls: *polls,
            })
            .collect(),
        notes: Vec::new(),
        end,
        ended: spans
            .last()
            .filter(|_| end != End::Open)
            .map(|(_, end, _)| ms(*end)),
    }
}

#[test]
fn states_follow_from_polls_and_wakes() {
    let check =
        |spans: &[(u64, u64, u64)], wakes: &[(u64, usize)], expected: &[(State, u64, u64)]| {
            let phases = lane("x", Kind::Task, spans, wakes, "main", End::Done).phases();
            let phases: Vec<_> = phases
                .iter()
                .map(|phase| (phase.state, phase.start, phase.end))
                .collect();
            let expected: Vec<_> = expected
                .iter()
                .map(|(state, start, end)| (*state, ms(*start), ms(*end)))
                .collect();
            assert_eq!(phases, expected);
        };
    use State::{Ready, Running, Waiting};
    check(
        &[(0, 10, 10), (50, 60, 10)],
        &[(30, 1)],
        &[
            (Running, 0, 10),
            (Waiting, 10, 30),
            (Ready, 30, 50),
            (Running, 50, 60),
        ],
    );
    // Woken while it runs: ready as soon as the poll ends.
    check(
        &[(0, 10, 10), (50, 60, 10)],
        &[(5, 1)],
        &[(Running, 0, 10), (Ready, 10, 50), (Running, 50, 60)],
    );
    // On a paused clock the wake and the poll it leads to are simultaneous.
    check(
        &[(0, 0, 0), (600, 600, 0), (1200, 1200, 0)],
        &[(600, 1), (1200, 2)],
        &[
            (Running, 0, 0),
            (Waiting, 0, 600),
            (Running, 600, 600),
            (Waiting, 600, 1200),
            (Running, 1200, 1200),
        ],
    );
    // Polled without a wake, as `join!` does: it was waiting all the time.
    check(
        &[(0, 10, 10), (50, 60, 10)],
        &[],
        &[(Running, 0, 10), (Waiting, 10, 50), (Running, 50, 60)],
    );
}

fn breakfast() -> Recording {
    let mut tea = lane(
        "tea",
        Kind::Task,
        &[(0, 2, 2), (400, 402, 2)],
        &[(300, 1)],
        "worker 1",
        End::Done,
    );
    tea.notes.push(Note {
        at: ms(1),
        text: "water on".into(),
    });
    tea.notes.push(Note {
        at: ms(401),
        text: "tea is ready".into(),
    });
    Recording {
        title: "Breakfast <for two>".into(),
        virtual_time: false,
        lanes: vec![
            tea,
            lane(
                "toast",
                Kind::Task,
                &[(10, 310, 1), (350, 352, 2)],
                &[(320, 1)],
                "worker 2",
                End::Done,
            ),
            lane(
                "squares",
                Kind::Task,
                &[(310, 400, 88)],
                &[],
                "worker 1",
                End::Done,
            ),
            lane(
                "radio",
                Kind::Task,
                &[(0, 1, 1), (500, 500, 0)],
                &[],
                "worker 2",
                End::Dropped,
            ),
            lane(
                "guest",
                Kind::Thread,
                &[(100, 450, 0)],
                &[],
                "guest",
                End::Done,
            ),
            lane("never", Kind::Task, &[], &[], "", End::Dropped),
        ],
    }
}

#[test]
fn numbers_follow_from_the_recording() {
    let recording = breakfast();
    assert_eq!(
        (recording.total(), recording.sum()),
        (ms(500), ms(402 + 342 + 90 + 500 + 350))
    );
    assert_eq!((recording.most_at_once(), recording.most_running()), (5, 3));
    assert_eq!(recording.threads(), ["worker 1", "worker 2", "guest"]);
    let toast = recording.lane("toast").unwrap();
    assert_eq!(
        (toast.running(), toast.waiting(), toast.cpu()),
        (ms(302), ms(40), Some(ms(3)))
    );
}

#[test]
fn the_verdict_tells_blocking_from_computing() {
    insta::assert_snapshot!("verdict_breakfast", breakfast().verdict().join("\n"));
    let one_by_one = Recording {
        lanes: vec![
            lane(
                "a",
                Kind::Task,
                &[(0, 0, 0), (600, 600, 0)],
                &[],
                "virtual",
                End::Done,
            ),
            lane(
                "b",
                Kind::Task,
                &[(600, 600, 0), (1200, 1200, 0)],
                &[],
                "virtual",
                End::Done,
            ),
        ],
        virtual_time: true,
        ..Recording::default()
    };
    insta::assert_snapshot!("verdict_one_by_one", one_by_one.verdict().join("\n"));
    assert!(Recording::default().verdict()[0].starts_with("Nothing has run"));
}

#[test]
fn the_picture_of_a_recording() {
    let picture = breakfast().picture(&Words::default());
    insta::assert_snapshot!("breakfast", picture.text());
    insta::assert_snapshot!("breakfast_svg", picture.svg());
    insta::assert_snapshot!("breakfast_html", picture.html());
}

#[test]
fn thousands_of_polls_and_lanes_stay_a_small_picture() {
    let polls: Vec<(u64, u64, u64)> = (0..50_000).map(|n| (n * 10, n * 10 + 1, 1)).collect();
    let lanes = (0..200).map(|n| match n {
        0 => lane("busy", Kind::Task, &polls, &[], "main", End::Done),
        n => lane(
            &format!("task {n}"),
            Kind::Task,
            &[(n, n + 1, 1)],
            &[],
            "main",
            End::Done,
        ),
    });
    let recording = Recording {
        lanes: lanes.collect(),
        ..Recording::default()
    };
    let picture = recording.picture(&Words::default());
    assert!(picture.html().len() < 400_000, "{}", picture.html().len());
    assert!(picture.svg().contains("… and 160 more lanes"));
}

#[test]
fn words_can_be_others() {
    let words = Words {
        running: "läuft".into(),
        table: "Als Tabelle".into(),
        ..Words::default()
    };
    let html = breakfast().picture(&words).html();
    assert!(
        html.contains(">läuft<") && html.contains("<summary dir=\"auto\">Als Tabelle</summary>")
    );
}
