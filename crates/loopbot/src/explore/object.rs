//! The atomics, locks and channels of an explored program, as far as the execution keeps books on them: which is which,
//! who holds what, how many messages are under way. Their values are in `sync`.

use super::schedule::EventKind;
use super::state::{LockState, Next, Place, QueueState, Touch, me, point, record, scheduled, with};

/// The identity of an atomic, a lock or a channel of an explored program.
#[derive(Debug)]
pub(crate) struct Object {
    serial: u64,
    kind: &'static str,
    number: usize,
    name: Option<String>,
    /// Its number among all objects of the execution.
    id: usize,
    /// Of its lock, queue or nothing.
    pub(crate) index: usize,
}

/// What keeps the state of an object.
pub(crate) enum Keeps {
    Nothing,
    Lock,
    Queue { capacity: Option<usize> },
}

impl Object {
    pub(crate) fn new(kind: &'static str, name: Option<&str>, keeps: Keeps) -> Object {
        let name = name.map(str::to_owned);
        let made = with(|execution| {
            let number = 1 + execution
                .objects
                .iter()
                .filter(|(other, _)| *other == kind)
                .count();
            execution.objects.push((kind, number));
            let label = match &name {
                Some(name) => format!("`{name}`"),
                None => format!("{kind} {number}"),
            };
            let index = match keeps {
                Keeps::Nothing => 0,
                Keeps::Lock => {
                    execution.locks.push(LockState {
                        label,
                        ..LockState::default()
                    });
                    execution.locks.len() - 1
                }
                Keeps::Queue { capacity } => {
                    execution.queues.push(QueueState {
                        label,
                        sent: 0,
                        taken: 0,
                        senders: 1,
                        receiver: true,
                        capacity,
                    });
                    execution.queues.len() - 1
                }
            };
            (execution.serial, number, execution.objects.len() - 1, index)
        });
        let (serial, number, id, index) = made.unwrap_or((0, 0, 0, 0));
        Object {
            serial,
            kind,
            number,
            name,
            id,
            index,
        }
    }

    /// Whether it belongs to the running execution. A panic explains what is wrong if it is of another: its value would
    /// be carried from one schedule into the next.
    pub(crate) fn is_explored(&self) -> bool {
        match with(|execution| (execution.serial, execution.over)) {
            None | Some((_, true)) => false,
            Some((serial, _)) if serial == self.serial => true,
            // While a panic unwinds, another one would end the process.
            Some(_) if std::thread::panicking() => false,
            Some(_) => panic!(
                "this {} was made outside the explored program. Make it inside the closure given to `explore`, so that \
                 every schedule starts afresh",
                self.kind
            ),
        }
    }

    /// What a picture needs to name it: kind, number, own name.
    pub(crate) fn label(&self) -> (&'static str, usize, Option<String>) {
        (self.kind, self.number, self.name.clone())
    }

    /// A step that may change this object and is always possible.
    pub(crate) fn step(&self) {
        self.point(Next::Step);
    }

    /// A step that looks at this object and is always possible.
    pub(crate) fn look(&self) {
        if self.is_explored() {
            point(Next::Step, Touch::Looks(self.id));
        }
    }

    /// A step that may change this object.
    pub(crate) fn point(&self, next: Next) {
        if self.is_explored() {
            point(next, Touch::Changes(self.id));
        }
    }

    pub(crate) fn did(&self, place: Place, text: impl FnOnce() -> String) {
        record(place, Some(self), EventKind::Step, text);
    }
}

/// Takes a lock in the books of the execution. `false` if it is held and `wait` is not set.
pub(crate) fn take_lock(object: &Object, exclusive: bool, wait: bool, place: Place) -> bool {
    if !object.is_explored() {
        return true;
    }
    let lock = object.index;
    match (wait, exclusive) {
        (true, true) => object.point(Next::Lock {
            lock,
            exclusive,
            place,
        }),
        (true, false) => point(
            Next::Lock {
                lock,
                exclusive,
                place,
            },
            Touch::Looks(object.id),
        ),
        (false, _) => object.step(),
    }
    let Some(me) = scheduled() else { return true };
    let taken = with(|execution| {
        let free = execution.lock_is_free(lock, exclusive);
        if let Some(lock) = execution.locks.get_mut(lock).filter(|_| free) {
            lock.holders.push((me, place));
            lock.exclusive = exclusive;
        }
        free
    });
    taken.unwrap_or(true)
}

/// Releases a lock in the books of the execution, as a step of its own.
pub(crate) fn release_lock(object: &Object) {
    if with(|execution| execution.serial == object.serial) != Some(true) {
        return;
    }
    object.step();
    forget_lock(object);
}

/// Releases a lock in the books, as part of another step.
pub(crate) fn forget_lock(object: &Object) {
    let me = me();
    with(|execution| {
        if let Some(lock) = execution
            .locks
            .get_mut(object.index)
            .filter(|_| execution.serial == object.serial)
        {
            let mine = lock
                .holders
                .iter()
                .position(|(holder, _)| Some(*holder) == me);
            if let Some(mine) = mine {
                lock.holders.remove(mine);
            }
        }
    });
}

/// Changes in a queue's books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueueChange {
    Sent,
    Taken,
    SenderAdded,
    SenderGone,
    ReceiverGone,
}

/// Notes a change; returns how many messages had been sent before it.
pub(crate) fn change_queue(object: &Object, change: QueueChange) -> usize {
    let sent = with(|execution| {
        let queue = execution
            .queues
            .get_mut(object.index)
            .filter(|_| execution.serial == object.serial)?;
        let sent = queue.sent;
        match change {
            QueueChange::Sent => queue.sent += 1,
            QueueChange::Taken => queue.taken += 1,
            QueueChange::SenderAdded => queue.senders += 1,
            QueueChange::SenderGone => queue.senders = queue.senders.saturating_sub(1),
            QueueChange::ReceiverGone => queue.receiver = false,
        }
        Some(sent)
    });
    sent.flatten().unwrap_or(0)
}
