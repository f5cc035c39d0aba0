use std::ops::ControlFlow;

use image::RgbaImage;

use crate::lexicon;
use crate::plan::Plan;
use crate::topic::{Colour, Hour, Scene, Season, Style, Weather};
use crate::words;
use crate::{Error, Sketch, UnknownStyle};

const STYLES: [Style; 8] = [
    Style::Watercolour,
    Style::Ink,
    Style::Pixel,
    Style::Poster,
    Style::Oil,
    Style::Pencil,
    Style::Photo,
    Style::Gouache,
];

fn sketch(prompt: &str) -> Sketch<'_> {
    Sketch::new(prompt, 96, 96)
}

fn drawn(sketch: &Sketch) -> RgbaImage {
    let picture = sketch.draw(|_| ControlFlow::Continue(()));
    picture.unwrap_or_else(|error| panic!("{error} for {:?}", sketch.prompt))
}

/// Mean absolute difference of the channels, `0.0..=255.0`.
fn difference(a: &RgbaImage, b: &RgbaImage) -> f64 {
    let sum: u64 = a
        .iter()
        .zip(b.iter())
        .map(|(a, b)| u64::from(a.abs_diff(*b)))
        .sum();
    sum as f64 / a.len().max(1) as f64
}

fn scene_of(prompt: &str) -> Scene {
    Plan::new(prompt, None, 0).scene
}

#[test]
fn the_same_sketch_is_the_same_picture() {
    for style in STYLES {
        let sketch = Sketch {
            style: Some(style),
            ..sketch("two boats on a lake")
        };
        assert_eq!(
            drawn(&sketch).as_raw(),
            drawn(&sketch).as_raw(),
            "{style:?}"
        );
    }
}

#[test]
fn case_and_white_space_do_not_matter() {
    let (plain, loud) = (
        drawn(&sketch("a red boat")),
        drawn(&sketch("  A  red\nBOAT ")),
    );
    assert_eq!(plain.as_raw(), loud.as_raw());
}

#[test]
fn different_prompts_differ() {
    let prompts = [
        "a cat",
        "mountains",
        "city at night",
        "abstract",
        "desert",
        "winter village",
    ];
    let pictures: Vec<_> = prompts
        .iter()
        .map(|prompt| drawn(&sketch(prompt)))
        .collect();
    for (i, a) in pictures.iter().enumerate() {
        for (j, b) in pictures.iter().enumerate().skip(i + 1) {
            assert!(difference(a, b) > 10.0, "{} and {}", prompts[i], prompts[j]);
        }
    }
}

#[test]
fn variations_differ_but_keep_the_subject() {
    let prompt = "three birds over the mountains";
    let [a, b] = [0, 1].map(|variation| {
        drawn(&Sketch {
            variation,
            ..sketch(prompt)
        })
    });
    assert!(difference(&a, &b) > 3.0);
    let [a, b] = [0, 1].map(|variation| Plan::new(prompt, None, variation));
    assert_eq!(
        (a.scene, a.cast.len(), a.light.sky),
        (b.scene, b.cast.len(), b.light.sky)
    );
}

#[test]
fn styles_differ() {
    let pictures = STYLES.map(|style| {
        drawn(&Sketch {
            style: Some(style),
            ..sketch("a lake")
        })
    });
    for pair in pictures.windows(2) {
        assert!(difference(&pair[0], &pair[1]) > 2.0);
    }
}

#[test]
fn hostile_prompts_are_drawn() {
    let long = "boat ".repeat(6_400) + &"x".repeat(32_000);
    let control: String = (0u8..32).map(char::from).collect();
    let prompts = [
        "",
        "   ",
        &long,
        &control,
        "🐈‍⬛🌊🚀🏔️",
        "قطة في الغابة",
        "夜の山と湖",
        "\u{202e}tac a\u{202c}",
        "İSTANBUL ß ǅ",
        "-- - '' \"\" ; drop table",
        "no no no without cats",
        "nine nine 9 9 9 cats dogs boats trees flowers",
    ];
    for prompt in prompts {
        let picture = drawn(&Sketch {
            width: 64,
            height: 64,
            ..sketch(prompt)
        });
        assert_eq!(picture.dimensions(), (64, 64));
    }
}

#[test]
fn unknown_scripts_choose_by_hash() {
    let (a, b) = (
        drawn(&sketch("夜の山と湖")),
        drawn(&sketch("قطة في الغابة")),
    );
    assert!(difference(&a, &b) > 5.0);
}

#[test]
fn every_scene_and_style_fits_every_ratio() {
    let scenes = [
        "mountains",
        "sea",
        "lake",
        "forest",
        "city",
        "starry sky",
        "desert",
        "meadow",
        "village",
        "still life",
        "interior",
        "abstract",
        "space",
        "underwater",
        "portrait of a cat",
    ];
    for (i, scene) in scenes.into_iter().enumerate() {
        for (width, height) in [(192, 64), (64, 192), (67, 101)] {
            let style = Some(STYLES[i % STYLES.len()]);
            let picture = drawn(&Sketch {
                style,
                width,
                height,
                ..sketch(scene)
            });
            assert_eq!(picture.dimensions(), (width, height), "{scene}");
            assert!(picture.pixels().all(|p| p[3] == 255), "{scene} has holes");
        }
    }
}

#[test]
fn all_styles_at_the_smallest_size_on_offer() {
    for style in STYLES {
        let sketch = Sketch {
            style: Some(style),
            width: 512,
            height: 512,
            ..sketch("a boat")
        };
        assert_eq!(drawn(&sketch).dimensions(), (512, 512));
    }
}

#[test]
fn progress_rises_to_one_and_can_cancel() {
    let mut seen = Vec::new();
    let all = sketch("sea").draw(|done| {
        seen.push(done);
        ControlFlow::Continue(())
    });
    assert!(all.is_ok() && seen.is_sorted() && seen.last() == Some(&1.0));
    for last in 0..seen.len() {
        let mut calls = 0;
        let cancelled = sketch("sea").draw(|_| {
            calls += 1;
            if calls <= last {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        assert_eq!(cancelled, Err(Error::Cancelled), "at call {last}");
    }
}

#[test]
fn sizes_that_cannot_be_held_are_refused() {
    for (width, height) in [(0, 96), (96, 0), (u32::MAX, 1), (u32::MAX, u32::MAX)] {
        let drawn = Sketch::new("sea", width, height).draw(|_| ControlFlow::Continue(()));
        assert_eq!(drawn, Err(Error::Size { width, height }));
    }
}

#[test]
fn styles_have_names() {
    assert_eq!("oil".parse(), Ok(Style::Oil));
    assert_eq!("gouache".parse(), Ok(Style::default()));
    for unknown in ["", "Oil", "no such style"] {
        assert_eq!(
            unknown.parse::<Style>(),
            Err(UnknownStyle(unknown.to_owned()))
        );
    }
}

#[test]
fn words_choose_the_scene_they_name() {
    let expected = [
        ("Snow-capped mountains at dawn", Scene::Mountains),
        ("a stormy ocean", Scene::Sea),
        ("a mountain lake", Scene::Lake),
        ("a path in the woods", Scene::Forest),
        ("skyline of a big city", Scene::City),
        ("the Milky Way", Scene::Night),
        ("sand dunes", Scene::Desert),
        ("fields of lavender", Scene::Meadow),
        ("old villages in Tuscany", Scene::Village),
        ("still life with pears", Scene::StillLife),
        ("a cosy living room", Scene::Interior),
        ("abstract city", Scene::Abstract),
        ("an astronaut", Scene::Space),
        ("coral reef", Scene::Underwater),
        ("portrait of a woman in a garden", Scene::Portrait),
        ("a boat", Scene::Sea),
        ("a cactus", Scene::Desert),
    ];
    for (prompt, scene) in expected {
        let plan = Plan::new(prompt, None, 0);
        let near = prompt == "a boat" && plan.scene == Scene::Lake;
        assert!(plan.scene == scene || near, "{prompt}: {:?}", plan.scene);
    }
}

#[test]
fn swimmers_find_water() {
    assert_eq!(scene_of("a boat in the mountains"), Scene::Lake);
}

#[test]
fn counts_and_colours_belong_to_their_subject() {
    let reading = words::read("Two red boats, three birds and a white horse");
    let found: Vec<_> = reading
        .subjects
        .iter()
        .map(|m| (m.name.as_str(), m.count, m.colour))
        .collect();
    assert_eq!(found[0], ("boat", 2, Some(Colour::Red)));
    assert_eq!(found[1], ("bird", 3, None));
    assert_eq!(found[2], ("horse", 1, Some(Colour::White)));
}

#[test]
fn a_colour_without_a_thing_tints_the_picture() {
    let reading = words::read("a purple evening in the hills");
    assert_eq!(
        (reading.tint, reading.hour),
        (Some(Colour::Purple), Some(Hour::Golden))
    );
}

#[test]
fn plurals_mean_several_and_negation_none() {
    assert_eq!(words::read("cats").subjects[0].count, 3);
    assert_eq!(words::read("wolves and leaves").subjects.len(), 0);
    assert!(words::read("a beach without people").subjects.is_empty());
}

#[test]
fn conditions_are_understood() {
    let plan = Plan::new("a foggy winter night in the forest", None, 0);
    let now = plan.conditions;
    assert_eq!(now.hour, Hour::Night);
    assert_eq!(
        (now.season, now.weather),
        (Some(Season::Winter), Some(Weather::Fog))
    );
}

#[test]
fn the_preset_wins_over_style_words() {
    assert!(Plan::new("an oil painting of a cat", None, 0).style == Style::Oil);
    assert!(Plan::new("an oil painting of a cat", Some(Style::Ink), 0).style == Style::Ink);
    assert!(Plan::new("a cat", None, 0).style == Style::Gouache);
}

#[test]
fn every_listed_subject_can_be_drawn() {
    for name in lexicon::subjects().filter(|name| !["moon", "sun"].contains(name)) {
        assert!(crate::figure::named(name).is_some(), "{name} has no figure");
    }
}
