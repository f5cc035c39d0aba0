//! The built-in restorer on photographs aged by a known model, beside OpenCV on the same files.
//! `cargo xtask eval restore` runs this: `age PHOTOS WORK`, then OpenCV, then `score WORK PEER`;
//! `cargo xtask pictures` makes the photos that visitors may try: `samples PHOTOS FOLDER`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "an evaluation that fails should say where"
)]

mod ageing;
mod likeness;
mod samples;

use std::{
    collections::BTreeMap, env, fs, ops::ControlFlow, path::Path, process::Command, time::Instant,
};

use ageing::{Fault, STRENGTHS, aged};
use atelier_restore::{Options, restore};
use image::{RgbImage, codecs::jpeg::JpegEncoder, imageops};
use likeness::{psnr, ssim};
use rayon::prelude::*;

/// Every photo in the folder stays as it is; on these the faults are tried.
const AGED: [&str; 8] = [
    "astronaut",
    "brick",
    "camera",
    "chelsea",
    "coffee",
    "coins",
    "motorcycle_left",
    "rocket",
];
/// Width and height of the photos that are timed.
const TIMED: [(u32, u32); 2] = [(1600, 1250), (4000, 3000)];
const PEERS: [&str; 2] = ["clahe", "levels"];
/// Of the pictures shown side by side.
const SHOWN: [&str; 3] = ["astronaut", "chelsea", "coffee"];

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|a| a != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["age", photos, work] => age(Path::new(photos), Path::new(work)),
        ["score", work, seconds] => score(Path::new(work), seconds),
        ["time", photo] => time(Path::new(photo)),
        ["samples", photos, folder] => samples::make(Path::new(photos), Path::new(folder)),
        _ => panic!("age PHOTOS WORK | score WORK SECONDS | time PHOTO | samples PHOTOS FOLDER"),
    }
}

fn open(path: &Path) -> RgbImage {
    image::open(path).unwrap().into_rgb8()
}

/// Every case: its name, and the faults with a strength.
fn cases() -> Vec<(String, Vec<Fault>, usize)> {
    let single = |fault: Fault| (fault.name(), vec![fault]);
    let mut kinds: Vec<_> = Fault::ALL.into_iter().map(single).collect();
    kinds.push(("all together", Fault::ALL.to_vec()));
    kinds
        .into_iter()
        .flat_map(|(name, faults)| {
            (0..STRENGTHS.len())
                .map(move |s| (format!("{name}, {}", STRENGTHS[s]), faults.clone(), s))
        })
        .collect()
}

fn file(photo: &str, case: &str) -> String {
    format!("{photo}-{}.png", case.replace([',', ' '], "_"))
}

fn age(photos: &Path, work: &Path) {
    let (clean, old) = (work.join("clean"), work.join("aged"));
    fs::create_dir_all(&clean).unwrap();
    fs::create_dir_all(&old).unwrap();
    for entry in fs::read_dir(photos).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        open(&path).save(clean.join(format!("{name}.png"))).unwrap();
    }
    let jobs: Vec<_> = AGED
        .iter()
        .enumerate()
        .flat_map(|(seed, photo)| cases().into_iter().map(move |case| (seed, *photo, case)))
        .collect();
    jobs.par_iter()
        .for_each(|(seed, photo, (case, faults, strength))| {
            let photo_file = clean.join(format!("{photo}.png"));
            let picture = aged(&open(&photo_file), faults, *strength, 2026 + *seed as u64);
            picture.save(old.join(file(photo, case))).unwrap();
        });
    let photo = open(&clean.join("astronaut.png"));
    for (width, height) in TIMED {
        let large = imageops::resize(&photo, width, height, imageops::FilterType::CatmullRom);
        let large = aged(&large, &Fault::ALL, 1, 1);
        large.save(old.join(timed(width, height))).unwrap();
    }
}

fn timed(width: u32, height: u32) -> String {
    format!("{width}x{height}.png")
}

fn restored(photo: RgbImage) -> RgbImage {
    restore(photo, &Options::default(), |_| ControlFlow::Continue(())).unwrap()
}

/// Sums of PSNR and SSIM of one way.
#[derive(Default, Clone, Copy)]
struct Score(f64, f64);

impl Score {
    fn of(clean: &RgbImage, picture: &RgbImage) -> Self {
        Self(psnr(clean, picture), ssim(clean, picture))
    }
}

fn score(work: &Path, seconds: &str) {
    let out = work.join("ours");
    fs::create_dir_all(&out).unwrap();
    println!("| fault, strength | aged | Atelier | OpenCV, CLAHE | OpenCV, levels |");
    println!("| --- | --- | --- | --- | --- |");
    for (case, _, _) in cases() {
        let mut sums = [Score::default(); 4];
        for photo in AGED {
            let name = file(photo, &case);
            let clean = open(&work.join("clean").join(format!("{photo}.png")));
            let old = open(&work.join("aged").join(&name));
            let ours = restored(old.clone());
            ours.save(out.join(&name)).unwrap();
            let peers = PEERS.map(|way| open(&work.join("opencv").join(way).join(&name)));
            let ways = [&old, &ours, &peers[0], &peers[1]];
            if env::var_os("EACH").is_some() {
                let each: Vec<String> = ways
                    .iter()
                    .map(|w| cell(Score::of(&clean, w), 1.0))
                    .collect();
                println!("    {photo:16} {}", each.join(" | "));
            }
            for (sum, way) in sums.iter_mut().zip(ways) {
                let score = Score::of(&clean, way);
                *sum = Score(sum.0 + score.0, sum.1 + score.1);
            }
        }
        let cells = sums.map(|sum| cell(sum, AGED.len() as f64));
        println!("| {case} | {} |", cells.join(" | "));
    }
    println!("\n| undamaged photo | restored, against itself |\n| --- | --- |");
    let clean: BTreeMap<_, _> = fs::read_dir(work.join("clean"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_stem().unwrap().to_owned(), path))
        .collect();
    for (name, path) in clean {
        let photo = open(&path);
        let kept = psnr(&photo, &restored(photo.clone()));
        println!("| {} | {kept:.1} dB |", name.display());
    }
    speed(work, seconds);
    for photo in SHOWN {
        show(work, photo);
    }
}

fn cell(sum: Score, count: f64) -> String {
    format!("{:.2} dB, {:.3}", sum.0 / count, sum.1 / count)
}

/// Each photo in a process of its own, for its peak of memory.
fn speed(work: &Path, seconds: &str) {
    let peer: BTreeMap<String, f64> = serde_json::from_str(seconds).unwrap();
    println!("\n| size | Atelier | memory above idle | OpenCV |\n| --- | --- | --- | --- |");
    for (width, height) in TIMED {
        let name = timed(width, height);
        let photo = work.join("aged").join(&name);
        let own = Command::new(env::current_exe().unwrap())
            .arg("time")
            .arg(photo)
            .output()
            .unwrap();
        let own = String::from_utf8(own.stdout).unwrap();
        let stem = name.trim_end_matches(".png");
        println!("| {stem} | {} | {:.2} s |", own.trim(), peer[stem]);
    }
}

fn time(photo: &Path) {
    let photo = open(photo);
    let bytes = photo.as_raw().len();
    let idle = memory("VmRSS") - bytes as f64 / 1e6;
    // Decoding had its own peak.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let begin = Instant::now();
    drop(restored(photo));
    let seconds = begin.elapsed().as_secs_f64();
    println!("{seconds:.2} s | {:.0} MB", memory("VmHWM") - idle);
}

/// A line of the process's status, in megabytes.
fn memory(name: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    let number = line.split_whitespace().nth(1).unwrap();
    number.parse::<f64>().unwrap() * 1024.0 / 1e6
}

/// Clean, aged, ours and OpenCV's better one in a row, for the documentation.
fn show(work: &Path, photo: &str) {
    let name = file(photo, "all together, medium");
    let parts = [
        work.join("clean").join(format!("{photo}.png")),
        work.join("aged").join(&name),
        work.join("ours").join(&name),
        work.join("opencv/levels").join(&name),
    ]
    .map(|path| open(&path));
    let (width, height) = parts[0].dimensions();
    let mut row = RgbImage::from_pixel(4 * width + 24, height, image::Rgb([255; 3]));
    for (place, part) in (0..).zip(&parts) {
        imageops::replace(&mut row, part, place * i64::from(width + 8), 0);
    }
    let file = fs::File::create(work.join(format!("{photo}.jpg"))).unwrap();
    row.write_with_encoder(JpegEncoder::new_with_quality(file, 85))
        .unwrap();
}
