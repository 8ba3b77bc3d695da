//! The committed schemas are those of the types, and what there is of records is valid by them.
//!
//! `BLESS=1 cargo test -p bench-harness --test schema` writes them.
//!
//! The check of a value knows the words that these schemas use, and panics at any other: a schema that grows a word which is
//! not checked is found out. (A crate for all of JSON Schema brings thirty others along.)

use std::fs;
use std::path::{Path, PathBuf};

use bench_harness::export::Figures;
use bench_harness::read::read;
use bench_harness::{record, schema};
use serde_json::{Value, json};

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Compares `schema` with the committed one, or writes it.
fn is_committed(schema: &Value, name: &str) {
    let path = package().join("schema").join(name);
    let text = serde_json::to_string_pretty(schema).unwrap() + "\n";
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "{} is not what the types say: BLESS=1, and look at the change", path.display());
}

#[test]
fn the_committed_schemas_are_those_of_the_types() {
    is_committed(&schema::records(), &format!("v{}.json", record::VERSION));
    is_committed(&schema::figures(), &format!("figures-v{}.json", bench_harness::export::VERSION));
}

/// Why `value` is not valid by `schema`, a part of `root`, at `at`.
fn fault(root: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    if let Some(all) = schema.as_bool() {
        return (!all).then(|| format!("{at}: nothing is allowed here"));
    }
    let valid = |schema: &Value| fault(root, schema, value, at).is_none();
    schema.as_object().expect("a schema is an object").iter().find_map(|(word, argument)| {
        let parts = || argument.as_array().unwrap_or_else(|| panic!("{word} has a list")).iter();
        let no = |why: &str| Some(format!("{at}: {why}: {value:.80}"));
        match word.as_str() {
            "$schema" | "$defs" | "title" | "description" | "default" | "format" => None,
            "$ref" => {
                let pointer =
                    argument.as_str().and_then(|path| path.strip_prefix('#')).expect("a reference in the file");
                let target = root.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is not there"));
                fault(root, target, value, at)
            }
            "type" => {
                let is = |name: &Value| match name.as_str().expect("a type has a name") {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "null" => value.is_null(),
                    "number" => value.is_number(),
                    "integer" => value.is_u64() || value.is_i64(),
                    other => panic!("no type {other}"),
                };
                let any = if argument.is_array() { parts().any(is) } else { is(argument) };
                if any { None } else { no(&format!("is no {argument}")) }
            }
            "const" => {
                if value == argument {
                    None
                } else {
                    no(&format!("is not {argument}"))
                }
            }
            "enum" => {
                if parts().any(|one| one == value) {
                    None
                } else {
                    no("is none of the names")
                }
            }
            "minimum" => {
                if !value.is_number() || value.as_f64() >= argument.as_f64() {
                    None
                } else {
                    no("is too small")
                }
            }
            "maximum" => {
                if !value.is_number() || value.as_f64() <= argument.as_f64() {
                    None
                } else {
                    no("is too large")
                }
            }
            "allOf" => parts().find_map(|part| fault(root, part, value, at)),
            "anyOf" => {
                if parts().any(valid) {
                    None
                } else {
                    no("is valid by none")
                }
            }
            "oneOf" => match parts().filter(|part| valid(part)).count() {
                1 => None,
                count => no(&format!("is valid by {count} of what should be one")),
            },
            "required" => {
                let missing = parts().find(|name| value.is_object() && value.get(name.as_str().unwrap()).is_none());
                missing.and_then(|name| no(&format!("{name} is missing")))
            }
            "properties" => argument
                .as_object()
                .expect("properties have names")
                .iter()
                .find_map(|(name, part)| fault(root, part, value.get(name)?, &format!("{at}.{name}"))),
            "additionalProperties" => {
                assert_eq!(argument, false, "only this is checked");
                let known = |name: &String| schema["properties"].get(name).is_some();
                value.as_object().and_then(|value| value.keys().find(|name| !known(name))).and_then(|name| no(name))
            }
            "items" => {
                let mut items = value.as_array()?.iter().enumerate();
                items.find_map(|(i, item)| fault(root, argument, item, &format!("{at}[{i}]")))
            }
            other => panic!("the check does not know the word {other}: {argument}"),
        }
    })
}

fn valid(schema: &Value, value: &Value) -> Result<(), String> {
    fault(schema, schema, value, "").map_or(Ok(()), Err)
}

/// Every file of records that is committed with results.
fn results() -> Vec<PathBuf> {
    let directory = package().parent().unwrap().join("docs/results");
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

#[test]
fn every_committed_record_is_valid_and_so_are_its_figures() {
    let (records, figures) = (schema::records(), schema::figures());
    for path in results() {
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in (1..).zip(text.lines()) {
            let record: Value = serde_json::from_str(line).unwrap();
            valid(&records, &record).unwrap_or_else(|why| panic!("{}:{number}: {why}", path.display()));
        }
        let run = read(&path).unwrap().run;
        let json = serde_json::from_str(&Figures::of([&run]).json().unwrap()).unwrap();
        valid(&figures, &json).unwrap_or_else(|why| panic!("figures of {}: {why}", path.display()));
    }
}

#[test]
fn what_is_no_record_is_not_valid() {
    let records = schema::records();
    let good = json!({"v": 1, "kind": "transfer", "a": 0, "b": 1, "hz": 1000, "hops": 8, "ticks": 9});
    assert_eq!(valid(&records, &good), Ok(()));
    let scenario = json!({"lock": "mcs", "strategy": "merged", "workload": "pair", "cores": 2});
    let refused = json!({"v": 1, "kind": "refused", "scenario": scenario, "why": "for once"});
    assert_eq!(valid(&records, &refused), Ok(()), "what was added later may be missing");
    let with = |record: &Value, pointer: &str, value: Value| {
        let mut record = record.clone();
        *record.pointer_mut(pointer).unwrap() = value;
        valid(&records, &record)
    };
    assert!(with(&good, "/v", json!(2)).is_err(), "another version");
    assert!(with(&good, "/kind", json!("joy")).is_err(), "another kind");
    assert!(with(&good, "/kind", json!("clock")).is_err(), "a clock has other fields");
    assert!(with(&good, "/a", json!(-1)).is_err(), "there is no such core");
    assert!(with(&good, "/a", json!(70_000)).is_err(), "nor such a one");
    assert!(with(&refused, "/scenario/strategy", json!("luck")).is_err(), "no such strategy");
    assert_eq!(with(&refused, "/scenario/lock", json!("mine")), Ok(()), "a lock that a program brought along");
    assert!(with(&refused, "/why", Value::Null).is_err(), "a reason is text");
}
