//! Several models to choose from: whose picture it is, what is reserved for it, and who stands in for whom.

use image::ImageFormat;
use reqwest::{Response, multipart::Form};
use serde_json::{Value, json};

use super::mask::mask;
use crate::support::{
    Answer, Atelier, CHARGED, ESTIMATED, OpenAi, Painter, Setup, Stroke, Wire, budget, form, photo,
    problem, taken, text,
};

const OPENAI: &str = "openai/gpt-image-2";

/// OpenAI's model unless another is chosen.
async fn studio(studio: &str, painters: &[&Painter]) -> (Setup, OpenAi, Atelier) {
    let openai = OpenAi::start(vec![]).await;
    let settings = format!("pictures = '{OPENAI}'\n{studio}");
    let setup = Setup::painters(&settings, painters).openai(&openai);
    let server = setup.start();
    (setup, openai, server)
}

async fn send(server: &Atelier, order: &Value) -> Response {
    let order = server.post("/api/images").json(order);
    order.send().await.unwrap()
}

async fn made_by(server: &Atelier, model: &str, prompt: &str) -> Value {
    let order = json!({ "prompt": prompt, "model": model });
    server.succeeded(&server.submit(&order).await).await
}

async fn page(server: &Atelier, path: &str) -> String {
    let page = server.get(path).header("accept", "text/html");
    page.send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn the_chosen_model_makes_the_picture_and_another_model_another() {
    let painter = Painter::start(Wire::Gemini, vec![]).await;
    let choices = format!("picture_choices = '{}'", painter.model());
    let (_setup, openai, mut server) = studio(&choices, &[&painter]).await;
    server.client = server.visitor();
    let usual = server.succeeded(&server.paint("a boat").await).await;
    assert_eq!(usual["model"], OPENAI);
    let other = made_by(&server, &painter.model(), "a boat").await;
    assert_eq!(
        (&other["model"], &other["cache"]),
        (&json!(painter.model()), &json!("miss"))
    );
    for (model, job) in [(OPENAI, &usual), (&painter.model(), &other)] {
        let again = made_by(&server, model, "a boat").await;
        assert_eq!(again["cache"], "exact", "{model}");
        assert_eq!(again["images"], job["images"], "{model}");
    }
    // Named or not, it is the same.
    let unnamed = server.paint("a boat").await;
    assert_eq!(unnamed["images"], usual["images"]);
    assert_eq!((openai.calls().len(), painter.calls().len()), (1, 1));
}

#[tokio::test]
async fn orders_under_way_are_joined_only_by_those_for_the_same_model() {
    let painter = Painter::start(Wire::SdCpp, vec![]).await;
    let openai = OpenAi::start(vec![Answer::Hang]).await;
    let settings = format!(
        "pictures = '{}'\npicture_choices = '{OPENAI}'",
        painter.model()
    );
    let server = (Setup::painters(&settings, &[&painter]).openai(&openai)).start();
    let order = json!({ "prompt": "a boat", "model": OPENAI });
    let first = server.submit(&order).await;
    openai.called(1).await;
    assert_eq!(server.submit(&order).await["cache"], "joined");
    let other = server.succeeded(&server.paint("a boat").await).await;
    assert_eq!(other["model"], painter.model());
    openai.release();
    assert_eq!(server.succeeded(&first).await["model"], OPENAI);
    assert_eq!((openai.calls().len(), painter.calls().len()), (1, 1));
}

#[tokio::test]
async fn only_what_is_offered_can_be_chosen() {
    let [gemini, home] = [Wire::Gemini, Wire::LocalAi].map(|wire| Painter::start(wire, vec![]));
    let (gemini, home) = (gemini.await, home.await);
    // The second stands in for the first, and is not offered.
    let openai = OpenAi::start(vec![]).await;
    let settings = format!(
        "pictures = ['{OPENAI}', '{}']\npicture_choices = '{}'",
        gemini.model(),
        home.model()
    );
    let server = (Setup::painters(&settings, &[&gemini, &home]).openai(&openai)).start();
    let refused = async |answer: Response, code: &str, words: &str| {
        let (status, refused) = problem(answer).await;
        assert_eq!((status, text(&refused["code"])), (422, code), "{refused}");
        assert!(text(&refused["detail"]).contains(words), "{refused}");
    };
    let names = format!("one of {OPENAI}, {}.", home.model());
    for model in [
        &*gemini.model(),
        "gpt-image-2",
        "acme/x",
        "OPENAI/gpt-image-2",
    ] {
        let order = json!({ "prompt": "a boat", "model": model });
        refused(send(&server, &order).await, "model", &names).await;
    }
    let fields = Form::new().text("prompt", "a boat").text("model", "acme/x");
    let answer = server.post("/api/images").multipart(fields).send();
    refused(answer.await.unwrap(), "model", &names).await;
    let fields = form(photo(64, 64, ImageFormat::Png)).text("model", "local/restorer-1");
    let answer = server.post("/api/restorations").multipart(fields).send();
    refused(answer.await.unwrap(), "model", "one of").await;
    // A form without a choice sends none.
    let job = made_by(&server, "", "a boat").await;
    assert_eq!(job["model"], OPENAI);
    assert_eq!(home.calls().len(), 0);
    // What it cannot do is refused before it is asked.
    let order = json!({ "prompt": "at night", "from": job["id"], "model": home.model() });
    refused(
        send(&server, &order).await,
        "from",
        "no pictures from pictures",
    )
    .await;
    let clear = json!({ "prompt": "a cup", "background": "transparent", "model": home.model() });
    refused(send(&server, &clear).await, "background", "background").await;
    let larger = json!({ "from": job["id"], "enlarge": 2, "model": OPENAI });
    refused(send(&server, &larger).await, "enlarge", "leave those out").await;
}

#[tokio::test]
async fn one_that_can_is_chosen_for_what_the_usual_one_cannot() {
    let painter = Painter::start(Wire::Gemini, vec![]).await;
    let settings = format!("picture_choices = '{}'", painter.model());
    let server = Setup::painters(&settings, &[&painter]).start();
    let source = server.succeeded(&server.paint("a boat").await).await;
    assert_eq!(source["model"], "local/sketch-1");
    let order = json!({ "prompt": "at night", "from": source["id"], "model": painter.model() });
    let job = taken(send(&server, &order).await).await;
    assert_eq!(server.succeeded(&job).await["model"], painter.model());
    let page = page(&server, &format!("/jobs/{}", text(&source["id"]))).await;
    let field = format!("name=\"model\" value=\"{}\"", painter.model());
    let edit = page.split("class=\"edit\"").nth(1).unwrap();
    assert!(edit.contains(&field), "{edit}");
}

#[tokio::test]
async fn the_operators_list_stands_in_for_the_chosen_one_if_it_is_in_it() {
    let down = || Stroke::Error(503, json!({}));
    let spent = Stroke::Error(402, json!({ "error": "no credit" }));
    let listed = Painter::start(Wire::Gemini, vec![down()]).await;
    let alone = Painter::start(Wire::HuggingFace, vec![spent]).await;
    let openai = OpenAi::start(vec![]).await;
    let (second, third) = (listed.model(), alone.model());
    let settings =
        format!("pictures = ['{OPENAI}', '{second}']\npicture_choices = ['{second}', '{third}']");
    let setup = Setup::painters(&settings, &[&listed, &alone]).openai(&openai);
    let server = setup.start();
    let job = made_by(&server, &second, "a boat").await;
    assert_eq!(
        (&job["model"], &job["attempt"]),
        (&json!(OPENAI), &json!(1))
    );
    // Nobody makes another's picture who was not meant to.
    let order = json!({ "prompt": "a mill", "model": third });
    let job = server.finished(&server.submit(&order).await).await;
    assert_eq!(job["error"]["code"], "provider_credit_exhausted");
    assert_eq!(job["model"], third);
    let calls = [openai.calls(), listed.calls(), alone.calls()].map(|calls| calls.len());
    assert_eq!(calls, [1, 1, 1]);
}

#[tokio::test]
async fn the_price_of_the_chosen_model_is_reserved() {
    let painter = Painter::start(Wire::HuggingFace, vec![]).await;
    let openai = OpenAi::start(vec![Answer::Hang]).await;
    let (model, upstream) = (painter.model(), painter.upstream());
    let file = format!(
        "{}[studio]\npictures = '{model}'\npicture_choices = '{OPENAI}'\n\
         prices = [{{ model = '{model}', picture = 0.02 }}]\n{upstream}",
        budget(1)
    );
    let setup = (Setup::with_file(&file).with_keys(&[&painter])).openai(&openai);
    let server = setup.start();
    let order = json!({ "prompt": "a boat", "size": "1024x1024", "model": OPENAI });
    let job = server.submit(&order).await;
    openai.called(1).await;
    server.settled(1.0 - ESTIMATED).await;
    openai.release();
    server.succeeded(&job).await;
    server.settled(1.0 - CHARGED).await;
    let order = json!({ "prompt": "a boat", "size": "1024x1024" });
    server.succeeded(&server.submit(&order).await).await;
    server.settled(1.0 - CHARGED - 0.02).await;
}

#[tokio::test]
async fn a_limit_for_each_provider_counts_that_of_the_chosen_model() {
    let painter = Painter::start(Wire::SdCpp, vec![]).await;
    let openai = OpenAi::start(vec![]).await;
    let (model, upstream) = (painter.model(), painter.upstream());
    let file = format!(
        "[[limits]]\nname = 'each'\nscope = 'provider'\nunit = 'images'\nalgorithm = 'fixed_window'\nquota = 1\n\
         window = '365d'\n[studio]\npictures = '{OPENAI}'\npicture_choices = '{model}'\n{upstream}"
    );
    let server = Setup::with_file(&file).openai(&openai).start();
    for model in [OPENAI, &*model] {
        made_by(&server, model, "a boat").await;
        let order = json!({ "prompt": "a mill", "model": model });
        assert_eq!(problem(send(&server, &order).await).await.0, 429, "{model}");
    }
}

#[tokio::test]
async fn the_form_offers_what_there_is_with_its_price() {
    let [gemini, home] = [Wire::Gemini, Wire::SdCpp].map(|wire| Painter::start(wire, vec![]));
    let (gemini, home) = (gemini.await, home.await);
    let choices = format!(
        "picture_choices = ['{}', '{}']",
        gemini.model(),
        home.model()
    );
    let (_setup, _openai, mut server) = studio(&choices, &[&gemini, &home]).await;
    server.client = server.visitor();
    let form = page(&server, "/").await;
    for (id, label) in [
        (OPENAI.to_owned(), "gpt-image-2"),
        (gemini.model(), "gemini-3-pro-image"),
        (home.model(), "sd-cpp-local"),
    ] {
        assert!(form.contains(&format!("value=\"{id}\"")), "{id}: {form}");
        assert!(form.contains(&format!(">{label}</bdi>")), "{label}: {form}");
    }
    // 1024 x 1536 pixels, twice; and nothing for a server of one's own.
    assert!(
        form.contains("class=\"auto tall of-2\">$0.45</data>"),
        "{form}"
    );
    assert!(
        form.contains("sd-cpp-local</bdi><small>free</small>"),
        "{form}"
    );
    assert!(form.contains("sent to OpenAI") && form.contains("sent to gemini"));
    // The card, and the form that it fills in, stay with the model.
    let job = made_by(&server, &gemini.model(), "a boat").await;
    let id = text(&job["id"]);
    let hidden = format!(
        "type=\"hidden\" name=\"model\" value=\"{}\"",
        gemini.model()
    );
    let card = page(&server, &format!("/jobs/{id}")).await;
    let forms = card.matches(&hidden).count();
    assert_eq!(forms, 3, "again, edit, and variations: {card}");
    let checked = |form: &str| {
        let inputs = form
            .split("<input ")
            .filter_map(|part| part.split('>').next());
        let mut models = inputs.filter(|input| input.contains("name=\"model\""));
        let chosen = models.find(|input| input.contains(" checked"))?;
        let value = chosen.split("value=\"").nth(1)?.split('"').next()?;
        Some(value.to_owned())
    };
    assert_eq!(checked(&form).as_deref(), Some(OPENAI));
    let filled = page(&server, &format!("/?from={id}")).await;
    assert_eq!(checked(&filled), Some(gemini.model()));
}

#[tokio::test]
async fn with_one_model_nothing_is_asked() {
    let (_setup, _openai, mut server) =
        studio("picture_choices = ['openai/gpt-image-2']", &[]).await;
    server.client = server.visitor();
    let job = server.succeeded(&server.paint("a boat").await).await;
    for path in ["/", "/restore", &format!("/jobs/{}", text(&job["id"]))] {
        assert!(
            !page(&server, path).await.contains("name=\"model\""),
            "{path}"
        );
    }
    made_by(&server, OPENAI, "a mill").await;
}

#[tokio::test]
async fn a_photo_is_restored_again_by_another_without_being_sent_again() {
    let painter = Painter::start(Wire::Gemini, vec![]).await;
    let settings = format!("photo_choices = '{}'", painter.model());
    let mut server = Setup::painters(&settings, &[&painter]).start();
    server.client = server.visitor();
    let restore = async |fields: Form| {
        let answer = server.post("/api/restorations").multipart(fields).send();
        answer.await.unwrap()
    };
    let job = taken(restore(form(photo(400, 300, ImageFormat::Jpeg))).await).await;
    let first = server.succeeded(&job).await;
    assert_eq!(first["model"], "local/restorer-1");
    let card = page(&server, &format!("/jobs/{}", text(&first["id"]))).await;
    assert!(card.contains("Built-in restorer") && card.contains(">gemini-3-pro-image</bdi>"));
    let again = || {
        let fields = Form::new().text("original", text(&first["id"]).to_owned());
        fields.text("model", painter.model())
    };
    // It neither enlarges nor repairs in part, whatever the form has dials for.
    let fields = again().text("enlarge", "2").text("strength", "40");
    let job = taken(restore(fields).await).await;
    let second = server.succeeded(&job).await;
    assert_eq!(second["model"], painter.model());
    assert_eq!(second["original"], first["original"]);
    let params = &second["params"];
    assert_eq!(
        (&params["enlarge"], &params["strength"]),
        (&json!(1), &json!(100))
    );
    assert_eq!(painter.calls().len(), 1);
    let same = taken(restore(again()).await).await;
    assert_eq!(
        (&same["cache"], &same["images"]),
        (&json!("exact"), &second["images"])
    );
    let brushed = reqwest::multipart::Part::bytes(mask(400, 300, 0..80)).file_name("mask.png");
    let (status, refused) = problem(restore(again().part("mask", brushed)).await).await;
    assert_eq!((status, text(&refused["code"])), (422, "mask"));
}
