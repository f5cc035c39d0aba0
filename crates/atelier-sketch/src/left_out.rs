//! What the prompt names and the picture does not show.

use crate::figure;
use crate::part::{Part, UNDER_THE_SKY};
use crate::plan::{Plan, Role};
use crate::topic::{Colour, Scene, Weather};
use crate::words::Thing;

/// As many words as fit beside a picture.
const MOST: usize = 12;

impl Plan {
    pub(crate) fn left_out(&self) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        for wanted in &self.wanted {
            let told = words
                .iter()
                .any(|word| word.eq_ignore_ascii_case(&wanted.word));
            if !told && !wanted.any.iter().any(|thing| self.draws(thing)) {
                words.push(wanted.word.clone());
            }
        }
        words.truncate(MOST);
        words
    }

    fn draws(&self, thing: &Thing) -> bool {
        match thing {
            Thing::Subject(name) => self.plays(name),
            Thing::Part(part) => self.paints(*part),
            Thing::Season(season) => self.conditions.season == Some(*season) && self.is_outdoors(),
            Thing::Weather(weather) => {
                self.conditions.weather == Some(*weather) && self.has(*weather)
            }
            Thing::Trimmed(name, trim) => figure::named(name).is_some_and(|it| it.shows(*trim)),
            Thing::Coloured(part, colour) => self.colours(*part, *colour),
        }
    }

    fn plays(&self, name: &str) -> bool {
        let is = |role: &Role| role.figure.is(name);
        match name {
            "moon" => (self.shows_orb() && self.light.night) || self.is_on_the_moon(),
            "sun" => self.shows_orb() && !self.light.night,
            _ if self.scene == Scene::Portrait && self.cast.iter().all(Role::is_human) => {
                self.cast.first().is_some_and(is)
            }
            "vase" if self.bouquet.is_some() => true,
            _ => {
                let flowers = self.bouquet.iter().map(|bouquet| &bouquet.flowers);
                self.cast.iter().chain(flowers).any(is)
            }
        }
    }

    fn shows_orb(&self) -> bool {
        UNDER_THE_SKY.contains(&self.scene)
    }

    /// Who stands in space stands on dust and craters.
    fn is_on_the_moon(&self) -> bool {
        self.scene == Scene::Space && self.stands()
    }

    fn paints(&self, part: Part) -> bool {
        let dark = self.light.night || self.scene == Scene::Space;
        part.scenes().contains(&self.scene)
            && match part {
                Part::Star | Part::Aurora => dark,
                Part::Water => self.scene != Scene::City || !self.has_street(),
                _ => true,
            }
    }

    fn has_street(&self) -> bool {
        self.stands() || self.names(Part::Street)
    }

    fn is_outdoors(&self) -> bool {
        UNDER_THE_SKY.contains(&self.scene) || self.scene == Scene::Forest
    }

    fn has(&self, weather: Weather) -> bool {
        match weather {
            Weather::Clear => true,
            // The window shows the sky alone.
            Weather::Cloud | Weather::Storm => UNDER_THE_SKY.contains(&self.scene),
            Weather::Rain | Weather::Fog | Weather::Snow => {
                self.is_outdoors() && self.scene != Scene::Interior
            }
        }
    }

    /// The colour of a part that is not there is not missed.
    fn colours(&self, part: Part, colour: Colour) -> bool {
        let usual = match part {
            Part::Cloud => matches!(colour, Colour::White | Colour::Grey),
            Part::Star => matches!(colour, Colour::White | Colour::Yellow),
            _ => false,
        };
        usual || part.surface().is_some() || !self.paints(part)
    }
}

#[cfg(test)]
mod tests {
    use crate::Sketch;

    /// Prompts, with the words that are not drawn.
    const EVALUATED: [(&str, &[&str]); 46] = [
        ("a red boat on a blue sea", &[]),
        ("a bowl of lemons on a blue table", &["bowl"]),
        (
            "A lighthouse on a cliff at dusk, gulls in the wind",
            &["cliff"],
        ),
        ("two cats on a windowsill, rain outside", &["rain"]),
        ("a dragon asleep on a library roof", &["library", "roof"]),
        ("a train crossing a high bridge in winter", &["bridge"]),
        ("an old bicycle leaning on a yellow wall", &["wall"]),
        (
            "a cabin in the woods, smoke from its chimney",
            &["smoke", "chimney"],
        ),
        ("an astronaut riding a white horse", &[]),
        (
            "a photo of a dog, highly detailed, 4k, trending on artstation",
            &[],
        ),
        ("Wombats playing chess", &["wombats", "chess"]),
        (
            "a unicorn in a garden of purple flowers",
            &["unicorn", "garden"],
        ),
        (
            "portrait of a woman in a red dress with a pearl earring",
            &["dress", "pearl", "earring"],
        ),
        (
            "an oil painting of a ship in a storm, in the style of William Turner",
            &[],
        ),
        ("calm sea at dusk", &[]),
        ("a red and white lighthouse", &[]),
        ("a red and white horse", &["white"]),
        ("no people, an empty beach at sunrise", &[]),
        ("a meadow without a tree", &[]),
        ("three blue birds over green hills", &[]),
        ("a yellow submarine", &["submarine"]),
        ("a castle on a hill under heavy clouds", &[]),
        ("pink clouds over the desert", &["pink"]),
        ("the moon over snowy mountains", &[]),
        ("northern lights over a frozen lake", &[]),
        (
            "a teapot, two cups and a window with rain",
            &["window", "rain"],
        ),
        ("a harbour at dawn with fishing boats", &["harbour"]),
        ("jellyfish in deep blue water", &[]),
        ("a pink sky above black mountains", &[]),
        ("a cat wearing a green hat", &["hat"]),
        ("Cyberpunk city at night, neon signs, rain", &[]),
        ("an astronaut on the moon, stars above", &[]),
        (
            "a glass of red wine, bread and cheese on a wooden table",
            &["glass", "cheese", "wooden"],
        ),
        (
            "a tiny house on the back of a giant turtle",
            &["tiny", "giant"],
        ),
        ("a rainbow after the rain, golden light", &["rainbow"]),
        ("a bedroom with a piano, snow falling outside", &[]),
        ("", &[]),
        ("夜の山と湖", &["夜の山と湖"]),
        ("ein rotes Boot auf ruhiger See", &[]),
        ("Eine Schale Zitronen auf einem blauen Tisch", &["Schale"]),
        (
            "zwei Katzen auf dem Fensterbrett, draußen regnet es",
            &["regnet"],
        ),
        (
            "eine Hütte im Wald, Rauch steigt aus dem Schornstein",
            &["Rauch", "Schornstein"],
        ),
        ("Ein alter Wombat spielt Schach", &["Wombat", "Schach"]),
        ("Häuser und Bäume unter einem violetten Himmel", &[]),
        ("grüne Wolken über der Wüste", &["grün"]),
        (
            "ein Garten mit Teich und kleiner roter Brücke",
            &["Garten", "Brücke"],
        ),
    ];

    #[test]
    fn what_is_named_and_not_drawn_is_said() {
        for (prompt, missing) in EVALUATED {
            for variation in 0..3 {
                let sketch = Sketch {
                    variation,
                    ..Sketch::new(prompt, 64, 64)
                };
                assert_eq!(sketch.left_out(), missing, "{prompt}");
            }
        }
    }

    #[test]
    fn no_more_is_said_than_fits() {
        let prompt = ('a'..='z').map(|c| format!("wombat{c} "));
        let prompt: String = prompt.collect();
        assert_eq!(Sketch::new(&prompt, 64, 64).left_out().len(), super::MOST);
    }
}
