//! One random cut tree.

use rand_philox::{Philox, u32_to_unit_f32};
use serde::{Deserialize, Serialize};

/// No node.
const NONE: u16 = u16::MAX;

/// Extensions are summed in so many lanes, which fit the vector registers.
const LANES: usize = 8;

/// The rows that trees point into, one after the other.
#[derive(Clone, Copy)]
pub(super) struct Points<'a> {
    pub(super) values: &'a [f32],
    pub(super) features: usize,
}

impl<'a> Points<'a> {
    pub(super) fn point(self, row: u32) -> &'a [f32] {
        &self.values[row as usize * self.features..][..self.features]
    }
}

/// A cut: values of the feature that are at most `at` lie below the first child.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Cut {
    feature: u16,
    at: f32,
    children: [u16; 2],
}

/// A random cut tree of at most `sample` points.
///
/// Nodes with numbers below `sample` are cuts, the others are leaves, one for each distinct point. A node that is not in use has
/// the count 0 and its first values, so that equal trees compare equal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Tree {
    root: u16,
    cuts: Vec<Cut>,
    /// The leaf of each point, in a ring in the order in which they came.
    members: Vec<u16>,
    /// What follows from the above and the points: of each node the points below and the cut above, of each leaf the row of its
    /// newest point, of each cut the bounding box (lowest, then highest values) and the sum of its sides.
    #[serde(skip)]
    counts: Vec<u16>,
    #[serde(skip)]
    parents: Vec<u16>,
    #[serde(skip)]
    rows: Vec<u32>,
    #[serde(skip)]
    boxes: Vec<f32>,
    #[serde(skip)]
    spans: Vec<f32>,
}

/// A tree as it was written, not yet checked.
#[derive(Deserialize)]
pub(super) struct TreeParts {
    root: u16,
    cuts: Vec<Cut>,
    members: Vec<u16>,
}

/// A place on the way of a point down a tree at which a new cut may separate it.
pub(super) struct Step<'a> {
    /// Lowest and highest values of what is below.
    pub(super) bounds: (&'a [f32], &'a [f32]),
    /// The summed extension of these bounds that takes the point in.
    pub(super) extension: f32,
    /// What a unit of extension adds to the expected displacement.
    pub(super) weight: f32,
}

/// How far a value lies outside of a range.
pub(super) fn outside(value: f32, low: f32, high: f32) -> f32 {
    (low - value).max(value - high).max(0.0)
}

fn extension(point: &[f32], (low, high): (&[f32], &[f32])) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let chunks = point.chunks_exact(LANES).zip(low.chunks_exact(LANES)).zip(high.chunks_exact(LANES));
    for ((point, low), high) in chunks {
        for (lane, sum) in lanes.iter_mut().enumerate() {
            *sum += outside(point[lane], low[lane], high[lane]);
        }
    }
    let rest = point.len() / LANES * LANES;
    let rest = point[rest..].iter().zip(&low[rest..]).zip(&high[rest..]);
    lanes.iter().sum::<f32>() + rest.map(|((&value, &low), &high)| outside(value, low, high)).sum::<f32>()
}

impl Tree {
    pub(super) fn new(sample: usize, features: usize) -> Self {
        Self {
            root: NONE,
            cuts: vec![Cut::default(); sample],
            members: vec![NONE; sample],
            counts: vec![0; 2 * sample],
            parents: vec![NONE; 2 * sample],
            rows: vec![0; sample],
            boxes: vec![0.0; 2 * sample * features],
            spans: vec![0.0; sample],
        }
    }

    /// What is stored of a tree.
    #[cfg(test)]
    pub(super) fn parts(&self) -> TreeParts {
        TreeParts { root: self.root, cuts: self.cuts.clone(), members: self.members.clone() }
    }

    pub(super) fn size_bytes(&self) -> usize {
        size_of_val(&self.cuts[..])
            + 2 * (self.members.len() + self.counts.len() + self.parents.len())
            + 4 * (self.rows.len() + self.boxes.len() + self.spans.len())
    }

    fn sample(&self) -> usize {
        self.members.len()
    }

    /// The leaf with this number among the leaves, or nothing for a cut.
    fn leaf(&self, node: usize) -> Option<usize> {
        node.checked_sub(self.sample())
    }

    fn bounds<'a>(&'a self, node: usize, points: Points<'a>) -> (&'a [f32], &'a [f32]) {
        match self.leaf(node) {
            Some(leaf) => (points.point(self.rows[leaf]), points.point(self.rows[leaf])),
            None => self.boxes[2 * node * points.features..][..2 * points.features].split_at(points.features),
        }
    }

    fn span(&self, node: usize) -> f32 {
        self.spans.get(node).copied().unwrap_or_default()
    }

    /// On which side of a cut a point lies.
    fn side(&self, cut: usize, point: &[f32]) -> usize {
        usize::from(point[usize::from(self.cuts[cut].feature)] > self.cuts[cut].at)
    }

    /// Takes a point down the tree and calls `each` where a cut of its own may separate it. Returns the rest of its expected
    /// collusive displacement: what it has if no cut does, which is what a point that is already there has.
    pub(super) fn descend(&self, points: Points<'_>, point: &[f32], mut each: impl FnMut(Step<'_>)) -> f32 {
        if self.root == NONE {
            return 0.0;
        }
        // The probability that no cut further up separates the point, and what it displaces there.
        let (mut node, mut stays, mut above) = (usize::from(self.root), 1.0f32, 0.0f32);
        loop {
            let bounds = self.bounds(node, points);
            let extension = extension(point, bounds);
            if extension > 0.0 {
                let displaced = above.max(self.counts[node].into());
                let total = extension + self.span(node);
                each(Step { bounds, extension, weight: stays * displaced / total });
                stays *= 1.0 - extension / total;
                if stays <= 0.0 {
                    return 0.0;
                }
            }
            if self.leaf(node).is_some() {
                return stays * above;
            }
            let side = self.side(node, point);
            let [child, sibling] = [side, 1 - side].map(|side| usize::from(self.cuts[node].children[side]));
            above = above.max(f32::from(self.counts[sibling]) / (f32::from(self.counts[child]) + 1.0));
            node = child;
        }
    }

    /// Puts the point of `row` at a place of the ring that is free.
    pub(super) fn insert(&mut self, points: Points<'_>, row: u32, place: usize, words: &mut Philox) {
        let point = points.point(row);
        if let Some(leaf) = self.find(points, point) {
            self.rows[leaf] = row;
            self.members[place] = (leaf + self.sample()) as u16;
            self.add_to_counts(leaf + self.sample(), 1);
            return;
        }
        let (Some(leaf), Some(branch)) = (self.free(self.sample()..2 * self.sample()), self.free(0..self.sample()))
        else {
            return;
        };
        let sample = self.sample();
        self.rows[leaf - sample] = row;
        self.counts[leaf] = 1;
        self.members[place] = leaf as u16;
        if self.root == NONE {
            self.root = leaf as u16;
            return;
        }
        let (node, feature, at) = self.draw_cut(points, point, words);
        let (low, high) = self.bounds(node, points);
        let is_below = point[feature] <= at;
        let children = if is_below { [leaf as u16, node as u16] } else { [node as u16, leaf as u16] };
        let joined: Vec<f32> = (low.iter().zip(point).map(|(&low, &value)| low.min(value)))
            .chain(high.iter().zip(point).map(|(&high, &value)| high.max(value)))
            .collect();
        self.boxes[2 * branch * points.features..][..2 * points.features].copy_from_slice(&joined);
        self.measure(branch, points.features);
        self.cuts[branch] = Cut { feature: feature as u16, at, children };
        self.counts[branch] = self.counts[node];
        let parent = self.parents[node];
        self.replace(parent, node, branch);
        self.parents[node] = branch as u16;
        self.parents[leaf] = branch as u16;
        self.add_to_counts(branch, 1);
        self.widen(parent, point);
    }

    /// The leaf with this point.
    fn find(&self, points: Points<'_>, point: &[f32]) -> Option<usize> {
        if self.root == NONE {
            return None;
        }
        let mut node = usize::from(self.root);
        loop {
            if let Some(leaf) = self.leaf(node) {
                return (points.point(self.rows[leaf]) == point).then_some(leaf);
            }
            node = self.cuts[node].children[self.side(node, point)].into();
        }
    }

    fn free(&self, nodes: std::ops::Range<usize>) -> Option<usize> {
        let start = nodes.start;
        self.counts[nodes].iter().position(|&count| count == 0).map(|place| start + place)
    }

    /// The highest node that a random cut separates from the point, and the feature and value of the cut.
    fn draw_cut(&self, points: Points<'_>, point: &[f32], words: &mut Philox) -> (usize, usize, f32) {
        let mut node = usize::from(self.root);
        loop {
            let bounds = self.bounds(node, points);
            let extension = extension(point, bounds);
            let drawn = u32_to_unit_f32(words.next_u32()) * (extension + self.span(node));
            if drawn < extension || self.leaf(node).is_some() {
                let (feature, at) = cut_outside(point, bounds, extension, words);
                return (node, feature, at);
            }
            node = self.cuts[node].children[self.side(node, point)].into();
        }
    }

    /// Takes away the point at a place of the ring.
    pub(super) fn remove(&mut self, points: Points<'_>, place: usize) {
        let leaf = usize::from(self.members[place]);
        self.members[place] = NONE;
        self.add_to_counts(leaf, -1);
        if self.counts[leaf] > 0 {
            return;
        }
        let sample = self.sample();
        self.rows[leaf - sample] = 0;
        let parent = self.parents[leaf];
        self.parents[leaf] = NONE;
        if parent == NONE {
            self.root = NONE;
            return;
        }
        let branch = usize::from(parent);
        let [first, second] = self.cuts[branch].children.map(usize::from);
        let sibling = if first == leaf { second } else { first };
        let above = self.parents[branch];
        self.parents[sibling] = above;
        self.replace(above, branch, sibling);
        self.cuts[branch] = Cut::default();
        self.counts[branch] = 0;
        self.parents[branch] = NONE;
        self.spans[branch] = 0.0;
        self.boxes[2 * branch * points.features..][..2 * points.features].fill(0.0);
        let mut node = above;
        while node != NONE && self.join(node.into(), points) {
            node = self.parents[usize::from(node)];
        }
    }

    /// Hangs `new` where `old` hangs.
    fn replace(&mut self, parent: u16, old: usize, new: usize) {
        self.parents[new] = parent;
        if parent == NONE {
            self.root = new as u16;
            return;
        }
        for child in &mut self.cuts[usize::from(parent)].children {
            if usize::from(*child) == old {
                *child = new as u16;
            }
        }
    }

    fn add_to_counts(&mut self, node: usize, change: i16) {
        let mut node = node as u16;
        while node != NONE {
            let count = &mut self.counts[usize::from(node)];
            *count = count.wrapping_add_signed(change);
            node = self.parents[usize::from(node)];
        }
    }

    /// Takes a point into the boxes from a cut upwards.
    fn widen(&mut self, cut: u16, point: &[f32]) {
        let mut node = cut;
        while node != NONE {
            let (low, high) =
                self.boxes[2 * usize::from(node) * point.len()..][..2 * point.len()].split_at_mut(point.len());
            let mut is_wider = false;
            for ((low, high), &value) in low.iter_mut().zip(high).zip(point) {
                is_wider |= value < *low || value > *high;
                *low = low.min(value);
                *high = high.max(value);
            }
            if !is_wider {
                return;
            }
            self.measure(node.into(), point.len());
            node = self.parents[usize::from(node)];
        }
    }

    /// Makes the box of a cut anew from those of its children; whether it has changed.
    fn join(&mut self, cut: usize, points: Points<'_>) -> bool {
        let children = self.cuts[cut].children.map(|child| self.bounds(child.into(), points));
        let [(first_low, first_high), (second_low, second_high)] = children;
        let joined: Vec<f32> = (first_low.iter().zip(second_low).map(|(&a, &b)| a.min(b)))
            .chain(first_high.iter().zip(second_high).map(|(&a, &b)| a.max(b)))
            .collect();
        let bounds = &mut self.boxes[2 * cut * points.features..][..2 * points.features];
        let is_changed = joined != bounds;
        bounds.copy_from_slice(&joined);
        self.measure(cut, points.features);
        is_changed
    }

    fn measure(&mut self, cut: usize, features: usize) {
        let (low, high) = self.boxes[2 * cut * features..][..2 * features].split_at(features);
        self.spans[cut] = low.iter().zip(high).map(|(low, high)| high - low).sum();
    }

    /// Checks a tree of so many points and works out what was not stored; `row` tells the row of the point at a place of
    /// the ring if there is one, `newest` the place of the newest.
    pub(super) fn check(
        parts: TreeParts,
        points: Points<'_>,
        sample: usize,
        newest: usize,
        row: impl Fn(usize) -> Option<u32>,
    ) -> Option<Self> {
        let TreeParts { root, cuts, members } = parts;
        if cuts.len() != sample || members.len() != sample {
            return None;
        }
        let mut tree = Self { root, cuts, members, ..Self::new(sample, points.features) };
        // From the oldest to the newest, so that the newest row of equal ones stays.
        for place in (1..=sample).map(|after| (newest + after) % sample) {
            let (member, row) = (usize::from(tree.members[place]), row(place));
            match row {
                None if member == usize::from(NONE) => {}
                Some(row) if (sample..2 * sample).contains(&member) => {
                    tree.counts[member] += 1;
                    tree.rows[member - sample] = row;
                }
                _ => return None,
            }
        }
        let leaves = tree.counts.iter().filter(|&&count| count > 0).count();
        let order = tree.nodes_from_the_root(points.features, leaves)?;
        for &node in order.iter().rev().filter(|&&node| node < sample) {
            let [first, second] = tree.cuts[node].children.map(|child| tree.counts[usize::from(child)]);
            tree.counts[node] = first + second;
            tree.join(node, points);
        }
        let is_clean = |(node, cut): (usize, &Cut)| tree.counts[node] > 0 || *cut == Cut::default();
        tree.cuts.iter().enumerate().all(is_clean).then_some(tree)
    }

    /// All nodes, each after the one above, if they are a tree with just the leaves that have points; sets what is above.
    fn nodes_from_the_root(&mut self, features: usize, leaves: usize) -> Option<Vec<usize>> {
        let mut order = Vec::new();
        if self.root == NONE {
            return (leaves == 0).then_some(order);
        }
        let mut is_seen = vec![false; self.counts.len()];
        let (mut open, mut found) = (vec![usize::from(self.root)], 0);
        while let Some(node) = open.pop() {
            if *is_seen.get(node)? {
                return None;
            }
            is_seen[node] = true;
            order.push(node);
            if self.leaf(node).is_some() {
                found += 1;
                if self.counts[node] == 0 {
                    return None;
                }
                continue;
            }
            let Cut { feature, at, children } = self.cuts[node];
            if usize::from(feature) >= features || !at.is_finite() {
                return None;
            }
            for child in children.map(usize::from) {
                *self.parents.get_mut(child)? = node as u16;
                open.push(child);
            }
        }
        (found == leaves).then_some(order)
    }
}

/// A cut between a point and a box, uniform over the extension of the box that takes the point in.
fn cut_outside(point: &[f32], (low, high): (&[f32], &[f32]), extension: f32, words: &mut Philox) -> (usize, f32) {
    let drawn = u32_to_unit_f32(words.next_u32()) * extension;
    let (mut chosen, mut sum) = (0, 0.0);
    for (feature, &value) in point.iter().enumerate() {
        let length = outside(value, low[feature], high[feature]);
        if length > 0.0 {
            chosen = feature;
            sum += length;
            if sum > drawn {
                break;
            }
        }
    }
    // Values up to the cut lie below it: it is at least the lower end, and less than the upper one.
    let (value, share) = (point[chosen], u32_to_unit_f32(words.next_u32()));
    let (from, to) = if value < low[chosen] { (value, low[chosen]) } else { (high[chosen], value) };
    let at = from + share * (to - from);
    (chosen, if at < to { at.max(from) } else { from })
}
