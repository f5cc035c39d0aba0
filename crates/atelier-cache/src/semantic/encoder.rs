//! Encoders turn prompts into vectors. Vectors are compared only within one model.

#[cfg(feature = "encoder")]
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;
#[cfg(feature = "encoder")]
use tokio::{
    sync::{OnceCell, Semaphore},
    task::spawn_blocking,
};

/// Why a text has no vector.
pub type EncodeError = Box<dyn std::error::Error + Send + Sync>;

/// Encodes texts as vectors of unit length.
#[async_trait]
pub trait Encoder: Send + Sync + 'static {
    /// Names the model and its pre- and post-processing.
    fn model(&self) -> String;
    /// Returns the vector of a text that is not empty.
    ///
    /// # Errors
    /// If the model cannot be loaded or called.
    async fn encode(&self, text: &str) -> Result<Vec<f32>, EncodeError>;
}

/// [`Encoder::encode`] with a time-out.
pub(super) async fn encode_within(
    encoder: &dyn Encoder,
    text: &str,
    patience: Duration,
) -> Result<Vec<f32>, EncodeError> {
    let encoded = timeout(patience, encoder.encode(text)).await;
    encoded.unwrap_or_else(|_| Err(format!("no vector within {} ms", patience.as_millis()).into()))
}

/// The encoder inside the binary. It is loaded when first used, and reads the first
/// [`atelier_encoder::MAX_TOKENS`].
#[cfg(feature = "encoder")]
pub struct Pocket {
    loaded: OnceCell<Arc<atelier_encoder::Encoder>>,
    /// Limits concurrency: an encoding takes a core for milliseconds.
    permits: Arc<Semaphore>,
}

#[cfg(feature = "encoder")]
impl Pocket {
    /// Creates an encoder without loading it.
    pub fn new() -> Self {
        Self {
            loaded: OnceCell::new(),
            permits: Arc::new(Semaphore::new(2)),
        }
    }

    async fn loaded(&self) -> Result<Arc<atelier_encoder::Encoder>, EncodeError> {
        let load = || async {
            let encoder = spawn_blocking(atelier_encoder::Encoder::new).await??;
            Ok::<_, EncodeError>(Arc::new(encoder))
        };
        Ok(Arc::clone(self.loaded.get_or_try_init(load).await?))
    }
}

#[cfg(feature = "encoder")]
impl Default for Pocket {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(feature = "encoder")]
#[async_trait]
impl Encoder for Pocket {
    fn model(&self) -> String {
        atelier_encoder::MODEL.into()
    }

    async fn encode(&self, text: &str) -> Result<Vec<f32>, EncodeError> {
        let encoder = self.loaded().await?;
        let permit = Arc::clone(&self.permits).acquire_owned().await?;
        let text = text.to_owned();
        spawn_blocking(move || {
            let _permit = permit;
            Ok(encoder.encode(&text)?)
        })
        .await?
    }
}
