//! Hands over real presigned URLs, to whoever may open the session's control socket.

use hallpass_dataplane::gate::{Presigner, UrlWish};

use crate::control_socket::protocol::Answer;

/// Makes the presigned URLs of one session.
#[derive(Debug)]
pub(crate) struct Presigning {
    /// Decides, records and signs.
    pub(crate) presigner: Presigner,
    /// The session's region, for wishes that name none.
    pub(crate) region: Option<String>,
}

impl Presigning {
    /// The answer to a wish.
    pub(crate) async fn answer(
        &self,
        method: String,
        bucket: String,
        key: String,
        region: Option<String>,
        life_s: u64,
    ) -> Answer {
        let Some(region) = region.or_else(|| self.region.clone()) else {
            return Answer::Error {
                message: "the session has no region: name the bucket's with `--region`".to_owned(),
            };
        };
        match self.presigner.presign(&UrlWish { method, bucket, key, region, life_s }).await {
            Ok(made) => {
                Answer::Presigned { url: made.url.expose().to_owned(), expires_at: made.expires_at, entry: made.entry }
            }
            Err(denial) => Answer::Denied { denial },
        }
    }
}
