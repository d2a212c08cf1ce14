//! What the operator's machine answers.

use serde::{Deserialize, Serialize};

/// What is asked of the operator's machine. Answered by the same [`Outcome`](cc_agent::probe::Outcome) as probes of hosts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "outside", rename_all = "snake_case")]
pub enum Outside {
    /// What a program on the operator's machine says.
    Command {
        /// Program and arguments, without a shell.
        argv: Vec<String>,
        /// Seconds after which it is killed.
        seconds: u32,
    },
    /// The records of a name, as the resolver of the operator's machine or a named server gives them. Answered by text: one
    /// JSON object `{"server", "rcode", "records": [{"name", "type", "ttl", "value"}]}`.
    Resolve {
        /// The name.
        name: String,
        /// `A`, `AAAA`, `CNAME`, `TXT`, `MX`, `CAA`, `PTR`, `NS`.
        kind: String,
        /// Address of the server, with an optional port; the machine's own resolvers when absent.
        server: Option<String>,
    },
    /// The records of a name as each name server of its zone gives them. Answered by text: a JSON list of objects as for
    /// [`Outside::Resolve`]; a server that gave no answer has an `error` instead of an `rcode`.
    Authoritative {
        /// The name.
        name: String,
        /// As for [`Outside::Resolve`].
        kind: String,
    },
    /// The certificates of a TLS server, whatever they are worth. Answered by text: one JSON object
    /// `{"trusted": bool, "why": text or null, "chain": [base64 of DER, …]}`.
    Tls {
        /// Host from which the connection is made, through its SSH session; the operator's own machine when absent.
        from: Option<String>,
        /// Name or address to connect to.
        address: String,
        /// Port.
        port: u16,
        /// Name that the certificate must be for.
        name: String,
    },
    /// An HTTP request; redirects are not followed. Answered by text: one JSON object `{"status", "headers", "body"}` with at
    /// most 64 KiB of the body.
    Http {
        /// Host from which the connection is made, through its SSH session; the operator's own machine when absent.
        from: Option<String>,
        /// The address.
        url: String,
        /// HTTP proxy to go through, as that host reaches it: `http://proxy:3128`.
        proxy: Option<String>,
    },
    /// Connections over TCP, one time after the other. Answered by times.
    Connect {
        /// Name or address.
        address: String,
        /// Port.
        port: u16,
        /// How often.
        times: u16,
    },
    /// A dialogue with a mail server: its greeting, EHLO, and where `starttls` is set, STARTTLS, the handshake and EHLO again.
    /// Answered by text: one JSON object `{"greeting", "extensions": [..], "tls": as for [`Outside::Tls`] or null}`.
    Smtp {
        /// Host from which the connection is made, through its SSH session; the operator's own machine when absent.
        from: Option<String>,
        /// Name or address.
        address: String,
        /// 25, 465 (TLS from the start) or 587.
        port: u16,
        /// Whether to ask for STARTTLS.
        starttls: bool,
    },
}
