//! Channels for explored programs. Sending and receiving are steps; an empty or full channel makes a thread wait.

use std::collections::VecDeque;
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use std::sync::mpsc::{RecvError, SendError, TryRecvError, TrySendError};

use crate::explore::object::{self, Keeps, Object, QueueChange};
use crate::explore::schedule::EventKind;
use crate::explore::state::{self, Next};

struct Channel<T> {
    object: Object,
    queue: Mutex<Queue<T>>,
    capacity: Option<usize>,
}

struct Queue<T> {
    messages: VecDeque<T>,
    senders: usize,
    receiver: bool,
}

impl<T> Channel<T> {
    fn new(kind: &'static str, capacity: Option<usize>) -> Arc<Channel<T>> {
        Arc::new(Channel {
            object: Object::new(kind, None, Keeps::Queue { capacity }),
            queue: Mutex::new(Queue {
                messages: VecDeque::new(),
                senders: 1,
                receiver: true,
            }),
            capacity,
        })
    }

    fn queue(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[track_caller]
    fn send(&self, message: T) -> Result<(), SendError<T>> {
        let place = Location::caller();
        if self.object.is_explored() {
            let queue = self.object.index;
            self.object.point(match self.capacity {
                Some(_) => Next::Send { queue, place },
                None => Next::Step,
            });
        }
        let mut queue = self.queue();
        if !queue.receiver {
            drop(queue);
            self.object
                .did(place, || "send → the receiver is gone".into());
            return Err(SendError(message));
        }
        queue.messages.push_back(message);
        drop(queue);
        let number = object::change_queue(&self.object, QueueChange::Sent);
        self.object.did(place, || "send".into());
        if self.capacity == Some(0) && self.object.is_explored() {
            self.object.point(Next::Taken {
                queue: self.object.index,
                number,
                place,
            });
        }
        Ok(())
    }

    fn add_sender(&self) {
        self.queue().senders += 1;
        object::change_queue(&self.object, QueueChange::SenderAdded);
    }

    fn drop_sender(&self) {
        let is_last = || {
            let queue = self.queue();
            queue.senders == 1 && queue.receiver
        };
        // Others can see only the last one go: `try_recv` tells an empty channel from a closed one.
        if is_last() && self.object.is_explored() {
            self.object.step();
            state::record_at(0, Some(&self.object), EventKind::Step, || {
                "last sender dropped".into()
            });
        }
        self.queue().senders -= 1;
        object::change_queue(&self.object, QueueChange::SenderGone);
    }
}

/// A channel without a limit, as [`std::sync::mpsc::channel`].
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let channel = Channel::new("channel", None);
    (
        Sender {
            channel: channel.clone(),
        },
        Receiver { channel },
    )
}

/// A channel that holds so many messages, as [`std::sync::mpsc::sync_channel`]; with 0, a sender waits until its message
/// is taken.
pub fn sync_channel<T>(capacity: usize) -> (SyncSender<T>, Receiver<T>) {
    let channel = Channel::new("channel", Some(capacity));
    (
        SyncSender {
            channel: channel.clone(),
        },
        Receiver { channel },
    )
}

macro_rules! sender {
    ($name:ident, $std:literal) => {
        #[doc = concat!("[`std::sync::mpsc::", $std, "`] for explored programs.")]
        pub struct $name<T> {
            channel: Arc<Channel<T>>,
        }

        impl<T> $name<T> {
            /// Sends a message.
            ///
            /// # Errors
            /// With the message, when the receiver is gone.
            #[track_caller]
            pub fn send(&self, message: T) -> Result<(), SendError<T>> {
                self.channel.send(message)
            }
        }

        impl<T> Clone for $name<T> {
            fn clone(&self) -> $name<T> {
                self.channel.add_sender();
                $name {
                    channel: self.channel.clone(),
                }
            }
        }

        impl<T> Drop for $name<T> {
            fn drop(&mut self) {
                self.channel.drop_sender();
            }
        }

        impl<T> std::fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

sender!(Sender, "Sender");
sender!(SyncSender, "SyncSender");

/// [`std::sync::mpsc::Receiver`] for explored programs.
pub struct Receiver<T> {
    channel: Arc<Channel<T>>,
}

impl<T> Receiver<T> {
    /// Waits for a message and takes it.
    ///
    /// # Errors
    /// When the channel is empty and all senders are gone.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        let place = Location::caller();
        let object = &self.channel.object;
        if object.is_explored() {
            object.point(Next::Receive {
                queue: object.index,
                place,
            });
        }
        let message = self.channel.queue().messages.pop_front();
        object.did(place, || match message {
            Some(_) => "recv → a message".into(),
            None => "recv → all senders are gone".into(),
        });
        self.taken(message).ok_or(RecvError)
    }

    /// Takes a message if there is one.
    ///
    /// # Errors
    /// When there is none, or all senders are gone.
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.channel.object.step();
        let mut queue = self.channel.queue();
        let message = queue.messages.pop_front();
        let gone = queue.senders == 0;
        drop(queue);
        self.channel
            .object
            .did(Location::caller(), || match message {
                Some(_) => "try_recv → a message".into(),
                None => "try_recv → nothing".into(),
            });
        let none = if gone {
            TryRecvError::Disconnected
        } else {
            TryRecvError::Empty
        };
        self.taken(message).ok_or(none)
    }

    fn taken(&self, message: Option<T>) -> Option<T> {
        if message.is_some() {
            object::change_queue(&self.channel.object, QueueChange::Taken);
        }
        message
    }

    /// Receives until all senders are gone.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { receiver: self }
    }

    /// Takes the messages that are there.
    pub fn try_iter(&self) -> impl Iterator<Item = T> + '_ {
        std::iter::from_fn(|| self.try_recv().ok())
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let object = &self.channel.object;
        // Senders can see it go.
        let is_seen = self.channel.queue().senders > 0;
        if is_seen && object.is_explored() {
            object.step();
            state::record_at(0, Some(object), EventKind::Step, || {
                "receiver dropped".into()
            });
        }
        let mut queue = self.channel.queue();
        queue.receiver = false;
        // Dropped when the lock is released: a message may own a sender of this very channel.
        let unread = std::mem::take(&mut queue.messages);
        drop(queue);
        object::change_queue(&self.channel.object, QueueChange::ReceiverGone);
        drop(unread);
    }
}

impl<T> std::fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Receiver")
    }
}

/// Receives until all senders are gone.
#[derive(Debug)]
pub struct Iter<'a, T> {
    receiver: &'a Receiver<T>,
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.recv().ok()
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

/// Receives until all senders are gone.
#[derive(Debug)]
pub struct IntoIter<T> {
    receiver: Receiver<T>,
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.recv().ok()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter { receiver: self }
    }
}
