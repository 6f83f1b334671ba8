//! A shared value that the compiler does not look into.

use std::ops::Deref;
use std::sync::Arc;

/// A value that threads share.
///
/// Whether a type may pass to another thread follows from all that it is made of, and the compiler works that out anew for each handler,
/// each future and each closure that captures the type: for the whole server, a third of the time that a crate of routes takes. It does
/// not look behind this trait object, of which it knows that threads may share it.
pub struct Opaque<T>(Arc<dyn Deref<Target = T> + Send + Sync>);

impl<T: Send + Sync + 'static> From<Arc<T>> for Opaque<T> {
    fn from(value: Arc<T>) -> Self {
        Self(Arc::new(value))
    }
}

impl<T> Clone for Opaque<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Deref for Opaque<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
