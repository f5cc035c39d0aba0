//! Forms with files.

use super::*;
use crate::Counter;

const KIND: Option<&str> = Some("multipart/form-data; charset=utf-8; boundary=\"x y\"");

const PICTURE: (&str, &str) = (
    "name=\"image[]\"; filename=\"a \\\"b\\\".png\"\r\nContent-Type: image/png",
    "\r\n--x \u{1f5bc}\r\n\r\n",
);

fn form(parts: &[(&str, &str)]) -> String {
    let parts = parts.iter().map(|(head, content)| {
        format!("--x y\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n")
    });
    format!("{}--x y--\r\n", parts.collect::<String>())
}

fn edit(parts: &[(&str, &str)]) -> Result<Call, ApiError> {
    Call::read(Endpoint::ImageEdits, KIND, Bytes::from(form(parts)))
}

#[test]
fn fields_are_read_and_files_left_where_they_are() {
    let call = edit(&[
        PICTURE,
        PICTURE,
        ("name=\"prompt\"", "Blue"),
        ("name=n", "2"),
        ("NAME=\"stream\"", "True"),
        ("name=\"model\"", "gpt-image-2"),
        ("name=\"user\"", "u"),
    ]);
    let call = call.unwrap();
    assert_eq!(
        (call.model(), call.n(), call.user()),
        (Some("gpt-image-2"), 2, Some("u"))
    );
    assert!(call.is_stream() && call.has_attachments() && !call.is_deterministic());
    assert_eq!(call.estimate(Counter::for_model("m")).images, 2);
    assert_eq!(call.question("m"), None);
    let Form::Multipart(form) = &call.form else {
        panic!("it is a form");
    };
    assert_eq!(form.parts[0].file_name.as_deref(), Some("a \"b\".png"));
    assert_eq!(form.parts[0].content_type.as_deref(), Some("image/png"));
    assert_eq!(
        call.body[form.parts[1].content.clone()],
        *PICTURE.1.as_bytes()
    );
}

#[test]
fn all_but_the_model_is_passed_on() {
    let parts = |model| {
        [
            ("name=\"prompt\"", "Blue"),
            PICTURE,
            ("name=\"model\"", model),
        ]
    };
    let call = edit(&parts("small")).unwrap();
    assert_eq!(
        call.for_upstream("gpt-image-2", true),
        form(&parts("gpt-image-2"))
    );
    assert_eq!(call.for_upstream("small", true), *call.body());
    // Without one, it comes first.
    let bare = [("name=\"prompt\"", "Blue"), PICTURE];
    let call = edit(&bare).unwrap();
    assert_eq!(call.model(), None);
    let whole = [("name=\"model\"", "m"), bare[0], bare[1]];
    assert_eq!(call.for_upstream("m", true), form(&whole));
    assert_eq!(call.for_upstream("", true), *call.body());
}

#[test]
fn the_boundary_does_not_count_but_everything_else_does() {
    let prompt = ("name=\"prompt\"", "Blue");
    let key = edit(&[prompt, PICTURE]).unwrap().digest("s", "m");
    let mask = ("name=\"mask\"; filename=\"a\"", PICTURE.1);
    for parts in [
        vec![("name=\"prompt\"", "blue"), PICTURE],
        vec![prompt, (PICTURE.0, "other")],
        vec![prompt, mask],
        vec![prompt, PICTURE, PICTURE],
    ] {
        assert_ne!(edit(&parts).unwrap().digest("s", "m"), key);
    }
    let same = [
        ("name=\"stream\"", "true"),
        PICTURE,
        ("name=\"user\"", "u"),
        prompt,
    ];
    assert_eq!(edit(&same).unwrap().digest("s", "m"), key);
    let other = form(&[prompt, PICTURE]).replace("--x y", "--zzz");
    let kind = Some("multipart/form-data; boundary=zzz");
    let other = Call::read(Endpoint::ImageEdits, kind, Bytes::from(other));
    assert_eq!(other.unwrap().digest("s", "m"), key);
}

#[test]
fn broken_forms_are_refused() {
    let whole = form(&[("name=\"prompt\"", "Blue"), PICTURE]);
    for body in [
        String::new(),
        whole.replace("--x y--", ""),
        whole.replace("\r\n\r\n", "\r\n"),
        whole.replace("form-data; name=\"prompt\"", "form-data"),
        "--x y--".to_owned(),
        "--x y\r\n--x y--".to_owned(),
        "--x yz".to_owned(),
        form(&[("name=\"prompt\"", "a"), ("name=\"prompt\"", "b")]),
        form(&[("name=\"n\"", "many"), ("name=\"prompt\"", "b")]),
        form(&vec![("name=\"x\"", ""); 300]),
        form(&[PICTURE]),
    ] {
        let read = Call::read(Endpoint::ImageEdits, KIND, Bytes::from(body.clone()));
        assert_eq!(read.map(|_| body).unwrap_err().status, 400);
    }
    for boundary in ["", "; boundary=", "; boundary=\"é\"", "; boundary=\"x y"] {
        let kind = format!("multipart/form-data{boundary}");
        let read = Call::read(
            Endpoint::ImageEdits,
            Some(&kind),
            Bytes::from(whole.clone()),
        );
        assert!(read.is_err(), "{kind}");
    }
}

#[test]
fn recordings_come_in_forms_alone() {
    let parts = [
        ("name=\"model\"", "whisper-1"),
        ("name=\"file\"; filename=\"a.mp3\"", "...."),
    ];
    let read = |endpoint, parts| Call::read(endpoint, KIND, Bytes::from(form(parts)));
    let call = read(Endpoint::Transcriptions, &parts).unwrap();
    let estimate = call.estimate(Counter::for_model("m"));
    assert_eq!((call.model(), estimate.seconds), (Some("whisper-1"), 1));
    assert!(read(Endpoint::Transcriptions, &parts[..1]).is_err());
    assert!(read(Endpoint::ChatCompletions, &parts).is_err());
}
