//! JSON Schema (draft 2020-12) of what this program writes, from the types that write it; committed under `schema/`.
//!
//! | file | of |
//! |---|---|
//! | `schema/v1.json` | a line of a file of records |
//! | `schema/figures-v1.json` | what `report --json` writes |
//!
//! The number is that of the format. What is added to the format is added to the schema, and old files remain valid; what
//! changes a meaning gets a new number, and a file of its own.

use bench_core::{Clock, Pass, Transfer};
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Value, json};

use crate::export::{self, Figures};
use crate::record::{End, Header, Kind, Note, Refused, VERSION};

/// Of a line of a file of records.
#[must_use]
pub fn records() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let lines = [
        line::<Header>(&mut generator),
        line::<Refused>(&mut generator),
        line::<Note>(&mut generator),
        line::<Clock>(&mut generator),
        line::<Transfer>(&mut generator),
        line::<Pass>(&mut generator),
        line::<End>(&mut generator),
    ];
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("A record of bench-harness, version {VERSION}"),
        "description": "A file of records is JSON Lines: each line is one of these, the first of the kind \"run\". Times are in ticks, of which there are hz in a second.",
        "oneOf": lines,
        "$defs": generator.take_definitions(true),
    })
}

/// A line has the fields of its record beside those of every line.
fn line<R: Kind + JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    let record = generator.subschema_for::<R>();
    json!({
        "type": "object",
        "properties": { "v": { "const": VERSION }, "kind": { "const": R::KIND } },
        "required": ["v", "kind"],
        "allOf": [record],
    })
}

/// Of what `report --json` writes.
#[must_use]
pub fn figures() -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Figures>().to_value();
    schema["title"] = json!(format!("The figures of runs of bench-harness, version {}", export::VERSION));
    schema
}
