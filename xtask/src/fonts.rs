//! The fonts of the browser tests: a wide and a narrow family, so that pages look the same on every
//! machine and layouts work with both.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::{debian, exec};

const PACKAGES: &str = "fonts-dejavu-core fonts-liberation-sans-narrow";

/// About the widest and the narrowest fonts in common use. Each configuration has only one of them.
const FAMILIES: [Family; 2] = [
    Family {
        name: "wide",
        folder: "dejavu",
        sans: "DejaVu Sans",
        serif: "DejaVu Serif",
        mono: "DejaVu Sans Mono",
    },
    Family {
        name: "narrow",
        folder: "liberation",
        sans: "Liberation Sans Narrow",
        serif: "Liberation Sans Narrow",
        mono: "Liberation Sans Narrow",
    },
];

struct Family {
    name: &'static str,
    /// In Debian's folder of TrueType fonts.
    folder: &'static str,
    sans: &'static str,
    serif: &'static str,
    mono: &'static str,
}

/// A folder with a fontconfig file for each family, `wide.conf` and `narrow.conf`.
pub(crate) fn configurations() -> Result<PathBuf> {
    let root = debian::unpacked("fonts", PACKAGES).with_context(|| {
        let place = exec::target().join("fonts/root");
        format!("put the files of {PACKAGES} into {}", place.display())
    })?;
    let fonts = root.join("usr/share/fonts/truetype");
    let folder = exec::target().join("fonts");
    for family in &FAMILIES {
        let file = folder.join(family.name).with_extension("conf");
        fs::write(file, family.configuration(&fonts, &folder.join("cache")))?;
    }
    Ok(folder)
}

impl Family {
    fn configuration(&self, fonts: &Path, cache: &Path) -> String {
        let own = fonts.join(self.folder);
        let generic = [
            ("sans-serif", self.sans),
            ("system-ui", self.sans),
            ("serif", self.serif),
            ("monospace", self.mono),
        ];
        let aliases = generic.map(|(generic, family)| {
            format!(
                "<alias binding=\"strong\"><family>{generic}</family><prefer><family>{family}</family></prefer></alias>\n"
            )
        });
        format!(
            "<?xml version=\"1.0\"?>\n<!DOCTYPE fontconfig SYSTEM \"fonts.dtd\">\n<fontconfig>\n\
             <dir>{}</dir>\n<cachedir>{}</cachedir>\n{}</fontconfig>\n",
            own.display(),
            cache.display(),
            aliases.concat()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_is_there_by_itself() {
        let folder = configurations().unwrap();
        for family in &FAMILIES {
            let file = folder.join(family.name).with_extension("conf");
            let text = fs::read_to_string(file).unwrap();
            let (_, rest) = text.split_once("<dir>").unwrap();
            let (fonts, _) = rest.split_once("</dir>").unwrap();
            let mut files = fs::read_dir(fonts).unwrap();
            assert!(
                files.any(|file| file.unwrap().path().extension().is_some_and(|e| e == "ttf")),
                "{fonts}"
            );
        }
    }
}
