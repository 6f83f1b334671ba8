//! The doors that are sockets of their own.

types::named! {
    /// A protocol with sockets of its own.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Door {
        /// Syslog over UDP, TCP and TLS.
        Syslog = "syslog",
        /// GELF over UDP, TCP and TLS.
        Gelf = "gelf",
        /// The forward protocol of Fluentd and Fluent Bit.
        Forward = "forward",
        /// The protocol of Beats and Logstash.
        Lumberjack = "lumberjack",
        /// Lines over TCP.
        Lines = "lines",
    }
}
