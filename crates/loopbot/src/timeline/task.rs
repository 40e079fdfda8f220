//! A future that records each of its polls and who woke it. Changes nothing about how the future behaves.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::recording::End;
use super::store::{Running, Store};

/// A future on a [`Timeline`](crate::Timeline): made by [`Timeline::task`](crate::Timeline::task), used like any other.
#[must_use = "a future does nothing until it is awaited or spawned"]
pub struct Recorded<F> {
    /// `None` once it is done.
    future: Option<Pin<Box<F>>>,
    store: Arc<Store>,
    lane: usize,
    /// The executor's waker, and ours around it; kept so that `will_wake` stays true from poll to poll.
    waker: Option<(Waker, Waker)>,
}

impl<F> Recorded<F> {
    pub(crate) fn new(store: Arc<Store>, lane: usize, future: F) -> Recorded<F> {
        Recorded {
            future: Some(Box::pin(future)),
            store,
            lane,
            waker: None,
        }
    }

    fn wrap(&mut self, executors: &Waker) -> Waker {
        if let Some((theirs, ours)) = &self.waker
            && theirs.will_wake(executors)
        {
            return ours.clone();
        }
        let ours = Waker::from(Arc::new(RecordingWaker {
            waker: executors.clone(),
            store: self.store.clone(),
            lane: self.lane,
        }));
        self.waker = Some((executors.clone(), ours.clone()));
        ours
    }
}

impl<F: Future> Future for Recorded<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        let waker = this.wrap(context.waker());
        let Some(future) = &mut this.future else {
            panic!("this task is done: a future must not be polled again after it has returned");
        };
        let running = Running::begin(&this.store, this.lane);
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        if polled.is_ready() {
            // What the future owned is dropped as part of its last poll, as `.await` would do it.
            this.future = None;
        }
        drop(running);
        if polled.is_ready() {
            this.store.finish(this.lane, End::Done);
        }
        polled
    }
}

impl<F> Drop for Recorded<F> {
    fn drop(&mut self) {
        if self.future.take().is_some() && !std::thread::panicking() {
            self.store.finish(self.lane, End::Dropped);
        }
    }
}

struct RecordingWaker {
    waker: Waker,
    store: Arc<Store>,
    lane: usize,
}

impl Wake for RecordingWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.store.wake(self.lane);
        self.waker.wake_by_ref();
    }
}
