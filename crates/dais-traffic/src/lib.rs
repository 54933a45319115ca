//! Flows: schema, batches, truth, context features, synthetic campaigns and readers of real logs.
//!
//! A [`Source`] hands every site an [`Observation`] a step: a [`Batch`], which an agent may see, and a
//! [`Truth`], which only an evaluation may see. An agent's code takes `&Batch`, so labels cannot reach it.
#![forbid(unsafe_code)]

mod batch;
mod context;
mod flow;
mod partition;
mod pool;
mod reader;
mod recorded;
mod schema;
mod source;
mod stream;
mod synthetic;
mod table;
mod technique;
mod truth;
mod writer;

pub use batch::{Batch, BatchBuilder, Endpoint, Endpoints};
pub use context::{CONTEXT_FLOWS, CONTEXT_SPAN_S, Context, FLOW_CATEGORICAL, FLOW_NUMERIC, flow_schema};
pub use flow::{ConnState, Flow, Protocol, Service};
pub use partition::{Partition, PartitionError, RowKey, SiteRows};
pub use pool::{Pool, PoolError, PoolParams};
pub use reader::{
    Account, FlowLog, FlowReader, Format, Input, LabelledFlow, NotRecognised, ReadError, ReadOptions, ReadStats,
    RowError, detect, read,
};
pub use recorded::{Recorded, RecordedError, RecordedParams};
pub use schema::{Categorical, Numeric, Schema, SchemaError, Transform};
pub use source::{Observation, Source};
pub use synthetic::{
    Campaign, CampaignFamily, CampaignMix, Campaigns, SiteProfile, Synthetic, SyntheticError, SyntheticParams,
};
pub use table::{
    CategoricalColumn, LabelColumn, Leak, LeftOut, Missing, Numbers, NumericColumn, Rows, Table, TableSchema,
    TableSchemaError, TableSet, TableSetError, fill_missing, leave_out_leaks, suspects,
};
pub use truth::{Family, FamilyId, Label, Truth};
pub use writer::{FlowFormat, FlowWriter};
