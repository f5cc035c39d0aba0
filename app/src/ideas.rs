//! Prompts to begin with. The built-in engine can draw them, too.

const IDEAS: &[&str] = &[
    "a lighthouse on a cliff at dusk, gulls in the wind",
    "a red boat on a calm sea at sunset",
    "a fox in the snow under tall pines",
    "two cats on a windowsill, rain outside",
    "a village at night with lit windows and a full moon",
    "mountains reflected in a still lake",
    "a field of poppies below a stormy sky",
    "a whale under a sea of stars",
    "a city in the fog, seen from above",
    "a desert road with a single cactus at noon",
    "a bowl of lemons on a blue table",
    "a cabin in the woods, smoke from its chimney",
    "hot-air balloons over green hills in the morning",
    "an old bicycle leaning on a yellow wall",
    "a dragon asleep on a library roof",
    "a harbour at dawn with fishing boats",
    "a forest path in autumn, leaves falling",
    "a teapot, two cups and a window with rain",
    "northern lights over a frozen lake",
    "a train crossing a high bridge in winter",
    "a garden with a pond and a small red bridge",
    "an owl on a branch in front of the moon",
    "a castle on a hill above the clouds",
    "jellyfish in deep blue water",
];

/// The index of an idea, whatever the number.
pub(crate) const fn index(number: usize) -> usize {
    number % IDEAS.len()
}

/// The prompt of this index, if there is one.
pub(crate) fn idea(index: usize) -> Option<&'static str> {
    IDEAS.get(index).copied()
}
