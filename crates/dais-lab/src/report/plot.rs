//! Drawing: charts as inline SVG.
//!
//! The only module that knows the plotting library. A chart is described in plain data; the library lays out axes,
//! grid and marks, and this module wraps the result with a view box (so that it scales), a title and a description (so
//! that it can be read aloud). Colours are CSS variables of the page, so that one drawing serves light, dark and paper.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use kuva::Theme;
use kuva::backend::svg::SvgBackend;
use kuva::plot::scatter::MarkerShape;
use kuva::plot::{Histogram, LinePlot, ScatterPlot};
use kuva::render::layout::{Layout, TickFormat};
use kuva::render::plots::Plot;
use kuva::render::render::render_multiple;

use super::words;

/// Most points drawn along a line; longer series are averaged to that many.
const LINE_POINTS_MAX: usize = 200;
/// Width of a histogram bar as a share of its bin.
const BAR_SHARE: f64 = 0.88;

/// How a line or mark looks. The page's style sheet gives every pen a colour; the dashes keep pens apart without colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pen {
    Isolated,
    Collaborative,
    Oracle,
    Attack,
    Signature,
    Honest,
    Liars,
    /// One of many things of a kind, by its place among them.
    Series(usize),
}

/// Names of the pens of a series; beyond them colours come again.
const SERIES: [&str; 8] =
    ["series-1", "series-2", "series-3", "series-4", "series-5", "series-6", "series-7", "series-8"];

impl Pen {
    /// Name of the pen in the style sheet: its colour is `--<name>`, the pale one `--<name>-pale`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Isolated => "isolated",
            Self::Collaborative => "collaborative",
            Self::Oracle => "oracle",
            Self::Attack => "attack",
            Self::Signature => "signature",
            Self::Honest => "honest",
            Self::Liars => "liars",
            Self::Series(place) => SERIES[place % SERIES.len()],
        }
    }

    /// Whether its lines are broken.
    pub(super) fn dashed(self) -> bool {
        self.dashes().is_some()
    }

    fn dashes(self) -> Option<&'static str> {
        match self {
            Self::Collaborative | Self::Signature | Self::Honest => None,
            Self::Isolated | Self::Attack | Self::Liars => Some("7 4"),
            Self::Oracle => Some("2 3"),
            Self::Series(place) => [None, Some("7 4"), Some("2 3")][place / SERIES.len() % 3],
        }
    }

    fn marker(self) -> MarkerShape {
        match self {
            Self::Collaborative | Self::Signature | Self::Honest | Self::Series(_) => MarkerShape::Circle,
            Self::Isolated | Self::Attack | Self::Liars => MarkerShape::Square,
            Self::Oracle => MarkerShape::Diamond,
        }
    }
}

/// How strongly a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// The values themselves behind a smoothed line.
    Pale,
    /// A line of a small chart.
    Fine,
    /// A line of a large chart.
    Strong,
}

/// A line; it breaks where a value is missing or not a number.
pub(super) struct Line {
    pub(super) pen: Pen,
    pub(super) weight: Weight,
    pub(super) points: Vec<(f64, Option<f64>)>,
}

/// A single point of note.
pub(super) struct Mark {
    pub(super) pen: Pen,
    pub(super) at: (f64, f64),
}

/// Bars of equal width that share the x axis evenly.
pub(super) struct Bars {
    pub(super) pen: Pen,
    pub(super) counts: Vec<u64>,
}

/// What the numbers along an axis are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Shares in [0, 1], written as percentages.
    Share,
    /// Whole numbers.
    Count,
    /// Numbers in [0, 1], written with one decimal.
    Level,
}

/// An axis from `low` to `high`.
pub(super) struct Axis {
    pub(super) label: Cow<'static, str>,
    pub(super) low: f64,
    pub(super) high: f64,
    /// Distance of the ticks.
    pub(super) tick: f64,
    pub(super) unit: Unit,
}

impl Axis {
    /// Shares from 0 % to 100 %.
    pub(super) fn share(label: &'static str, tick: f64) -> Self {
        Self { label: label.into(), low: 0.0, high: 1.0, tick, unit: Unit::Share }
    }

    /// Whole numbers from 0 to at least `most`, with about `ticks` ticks.
    pub(super) fn count(label: impl Into<Cow<'static, str>>, most: f64, ticks: f64) -> Self {
        let label = label.into();
        let tick = tidy_tick(most.max(1.0) / ticks).max(1.0);
        Self { label, low: 0.0, high: most.max(1.0), tick, unit: Unit::Count }
    }

    /// Shares from 0 to `high`, with about `ticks` ticks.
    pub(super) fn share_up_to(label: &'static str, high: f64, ticks: f64) -> Self {
        let tick = tidy_tick(high / ticks);
        Self { label: label.into(), low: 0.0, high, tick, unit: Unit::Share }
    }

    fn format(&self) -> TickFormat {
        let (unit, tick) = (self.unit, self.tick);
        TickFormat::Custom(Arc::new(move |value| match unit {
            Unit::Share if tick < 0.0099 => format!("{:.1}\u{202f}%", value * 100.0),
            Unit::Share => format!("{:.0}\u{202f}%", value * 100.0),
            Unit::Count => words::count(value.round() as u64),
            Unit::Level => format!("{value:.1}"),
        }))
    }
}

/// The next 1, 2 or 5 times a power of ten from `rough` up, so that tick labels are short.
fn tidy_tick(rough: f64) -> f64 {
    let decade = 10_f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * decade >= rough * 0.999);
    factor.unwrap_or(10.0) * decade
}

/// Size of a chart in its own units; the page scales it to the space there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// A chart across the page.
    Wide,
    /// One of two charts side by side.
    Half,
    /// A flat chart, stacked with others of its kind.
    Flat,
    /// One of many small ones; without axis labels.
    Small,
}

impl Size {
    fn width_height(self) -> (f64, f64) {
        match self {
            Self::Wide => (760.0, 320.0),
            Self::Half => (520.0, 340.0),
            Self::Flat => (520.0, 165.0),
            Self::Small => (250.0, 130.0),
        }
    }

    /// Name of the size in the style sheet.
    fn name(self) -> &'static str {
        match self {
            Self::Wide => "wide",
            Self::Half | Self::Flat => "half",
            Self::Small => "small",
        }
    }
}

/// A chart in plain data.
pub(super) struct Chart {
    /// What it shows, in a few words; read aloud, not drawn.
    pub(super) title: String,
    /// What is to be seen in it, in a sentence; read aloud, not drawn.
    pub(super) description: String,
    pub(super) size: Size,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) lines: Vec<Line>,
    pub(super) marks: Vec<Mark>,
    pub(super) bars: Option<Bars>,
}

impl Chart {
    /// An SVG element to be put into a page; `id` must be unique there.
    pub(super) fn svg(&self, id: &str) -> String {
        let (width, height) = self.size.width_height();
        let scene = render_multiple(self.plots(), self.layout(width, height));
        let drawn = SvgBackend::new().render_scene(&scene);
        let inner = drawn.split_once("-->").map_or(drawn.as_str(), |(_, inner)| inner);
        let mut svg = String::with_capacity(inner.len() + 400);
        let _ = write!(
            svg,
            "<svg class=\"chart {}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\">\
             <title id=\"{id}-title\">{}</title><desc id=\"{id}-desc\">{}</desc>",
            self.size.name(),
            scene.width,
            scene.height,
            words::escaped(&self.title),
            words::escaped(&self.description),
        );
        svg.push_str(&with_own_clips(inner, id));
        svg
    }

    fn plots(&self) -> Vec<Plot> {
        let mut plots = Vec::new();
        if let Some(bars) = &self.bars {
            plots.push(self.histogram(bars));
        }
        for line in &self.lines {
            line.draw(&mut plots);
        }
        for mark in &self.marks {
            plots.push(
                ScatterPlot::new()
                    .with_data([mark.at])
                    .with_marker(mark.pen.marker())
                    .with_size(6.0)
                    .with_color(format!("var(--{})", mark.pen.name()))
                    .into(),
            );
        }
        plots
    }

    fn histogram(&self, bars: &Bars) -> Plot {
        let bins = bars.counts.len();
        let width = (self.x.high - self.x.low) / bins as f64;
        let margin = width * (1.0 - BAR_SHARE) / 2.0;
        let mut edges = vec![self.x.low];
        let mut heights = Vec::with_capacity(2 * bins + 1);
        for (bin, count) in bars.counts.iter().enumerate() {
            let left = self.x.low + width * bin as f64;
            edges.extend([left + margin, left + width - margin]);
            heights.extend([0.0, *count as f64]);
        }
        edges.push(self.x.high);
        heights.push(0.0);
        Histogram::from_bins(edges, heights).with_color(format!("var(--{})", bars.pen.name())).into()
    }

    fn layout(&self, width: f64, height: f64) -> Layout {
        let labelled = |layout: Layout| layout.with_x_label(&*self.x.label).with_y_label(&*self.y.label);
        let layout = Layout::new((self.x.low, self.x.high), (self.y.low, self.y.high))
            .with_width(width)
            .with_height(height)
            .with_clamp_axis()
            .with_x_axis_min(self.x.low)
            .with_x_axis_max(self.x.high)
            .with_y_axis_min(self.y.low)
            .with_y_axis_max(self.y.high)
            .with_x_tick_step(self.x.tick)
            .with_y_tick_step(self.y.tick)
            .with_x_tick_format(self.x.format())
            .with_y_tick_format(self.y.format())
            .with_axis_line_width(1.0)
            .with_tick_width(1.0)
            .with_tick_length(4.0)
            .with_grid_line_width(1.0)
            .with_theme(theme());
        match self.size {
            Size::Small => layout.with_tick_size(11).with_force_margins(44.0, 12.0).with_force_margins_y(8.0, 24.0),
            Size::Wide => labelled(layout).with_tick_size(10).with_label_size(11),
            Size::Half | Size::Flat => labelled(layout).with_tick_size(12).with_label_size(13),
        }
    }
}

impl Line {
    fn draw(&self, plots: &mut Vec<Plot>) {
        let (color, width) = match self.weight {
            Weight::Pale => (format!("var(--{}-pale)", self.pen.name()), 1.0),
            Weight::Fine => (format!("var(--{})", self.pen.name()), 1.8),
            Weight::Strong => (format!("var(--{})", self.pen.name()), 2.4),
        };
        let finite = |&(x, value): &(f64, Option<f64>)| (x, value.filter(|value| value.is_finite()));
        let points: Vec<(f64, Option<f64>)> = self.points.iter().map(finite).collect();
        let points = thinned(&points, LINE_POINTS_MAX);
        for piece in points.split(|(_, value)| value.is_none()).filter(|piece| !piece.is_empty()) {
            let piece: Vec<(f64, f64)> = piece.iter().filter_map(|&(x, value)| Some((x, value?))).collect();
            if piece.len() == 1 {
                let dot = ScatterPlot::new().with_data(piece).with_size(width).with_color(color.as_str());
                plots.push(dot.into());
                continue;
            }
            let mut line = LinePlot::new().with_data(piece).with_color(color.as_str()).with_stroke_width(width);
            if let Some(dashes) = self.pen.dashes().filter(|_| self.weight != Weight::Pale) {
                line = line.with_line_style(kuva::plot::LineStyle::Custom(dashes.to_owned()));
            }
            plots.push(line.into());
        }
    }
}

/// The drawing with clips named after it. The library numbers clips through the whole process; the same chart drawn twice
/// would differ, and charts of one page must not share a name.
fn with_own_clips(drawn: &str, id: &str) -> String {
    let names: Vec<&str> = drawn.split("<clipPath id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    names.iter().enumerate().fold(drawn.to_owned(), |svg, (place, name)| {
        svg.replace(&format!("id=\"{name}\""), &format!("id=\"{id}-clip-{place}\""))
            .replace(&format!("url(#{name})"), &format!("url(#{id}-clip-{place})"))
    })
}

/// At most `most` points: means over runs of neighbours, missing where a whole run is missing. The last point stays.
fn thinned(points: &[(f64, Option<f64>)], most: usize) -> Vec<(f64, Option<f64>)> {
    if points.len() <= most {
        return points.to_vec();
    }
    let run = points.len().div_ceil(most - 1);
    let mut thin: Vec<(f64, Option<f64>)> = points
        .chunks(run)
        .map(|chunk| {
            let x = chunk.iter().map(|(x, _)| x).sum::<f64>() / chunk.len() as f64;
            (x, words::mean(chunk.iter().filter_map(|(_, value)| *value)))
        })
        .collect();
    thin.extend(points.last());
    thin
}

fn theme() -> Theme {
    let ink = || "var(--chart-ink)".to_owned();
    Theme {
        background: "none".to_owned(),
        axis_color: "var(--chart-axis)".to_owned(),
        grid_color: "var(--chart-grid)".to_owned(),
        tick_color: "var(--chart-axis)".to_owned(),
        text_color: ink(),
        ..Theme::light()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(title: &str, lines: Vec<Line>) -> Chart {
        Chart {
            title: title.to_owned(),
            description: "A line.".to_owned(),
            size: Size::Half,
            x: Axis::count("step", 10.0, 5.0),
            y: Axis::share("recall", 0.25),
            lines,
            marks: Vec::new(),
            bars: None,
        }
    }

    fn line(values: &[Option<f64>]) -> Line {
        let points = values.iter().enumerate().map(|(step, value)| (step as f64, *value)).collect();
        Line { pen: Pen::Isolated, weight: Weight::Strong, points }
    }

    #[test]
    fn a_chart_scales_is_named_and_takes_its_colours_from_the_page() {
        let svg = chart("Recall <over> time", vec![line(&[Some(0.1), Some(0.9)])]).svg("recall");
        assert!(svg.starts_with("<svg class=\"chart half\" viewBox=\"0 0 520 340\""));
        assert!(svg.ends_with("</svg>"));
        assert!(svg.contains("<title id=\"recall-title\">Recall &lt;over&gt; time</title>"));
        assert!(svg.contains("stroke=\"var(--isolated)\""));
        assert!(svg.contains("stroke-dasharray=\"7 4\""));
        assert!(svg.contains("id=\"recall-clip-0\"") && svg.contains("url(#recall-clip-0)") && !svg.contains("kuva"));
        assert!(!svg.contains("http://"), "an inline drawing needs no name space");
    }

    #[test]
    fn a_line_breaks_where_a_value_is_missing_and_a_lone_value_is_a_dot() {
        let whole = chart("a", vec![line(&[Some(0.1), Some(0.2), Some(0.3), Some(0.4), Some(0.5)])]).svg("a");
        let broken =
            chart("a", vec![line(&[Some(0.1), Some(0.2), None, Some(0.4), None, Some(0.5), Some(0.5)])]).svg("a");
        let pieces = |svg: &str| svg.matches("stroke-dasharray=\"7 4\"").count();
        assert_eq!(pieces(&whole), 1);
        assert_eq!(pieces(&broken), 2);
        assert_eq!(broken.matches("<circle").count(), 1);
    }

    #[test]
    fn long_lines_are_averaged_and_keep_their_end() {
        let points: Vec<(f64, Option<f64>)> = (0..10_000).map(|step| (f64::from(step), Some(0.5))).collect();
        let thin = thinned(&points, 200);
        assert!(thin.len() <= 201 && thin.len() > 100, "{}", thin.len());
        assert_eq!(thin.last(), points.last());
        assert!(thin.iter().all(|(_, value)| value.is_some_and(|value| (value - 0.5).abs() < 1e-12)));
    }

    #[test]
    fn ticks_are_one_two_or_five_times_a_power_of_ten() {
        let near = |rough: f64, expected: f64| (tidy_tick(rough) - expected).abs() < 1e-9;
        assert!(near(0.013, 0.02) && near(0.02, 0.02) && near(3.0, 5.0) && near(70.0, 100.0));
    }

    #[test]
    fn bars_are_drawn_once_each() {
        let mut bars = chart("trust", Vec::new());
        bars.bars = Some(Bars { pen: Pen::Honest, counts: vec![3, 0, 7] });
        assert_eq!(bars.svg("trust").matches("fill=\"var(--honest)\"").count(), 2);
    }
}
