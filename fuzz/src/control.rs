//! Messages of the control socket, by which one terminal ends another's session.

use protocol::{Answer, Ask};
// The product's file, compiled in below, derives with it.
use serde as _;

#[path = "../../crates/hallpass/src/control_socket/protocol.rs"]
mod protocol;

/// One line, as read from the socket.
pub fn run(data: &[u8]) {
    if let Ok(ask) = serde_json::from_slice::<Ask>(data) {
        let written = serde_json::to_string(&ask).expect("JSON");
        assert_eq!(serde_json::from_str::<Ask>(&written).expect("reads back"), ask);
        assert!(!written.contains('\n'), "a message is one line");
    }
    if let Ok(answer) = serde_json::from_slice::<Answer>(data) {
        let written = serde_json::to_string(&answer).expect("JSON");
        assert_eq!(serde_json::from_str::<Answer>(&written).expect("reads back"), answer);
        assert!(!written.contains('\n'), "a message is one line");
    }
}
