//! Pictures that are attached to a prompt: sent with it, or with an earlier one.

use std::fs::File;

use atelier_api::{Kind, MOST_ATTACHED, Size};
use axum::extract::{DefaultBodyLimit, Request};
use url::form_urlencoded::Serializer;

use crate::http::{
    Error, Result, State,
    api::images::MAX_BODY,
    api::jobs::own_named,
    api::sizes::size_of,
    api::submission::Submission,
    api::uploads::{self, Received, broken},
    pools::Origin,
};
use crate::{
    app::{self, Accepted, Caller, Order},
    job::{Attached, ImageTask, Task},
    providers::Offers,
    queue,
};

/// Files that wait to be decoded.
#[derive(Default)]
pub(crate) struct Sent {
    pictures: Vec<File>,
    mask: Option<Vec<u8>>,
}

/// Reads a form: its fields, written as a form without files, and the files.
pub(crate) async fn read(
    state: &State,
    caller: &Caller,
    mut request: Request,
) -> Result<(String, Sent)> {
    // A caller over a limit is refused before the body is read.
    state
        .studio
        .check_room_for_photo(caller, Kind::Image)
        .await?;
    DefaultBodyLimit::disable().apply(&mut request);
    let mut form = uploads::form(request, "multipart/form-data").await?;
    let (mut fields, mut sent, mut length) = (Vec::new(), Sent::default(), 0);
    while let Some(mut field) = form.next_field().await.map_err(broken)? {
        match field.name().unwrap_or_default().to_owned().as_str() {
            "image" | "image[]" => {
                // A browser sends a field without a file as one without a name.
                let nameless = field.file_name().is_none_or(str::is_empty);
                let first = field.chunk().await.map_err(broken)?;
                let Some(first) = first.filter(|chunk| !nameless || !chunk.is_empty()) else {
                    if nameless {
                        continue;
                    }
                    return Err(Error::Photo(crate::photo::Refusal::Empty));
                };
                if sent.pictures.len() == MOST_ATTACHED {
                    return Err(too_many());
                }
                let file = uploads::received(state, first, field).await?;
                sent.pictures.push(file);
            }
            "mask" => sent.mask = uploads::mask(field).await?,
            name => {
                let (name, text) = (name.to_owned(), uploads::long_value(field, MAX_BODY).await?);
                length += name.len() + text.len();
                if length > MAX_BODY {
                    return Err(Error::TooLarge {
                        max_bytes: MAX_BODY as u64,
                    });
                }
                fields.push((name, text));
            }
        }
    }
    let fields = Serializer::new(String::new()).extend_pairs(fields).finish();
    Ok((fields, sent))
}

/// Attaches the pictures of an earlier order again, and checks that there is something to be made of what is attached.
pub(crate) async fn earlier(
    state: &State,
    caller: &Caller,
    order: Order,
    offers: Offers,
    earlier: Option<String>,
    sent: &Sent,
) -> Result<Order> {
    if earlier.is_none() && sent.pictures.is_empty() {
        return match sent.mask {
            Some(_) => Err(Error::invalid(
                "mask",
                "Attach the picture that the mask is for.",
            )),
            None => Ok(order),
        };
    }
    let mut task = match order {
        Order::Image(task) if offers.edits && task.enlarge.is_none() => task,
        _ => {
            let detail = "The model in use makes no pictures from pictures.";
            return Err(Error::invalid("image", detail));
        }
    };
    if task.source.is_some() {
        let detail = "A picture is made from an earlier one, or from those that are attached.";
        return Err(Error::invalid("image", detail));
    }
    if let Some(name) = earlier {
        (task.attached, task.mask) = attached_to(state, caller, &name).await?;
    }
    let number = task.attached.len() + sent.pictures.len();
    if number > MOST_ATTACHED {
        return Err(too_many());
    }
    if (sent.mask.is_some() || task.mask.is_some()) && !offers.masks {
        let detail = "The model in use changes whole pictures only.";
        return Err(Error::invalid("mask", detail));
    }
    if sent.mask.is_some() && sent.pictures.len() != 1 {
        return Err(Error::invalid(
            "mask",
            "A mask is for a single picture that is sent.",
        ));
    }
    if number > 1 && (sent.mask.is_some() || task.mask.is_some()) {
        return Err(Error::invalid("mask", "A mask is for a single picture."));
    }
    Ok(Order::Image(task))
}

/// The pictures, and the mask of a single one.
async fn attached_to(
    state: &State,
    caller: &Caller,
    name: &str,
) -> Result<(Vec<Attached>, Option<String>)> {
    let found = own_named(state, caller, name).await;
    let (_, job) = found.map_err(|error| match error {
        Error::NotFound(_) => gone(),
        error => error,
    })?;
    let Task::Image(ImageTask { attached, mask, .. }) = job.request.task else {
        return Err(gone());
    };
    for Attached { picture, .. } in &attached {
        let size = state.studio.stores.blobs.size(&picture.key).await;
        size.map_err(app::Error::from)?.ok_or_else(gone)?;
    }
    if attached.is_empty() {
        return Err(gone());
    }
    Ok((attached, mask))
}

/// Keeps what was sent and submits the order. Pictures that no job refers to are discarded.
pub(crate) async fn hand_in(
    submission: &mut Submission,
    origin: &Origin,
    order: Order,
    sent: Sent,
) -> Result<Accepted> {
    let (mut kept, decodes) = (Vec::new(), !sent.pictures.is_empty());
    let accepted = match with_pictures(submission, origin, order, sent, &mut kept).await {
        Ok(_) if decodes && submission.left.is_cancelled() => Err(Error::Left),
        Ok(order) => submission.hand_in(order).await,
        Err(error) => Err(error),
    };
    let unknown = matches!(
        &accepted,
        Err(Error::Studio(app::Error::Queue(queue::Error::Store(_))))
    );
    for picture in kept.iter().map(|attached: &Attached| &attached.picture) {
        let refers =
            |accepted: &Accepted| accepted.job.request.task.beginnings().contains(&picture);
        if !unknown && !accepted.as_ref().is_ok_and(refers) {
            submission.state.studio.discard(&picture.key).await;
        }
    }
    if let (true, Err(Error::Left | Error::Studio(app::Error::Limited(_)))) = (decodes, &accepted) {
        uploads::charge_for_decoding(submission, Kind::Image).await;
    }
    accepted
}

/// The order with the pictures, which are noted in `kept` as well.
async fn with_pictures(
    submission: &Submission,
    origin: &Origin,
    order: Order,
    sent: Sent,
    kept: &mut Vec<Attached>,
) -> Result<Order> {
    let Order::Image(mut task) = order else {
        return Ok(order);
    };
    let mut mask = sent.mask;
    for file in sent.pictures {
        let received = Received {
            file,
            mask: mask.take(),
            enlarge: 1,
        };
        let picture = uploads::keep(submission, origin, Kind::Image, received).await?;
        if picture.mask.is_some() {
            task.mask = picture.mask;
        }
        kept.push(Attached {
            picture: picture.original,
            digest: picture.digest,
        });
    }
    task.attached.extend_from_slice(kept);
    if let (Size::Auto, Some(first)) = (&task.size, task.attached.first()) {
        task.size = size_of(&first.picture);
    }
    Ok(Order::Image(task))
}

fn too_many() -> Error {
    let detail = format!("At most {MOST_ATTACHED} pictures can be attached.");
    Error::invalid("image", detail)
}

fn gone() -> Error {
    let detail = "The pictures of that job are no longer here. Attach them again.";
    Error::invalid("attached", detail)
}
