//! Lines: polygons, splines and the small language in which figures are written down.

use tiny_skia::{Path, PathBuilder, Rect};

pub(crate) type Point = (f32, f32);

/// A polygon; `None` (like tiny-skia) where there is nothing to fill.
pub(crate) fn polygon(points: &[Point]) -> Option<Path> {
    let mut pen = PathBuilder::new();
    add_polygon(&mut pen, points);
    pen.finish()
}

pub(crate) fn add_polygon(pen: &mut PathBuilder, points: &[Point]) {
    let Some((first, rest)) = points.split_first() else {
        return;
    };
    pen.move_to(first.0, first.1);
    rest.iter().for_each(|p| pen.line_to(p.0, p.1));
    pen.close();
}

/// A closed smooth curve through all points.
pub(crate) fn blob(points: &[Point]) -> Option<Path> {
    let mut pen = PathBuilder::new();
    add_blob(&mut pen, points);
    pen.finish()
}

/// Catmull-Rom through the points, turned into Bézier curves (a third of the half chord each side).
pub(crate) fn add_blob(pen: &mut PathBuilder, points: &[Point]) {
    let n = points.len();
    if n < 3 {
        return;
    }
    pen.move_to(points[0].0, points[0].1);
    for i in 0..n {
        let at = |k: usize| points[(i + k) % n];
        bend(pen, [at(n - 1), at(0), at(1), at(2)]);
    }
    pen.close();
}

/// Goes on from the current point, which is `points[0]`, smoothly through the others.
pub(crate) fn add_spline(pen: &mut PathBuilder, points: &[Point]) {
    let last = points.len().saturating_sub(1);
    for i in 0..last {
        let before = points[i.saturating_sub(1)];
        bend(
            pen,
            [before, points[i], points[i + 1], points[(i + 2).min(last)]],
        );
    }
}

pub(crate) fn spline(points: &[Point]) -> Option<Path> {
    let mut pen = PathBuilder::new();
    let first = points.first()?;
    pen.move_to(first.0, first.1);
    add_spline(&mut pen, points);
    pen.finish()
}

fn bend(pen: &mut PathBuilder, [a, b, c, d]: [Point; 4]) {
    let (x1, y1) = (b.0 + (c.0 - a.0) / 6.0, b.1 + (c.1 - a.1) / 6.0);
    let (x2, y2) = (c.0 - (d.0 - b.0) / 6.0, c.1 - (d.1 - b.1) / 6.0);
    pen.cubic_to(x1, y1, x2, y2, c.0, c.1);
}

pub(crate) fn ellipse(x: f32, y: f32, rx: f32, ry: f32) -> Option<Path> {
    let mut pen = PathBuilder::new();
    add_ellipse(&mut pen, x, y, rx, ry);
    pen.finish()
}

pub(crate) fn add_ellipse(pen: &mut PathBuilder, x: f32, y: f32, rx: f32, ry: f32) {
    if let Some(rect) = Rect::from_ltrb(x - rx, y - ry, x + rx, y + ry) {
        pen.push_oval(rect);
    }
}

pub(crate) fn rect(left: f32, top: f32, right: f32, bottom: f32) -> Option<Path> {
    Some(PathBuilder::from_rect(Rect::from_ltrb(
        left, top, right, bottom,
    )?))
}

/// Reads a figure's outline. Commands, all absolute: `M x y` move, `L x y…` lines, `R x y…` a smooth
/// curve from here through the points, `B x y…` a closed smooth curve, `E cx cy rx ry` an ellipse, `Z`.
pub(crate) fn parse(text: &str) -> Option<Path> {
    let mut pen = PathBuilder::new();
    let mut here = (0.0, 0.0);
    for command in text
        .split_inclusive(|c: char| c.is_ascii_whitespace())
        .fold(vec![], group)
    {
        let (name, numbers) = command?;
        let points: Vec<Point> = numbers.chunks_exact(2).map(|p| (p[0], p[1])).collect();
        match (name, points.as_slice()) {
            ('M', [p]) => pen.move_to(p.0, p.1),
            ('L', line) => line.iter().for_each(|p| pen.line_to(p.0, p.1)),
            ('R', curve) => add_spline(&mut pen, &[&[here], curve].concat()),
            ('B', curve) => add_blob(&mut pen, curve),
            ('E', [c, r]) => add_ellipse(&mut pen, c.0, c.1, r.0, r.1),
            ('Z', []) => pen.close(),
            _ => return None,
        }
        here = points.last().copied().unwrap_or(here);
    }
    pen.finish()
}

type Command = Option<(char, Vec<f32>)>;

/// Gathers words into commands: a letter opens one, numbers join the last. `None` marks a bad word.
fn group(mut commands: Vec<Command>, word: &str) -> Vec<Command> {
    let word = word.trim();
    match (word.parse::<f32>(), commands.last_mut()) {
        _ if word.is_empty() => {}
        (Ok(number), Some(Some((_, numbers)))) => numbers.push(number),
        (Err(_), _) if word.len() == 1 => commands.push(word.chars().next().map(|c| (c, vec![]))),
        _ => commands.push(None),
    }
    commands
}
