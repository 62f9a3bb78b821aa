//! Lists in pages, and all of their pages as one stream.

use futures_core::Stream;
use futures_util::stream;
use serde::{Deserialize, Serialize};

use crate::Error;

/// One page of a list.
///
/// ```
/// let page: tollgate::Page<u8> =
///     serde_json::from_str(r#"{"data": [1, 2], "total_count": 5}"#).unwrap();
/// assert_eq!((page.data, page.total_count), (vec![1, 2], Some(5)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Page<T> {
    /// What is on it.
    pub data: Vec<T>,
    /// How many there are on all pages, where the server says so.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub total_count: Option<u64>,
}

/// An answer `{"data": …}`.
#[derive(Deserialize)]
pub(crate) struct Data<T> {
    pub(crate) data: T,
}

/// Where in a list its reader is.
enum Reader {
    At { offset: u64, first: Option<String> },
    Ended,
}

/// Everything in a list, page after page, each asked for when what was before it is used up.
///
/// It ends at an empty page, or where all that the server counts were seen. `id` tells pages
/// apart: a server that knows no offset sends the first one for ever.
pub(crate) fn all<T, A>(
    offset: u64,
    id: impl Fn(&T) -> String,
    page: impl Fn(u64) -> A,
) -> impl Stream<Item = Result<T, Error>>
where
    A: Future<Output = Result<Page<T>, Error>>,
{
    use futures_util::TryStreamExt as _;

    let begin = offset;
    let pages = stream::try_unfold(
        (Reader::At { offset, first: None }, id, page),
        move |(reader, id, page)| async move {
            let Reader::At { offset, first } = reader else { return Ok(None) };
            let Page { data, total_count } = page(offset).await?;
            let Some(now_first) = data.first().map(&id) else { return Ok(None) };
            if first.as_ref() == Some(&now_first) {
                return Err(Error::decode("every page of the list is the same"));
            }
            let offset = offset + data.len() as u64;
            let is_all = total_count.is_some_and(|total| offset >= total.max(begin));
            let first = Some(now_first);
            let next = if is_all { Reader::Ended } else { Reader::At { offset, first } };
            let items = stream::iter(data.into_iter().map(Ok));
            Ok(Some((items, (next, id, page))))
        },
    );
    pages.try_flatten()
}
