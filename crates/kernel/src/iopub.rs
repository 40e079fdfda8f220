//! The iopub socket: sends what the outbox hands out, and welcomes every subscriber.
//!
//! One task owns the socket, because it must read subscriptions and write messages and cannot be split.

use std::sync::Arc;
use std::time::Duration;

use jupyter_protocol::{IoPubWelcome, JupyterMessage};
use jupyter_zmq_client::{KernelIoPubXPubConnection, SubscriptionEvent};

use crate::outbox::{Outbox, Outgoing};
use crate::wire::signed_by_us;

/// Runs until the outbox is closed and empty.
pub(crate) async fn run(mut socket: KernelIoPubXPubConnection, outbox: Arc<Outbox>) {
    loop {
        tokio::select! {
            event = socket.recv_subscription() => match event {
                Ok(SubscriptionEvent::Subscribe(topic)) => welcome(&mut socket, topic).await,
                Ok(SubscriptionEvent::Unsubscribe(_)) => {}
                // A subscriber that went away, or one that talks nonsense. The pause keeps the latter from spinning us.
                Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
            },
            outgoing = outbox.next() => match outgoing {
                Some(outgoing) => send(&mut socket, outgoing).await,
                None => return,
            },
        }
    }
}

async fn send(socket: &mut KernelIoPubXPubConnection, outgoing: Outgoing) {
    let mut message = signed_by_us(JupyterMessage::new(outgoing.content, None));
    message.parent_header = outgoing.parent;
    // The topic: who subscribed to less than everything filters by it.
    let topic = format!("kernel.{}.{}", socket.session_id, message.header.msg_type);
    message.zmq_identities = vec![topic.into()];
    // It fails when a subscriber just left; the others have it.
    let _ = socket.send(message).await;
}

/// Tells a new subscriber that it will miss nothing from here on. The topic is its own, so that it arrives.
async fn welcome(socket: &mut KernelIoPubXPubConnection, topic: String) {
    let mut message = signed_by_us(IoPubWelcome::new(topic.clone()).into());
    message.zmq_identities = vec![topic.into()];
    let _ = socket.send(message).await;
}
