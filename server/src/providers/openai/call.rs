//! The calls of the images API, as a server takes them.

use std::borrow::Cow;

use atelier_api::Background;
use bytes::Bytes;
use reqwest::{
    RequestBuilder,
    multipart::{Form, Part},
};
use serde_json::{Map, Value, json};

use super::{
    super::{Error, bench::Laid, endpoint::Endpoint, frame::Frame, instruction::instruction},
    shape::{Path, Shape, SizeFields},
};
use crate::job::{ImageTask, Picture, RestorationTask};

/// Makes calls for one model.
pub(super) struct Calls<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) shape: Shape,
    /// As the server calls it.
    pub(super) model: &'a str,
}

impl Calls<'_> {
    /// The call for a task: with a prompt alone, or with pictures. `n` pictures, shown so often meanwhile.
    pub(super) fn picture(
        &self,
        task: &ImageTask,
        n: u32,
        pictures: &[Bytes],
        partial_images: u8,
    ) -> Result<RequestBuilder, Error> {
        if pictures.is_empty() {
            return self.generation(task, n, partial_images);
        }
        let mut form = self.altered(task, n, self.size(task))?;
        let name = match (self.image()?, pictures) {
            (name, [_]) => name,
            _ => "image[]",
        };
        for (described, picture) in task.beginnings().into_iter().zip(pictures) {
            form = form.part(name, file_of(described, picture)?);
        }
        Ok(self.edits(streamed(form, partial_images)))
    }

    /// `POST /images/edits` with an attached picture of which only a part changes.
    pub(super) fn change(
        &self,
        task: &ImageTask,
        frame: Frame,
        laid: &Laid,
    ) -> Result<RequestBuilder, Error> {
        let mut form = self.altered(task, task.n, frame.size())?;
        form = form.part(
            self.image()?,
            file(&laid.photo, "picture.jpg", "image/jpeg")?,
        );
        if let Some(mask) = &laid.mask {
            form = form.part("mask", file(mask, "mask.png", "image/png")?);
        }
        Ok(self.edits(form))
    }

    /// What is asked of `POST /images/edits` besides its pictures.
    fn altered(&self, task: &ImageTask, n: u32, size: String) -> Result<Form, Error> {
        let mut form = self.form(&task.styled())?;
        form = form.text("n", n.to_string()).text("size", size);
        if self.shape.is_openai {
            form = form.text("quality", task.quality.to_string());
        }
        if task.background != Background::Auto {
            form = form.text("background", task.background.to_string());
        }
        Ok(form)
    }

    /// `POST /images/generations`.
    fn generation(
        &self,
        task: &ImageTask,
        n: u32,
        partial_images: u8,
    ) -> Result<RequestBuilder, Error> {
        let shape = &self.shape;
        let prompt = task.styled();
        let mut call = Map::new();
        let mut set = |name: &str, value: Value| call.insert(name.to_owned(), value);
        if shape.names_model {
            set("model", json!(self.model));
        }
        set("prompt", json!((shape.prompt)(&prompt)));
        if shape.makes_several {
            set("n", json!(n));
        }
        if shape.size == SizeFields::Sides {
            let (width, height) = Shape::sides(&task.size);
            set("width", json!(width));
            set("height", json!(height));
        } else {
            set("size", json!(self.size(task)));
        }
        if shape.is_openai {
            set("quality", json!(task.quality));
        }
        if let Some(format) = shape.format {
            set("response_format", json!(format));
        }
        if task.background != Background::Auto {
            set("background", json!(task.background));
        }
        if partial_images > 0 {
            set("stream", json!(true));
            set("partial_images", json!(partial_images));
        }
        let request = match shape.path {
            Path::Below(path) => self.endpoint.post(path),
            Path::Routed(provider) => {
                let path = [provider, "v1", "images", "generations"];
                self.endpoint.post_beside("/v1", path)?
            }
        };
        Ok(request.json(&call))
    }

    /// `POST /images/edits` with the photo on a canvas that the model can draw.
    pub(super) fn restoration(
        &self,
        task: &RestorationTask,
        frame: Frame,
        laid: &Laid,
        partial_images: u8,
    ) -> Result<RequestBuilder, Error> {
        let mut form = self.form(&instruction(task))?.text("size", frame.size());
        if self.shape.is_openai {
            form = form.text("quality", "high");
        }
        form = form.part(self.image()?, file(&laid.photo, "photo.jpg", "image/jpeg")?);
        if let Some(mask) = &laid.mask {
            form = form.part("mask", file(mask, "mask.png", "image/png")?);
        }
        if self.shape.is_openai && keeps_faces(self.model) {
            form = form.text("input_fidelity", "high");
        }
        Ok(self.edits(streamed(form, partial_images)))
    }

    fn form(&self, prompt: &str) -> Result<Form, Error> {
        let prompt = (self.shape.prompt)(prompt).into_owned();
        let form = Form::new();
        Ok(if self.shape.names_model {
            form.text("model", self.model.to_owned())
        } else {
            form
        }
        .text("prompt", prompt))
    }

    fn size(&self, task: &ImageTask) -> String {
        if self.shape.size == SizeFields::Auto {
            return task.size.to_string();
        }
        let (width, height) = Shape::sides(&task.size);
        format!("{width}x{height}")
    }

    fn image(&self) -> Result<&'static str, Error> {
        self.shape.edits.ok_or_else(Error::no_picture)
    }

    fn edits(&self, form: Form) -> RequestBuilder {
        self.endpoint.post("images/edits").multipart(form)
    }
}

/// Adds the request for partial pictures to the form.
fn streamed(form: Form, partial_images: u8) -> Form {
    if partial_images == 0 {
        return form;
    }
    form.text("stream", "true")
        .text("partial_images", partial_images.to_string())
}

/// A picture as a form file. Its key would open it to anybody who knows it, so it gets another name.
fn file_of(picture: &Picture, bytes: &Bytes) -> Result<Part, Error> {
    let name = format!("picture.{}", picture.extension());
    file(bytes, name, &picture.media_type)
}

fn file(
    bytes: &Bytes,
    name: impl Into<Cow<'static, str>>,
    media_type: &str,
) -> Result<Part, Error> {
    Part::bytes(bytes.to_vec())
        .file_name(name)
        .mime_str(media_type)
        .map_err(|_| Error::last("misconfigured", "The photo could not be sent."))
}

/// Whether a model accepts `input_fidelity`; compatible servers and small models may refuse it.
fn keeps_faces(model: &str) -> bool {
    model.starts_with("gpt-image-") && !model.contains("mini")
}
