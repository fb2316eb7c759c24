//! A form with a file: its fields and the file's bytes (RFC 7578).

use std::convert::Infallible;

use axum::extract::{FromRequest, Request};
use axum::http::header;
use bytes::Bytes;
use multer::{Constraints, Multipart, SizeLimit};
use sha2::{Digest as _, Sha256};

use crate::web::Web;
use crate::web::ui::failure::Failure;
use crate::web::ui::form::Fields;

/// A field that is no file.
const TEXT_MAX_BYTES: u64 = 1_024;
const FIELDS_MAX: usize = 12;

/// What was posted. Its `Debug` shows neither fields nor file.
pub(in crate::web::ui) struct Upload {
    pub fields: Fields,
    /// Empty when none was chosen.
    pub file: Bytes,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload").finish_non_exhaustive()
    }
}

impl FromRequest<Web> for Upload {
    type Rejection = Failure;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Failure> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let boundary = kind.and_then(|kind| multer::parse_boundary(kind).ok());
        let boundary = boundary.ok_or(Failure::form_expired())?;
        // The outermost layer has read the body whole and held it to its size.
        let body = Bytes::from_request(request, web).await.map_err(|_| Failure::form_expired())?;
        parts(body, boundary).await.ok_or(Failure::form_expired())
    }
}

async fn parts(body: Bytes, boundary: String) -> Option<Upload> {
    let whole = u64::try_from(body.len()).ok()?;
    let limit = SizeLimit::new().whole_stream(whole).per_field(TEXT_MAX_BYTES).for_field("file", whole);
    let stream = futures_util::stream::once(async move { Ok::<_, Infallible>(body) });
    let constraints = Constraints::new().size_limit(limit);
    let mut parts = Multipart::with_constraints(stream, boundary, constraints);
    let (mut pairs, mut file) = (Vec::new(), Bytes::new());
    while let Some(part) = parts.next_field().await.ok()? {
        let name = part.name()?.to_owned();
        if name == "file" {
            file = part.bytes().await.ok()?;
        } else {
            pairs.push((name, part.text().await.ok()?));
        }
        if pairs.len() > FIELDS_MAX {
            return None;
        }
    }
    // The file is part of what the form's one-time number stands for.
    let print: String = Sha256::digest(&file).iter().map(|b| format!("{b:02x}")).collect();
    pairs.push(("file".to_owned(), print));
    Some(Upload { fields: Fields::of(pairs), file })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(body: &str) -> Option<Upload> {
        parts(Bytes::from(body.replace('\n', "\r\n")), "X".to_owned()).await
    }

    #[tokio::test]
    async fn fields_and_file_of_a_form_are_told_apart() {
        let body = "--X\nContent-Disposition: form-data; name=\"kind\"\n\nmembers\n--X\nContent-Disposition: \
                    form-data; name=\"file\"; filename=\"名簿.csv\"\nContent-Type: text/csv\n\na,b\n--X--\n";
        let upload = read(body).await.unwrap();
        assert_eq!((upload.fields.get("kind"), &*upload.file), ("members", b"a,b".as_slice()));
        assert_eq!(upload.fields.get("file").len(), 64, "the file's print, for the form's one-time number");
        for broken in ["", "--X\nContent-Disposition: form-data; name=\"kind\"\n\nmem", "--Y--\n"] {
            assert!(read(broken).await.is_none(), "{broken}");
        }
        let long =
            format!("--X\nContent-Disposition: form-data; name=\"kind\"\n\n{}\n--X--\n", "m".repeat(2_000));
        assert!(read(&long).await.is_none());
    }
}
