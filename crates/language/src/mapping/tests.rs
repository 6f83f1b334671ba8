//! What declarations mean to queries, and what is refused.
