//! The workflow and the matrix, held to each other: every job in both, and nothing in the workflow but `cargo ci`.

use std::path::Path;

use ci::matrix::{Here, Matrix};
use saphyr::{LoadableYamlNode as _, YamlOwned};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn matrix() -> Matrix {
    let root = Path::new(ROOT);
    Matrix::load(&root.join("ci/matrix.toml"), &Here::find(root).unwrap()).unwrap()
}

fn workflow() -> YamlOwned {
    let text = std::fs::read_to_string(Path::new(ROOT).join(".github/workflows/ci.yml")).unwrap();
    YamlOwned::load_from_str(&text).unwrap().swap_remove(0)
}

#[test]
fn every_job_is_in_both() {
    let workflow = workflow();
    let there = workflow["jobs"]["ci"]["strategy"]["matrix"]["job"].as_vec().unwrap();
    let there: Vec<_> = there.iter().map(|name| name.as_str().unwrap()).collect();
    let here = matrix();
    let here: Vec<_> = here.jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(there, here, "left: the workflow; right: ci/matrix.toml (`cargo ci --list`)");
}

#[test]
fn the_workflow_only_calls_the_program() {
    let workflow = workflow();
    let jobs = workflow["jobs"].as_mapping().unwrap();
    assert_eq!(jobs.len(), 1);
    let steps = workflow["jobs"]["ci"]["steps"].as_vec().unwrap();
    let commands: Vec<_> = steps.iter().filter_map(|step| step.as_mapping_get("run")?.as_str()).collect();
    assert_eq!(commands, ["cargo ci ${{ matrix.job }}"]);
}

#[test]
fn the_workflow_waits_as_long_as_the_longest_job_may_take() {
    let workflow = workflow();
    let minutes = u64::try_from(workflow["jobs"]["ci"]["timeout-minutes"].as_integer().unwrap()).unwrap();
    let matrix = matrix();
    let longest = matrix.jobs.iter().map(|job| job.budget.as_secs()).max().unwrap();
    const START: u64 = 180; // checking out, and building the program itself
    assert!(minutes * 60 >= START + matrix.limits.install + longest, "{longest} s of work in {minutes} min");
}

#[test]
fn the_workflow_may_only_read_and_trusts_no_moving_tag() {
    let workflow = workflow();
    let permissions = workflow["permissions"].as_mapping().unwrap();
    assert_eq!(permissions.len(), 1);
    assert_eq!(workflow["permissions"]["contents"].as_str(), Some("read"));
    for step in workflow["jobs"]["ci"]["steps"].as_vec().unwrap() {
        let Some(uses) = step.as_mapping_get("uses").and_then(|uses| uses.as_str()) else { continue };
        let (_, commit) = uses.split_once('@').unwrap();
        assert!(commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{uses}");
    }
}
