use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Filter};

use super::{Level, LogParams};

/// Which events are logged, and which spans lend them their fields.
///
/// Spans of level info and above always do: an error tells its run and step even where only errors are logged.
#[derive(Clone, Debug)]
pub(crate) struct Levels(Targets);

impl Levels {
    pub(crate) fn of(params: &LogParams) -> Self {
        let modules = params.modules.iter().map(|(module, level)| (module.clone(), Level::filter(*level)));
        Self(Targets::new().with_default(Level::filter(params.level)).with_targets(modules))
    }
}

fn lends_fields(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && *metadata.level() <= tracing::Level::INFO
}

impl<S: Subscriber> Filter<S> for Levels {
    fn enabled(&self, metadata: &Metadata<'_>, context: &Context<'_, S>) -> bool {
        lends_fields(metadata) || Filter::enabled(&self.0, metadata, context)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if lends_fields(metadata) {
            Interest::always()
        } else {
            <Targets as Filter<S>>::callsite_enabled(&self.0, metadata)
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        <Targets as Filter<S>>::max_level_hint(&self.0).map(|level| level.max(LevelFilter::INFO))
    }
}
