use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::flood::{Flood, LeftOut, Verdict};
use super::line::{Fields, Line, Value};
use super::sink::Sinks;

/// Writes events to the sinks, each with the fields of the spans around it.
pub(crate) struct Lines {
    pub(crate) flood: Flood,
    pub(crate) sinks: Sinks,
    pub(crate) started: Instant,
}

impl Lines {
    fn write(&self, metadata: &'static Metadata<'static>, fields: &Fields) {
        let level = (*metadata.level()).into();
        self.sinks.write(&Line { at: Timestamp::now(), level, target: metadata.target(), fields });
    }

    fn tell(&self, left_out: &LeftOut) {
        let message = left_out.message();
        let count = ("left_out", Value::Unsigned(left_out.count));
        self.write(left_out.metadata, &Fields { message, rest: vec![count] });
    }

    /// Tells what was left out in seconds that are over; at the end, in all.
    pub(crate) fn sweep(&self, at_the_end: bool) {
        let now = (!at_the_end).then(|| self.started.elapsed());
        self.flood.sweep(now).iter().for_each(|left_out| self.tell(left_out));
    }

    fn event<S>(&self, event: &Event<'_>, fields: &mut Fields, context: &Context<'_, S>)
    where
        S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    {
        let (verdict, earlier) = self.flood.judge(event.metadata(), self.started.elapsed());
        if let Some(left_out) = earlier {
            self.tell(&left_out);
        }
        match verdict {
            Verdict::More => return,
            Verdict::First => {
                event.record(fields);
                self.flood.remember(event.metadata(), &fields.message);
                return;
            }
            Verdict::Pass => event.record(fields),
        }
        let scope = context.event_scope(event);
        for span in scope.into_iter().flatten() {
            if let Some(outer) = span.extensions().get::<Fields>() {
                fields.enclose(outer);
            }
        }
        self.write(event.metadata(), fields);
    }
}

thread_local! {
    /// Fields of the event at hand: their memory serves the next one.
    static FIELDS: RefCell<Fields> = RefCell::default();
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Lines").field("flood", &self.flood).finish_non_exhaustive()
    }
}

/// The layer as a registry takes it.
pub(crate) struct Shared(pub(crate) Arc<Lines>);

impl<S> Layer<S> for Shared
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        span.extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(fields) = span.extensions_mut().get_mut::<Fields>() {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        FIELDS.with(|own| {
            // A value that logs while it is written finds the memory taken, and takes its own.
            match own.try_borrow_mut() {
                Ok(mut fields) => {
                    fields.message.clear();
                    fields.rest.clear();
                    self.0.event(event, &mut fields, &context);
                }
                Err(_) => self.0.event(event, &mut Fields::default(), &context),
            }
        });
    }
}
