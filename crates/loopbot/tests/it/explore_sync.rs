//! Exploring programs with reader-writer locks, channels and condition variables.

use std::sync::atomic::Ordering::SeqCst;

use loopbot::explore::sync::{Arc, Condvar, Mutex, RwLock, mpsc};
use loopbot::explore::thread;
use loopbot::prelude::*;

#[test]
fn readers_share_and_writers_do_not() {
    let program = || {
        let lock = Arc::new(RwLock::new(0));
        let inside = Arc::new(std::sync::atomic::AtomicI32::new(0));
        let most = Arc::new(std::sync::atomic::AtomicI32::new(0));
        let reader = {
            let (lock, inside, most) = (lock.clone(), inside.clone(), most.clone());
            move || {
                let _guard = lock.read().unwrap();
                most.fetch_max(inside.fetch_add(1, SeqCst) + 1, SeqCst);
                thread::yield_now();
                inside.fetch_sub(1, SeqCst);
            }
        };
        let other = thread::spawn(reader.clone());
        reader();
        other.join().unwrap();
        *lock.write().unwrap() += 1;
        most.load(SeqCst)
    };
    let found = explore(program);
    assert!(
        found.complete() && found.ever(|most| *most == 2),
        "{:?}",
        found.outcomes()
    );
}

#[test]
fn messages_arrive_in_every_order() {
    let program = || {
        let (sender, receiver) = mpsc::channel();
        for name in ["a", "b"] {
            let sender = sender.clone();
            thread::spawn(move || sender.send(name).unwrap());
        }
        drop(sender);
        receiver.into_iter().collect::<String>()
    };
    let found = explore(program);
    assert!(found.complete(), "{:?}", found.verdict());
    assert_eq!(
        found
            .values()
            .iter()
            .map(|(text, _)| text.as_str())
            .collect::<Vec<_>>(),
        ["ab", "ba"]
    );

    let found = explore(|| {
        let (sender, receiver) = mpsc::channel::<i32>();
        let result = receiver.recv();
        drop(sender);
        result.is_ok()
    });
    let why = found.verdict().join(" ");
    assert!(
        found.deadlocks() == 1 && why.contains("a sender is still alive"),
        "{why}"
    );
}

#[test]
fn a_channel_without_room_makes_the_sender_wait() {
    let program = |room: usize| {
        move || {
            let (sender, receiver) = mpsc::sync_channel(room);
            let sent = Arc::new(std::sync::atomic::AtomicI32::new(0));
            let other = thread::spawn({
                let sent = sent.clone();
                move || {
                    sender.send(1).unwrap();
                    sent.store(1, SeqCst);
                }
            });
            thread::yield_now();
            let before = sent.load(SeqCst);
            let message = receiver.recv().unwrap();
            other.join().unwrap();
            (before, message)
        }
    };
    assert!(explore(program(0)).always(|(before, message)| (*before, *message) == (0, 1)));
    assert!(explore(program(1)).ever(|(before, _)| *before == 1));
}

#[test]
fn a_condition_variable_wakes_who_waits() {
    let program = |notify: bool| {
        move || {
            let pair = Arc::new((Mutex::new(false), Condvar::new()));
            let other = thread::spawn({
                let pair = pair.clone();
                move || {
                    *pair.0.lock().unwrap() = true;
                    if notify {
                        pair.1.notify_one();
                    }
                }
            });
            let ready = pair
                .1
                .wait_while(pair.0.lock().unwrap(), |ready| !*ready)
                .unwrap();
            let ready = *ready;
            other.join().unwrap();
            ready
        }
    };
    let found = explore(program(true));
    assert!(
        found.complete() && found.always(|ready| *ready),
        "{:?}",
        found.verdict()
    );
    let found = explore(program(false));
    assert!(
        found.deadlocks() > 0 && found.ever(|ready| *ready),
        "{:?}",
        found.verdict()
    );
}
