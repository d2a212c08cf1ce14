//! What there is to say of a check, in the order in which a person asks; `explain` and the reference are made of it.

use crate::about::{About, Keeps, Proof, Vantage};
use crate::threshold::{Basis, Threshold, Values};

/// A heading with what stands below it.
pub(super) struct Section {
    pub heading: &'static str,
    pub text: String,
}

/// Everything but the title and the thresholds.
pub(super) fn sections(about: &About) -> Vec<Section> {
    let blocks: Vec<&str> = about.blocks.iter().map(|phase| phase.name()).collect();
    let blocks = if blocks.is_empty() { "nothing: it only warns".to_owned() } else { blocks.join(", ") };
    let deep = about.deep.map(|will| format!("it runs only with --deep: it {will}"));
    let all = [
        ("measures", Some(about.measures.to_owned())),
        ("why", Some(about.why.to_owned())),
        ("fix", Some(about.fix.to_owned())),
        ("applies to", Some(about.applies.to_owned())),
        ("measured", Some(vantage(about.vantage).to_owned())),
        ("deep", deep),
        ("blocks", Some(blocks)),
        ("holds for", Some(keeps(about.keeps).to_owned())),
        ("asked for by", Some(about.source.to_owned())),
        ("proved", Some(proof(about.proof).to_owned())),
    ];
    all.into_iter().filter_map(|(heading, text)| Some(Section { heading, text: text? })).collect()
}

fn vantage(vantage: Vantage) -> &'static str {
    match vantage {
        Vantage::Host => "on each host, by the agent",
        Vantage::Pair => "from each host to each other that it uses",
        Vantage::Outside => "from the operator's machine, or from hosts towards what others run",
        Vantage::Spec => "in the files of the environment; no host is asked",
    }
}

fn keeps(keeps: Keeps) -> &'static str {
    match keeps {
        Keeps::Run => "one run: it is measured anew each time",
        Keeps::Day => "24 hours",
        Keeps::Quarter => "90 days",
    }
}

fn proof(proof: Proof) -> &'static str {
    match proof {
        Proof::RealHost => "on real hosts: one with the fault is found out, one without it passes",
        Proof::Parser => {
            "by outputs that were captured, quoted from documents or constructed; no host with the real thing was at hand"
        }
        Proof::Spec => "by environments with the fault and without it",
    }
}

/// The figures of a threshold: `365 d`, or `demo 1 GiB, single 30.4 GiB, …`.
pub(super) fn figures(threshold: &Threshold) -> String {
    let show = |value| threshold.unit.show(value);
    match threshold.values {
        Values::Same(value) => show(value),
        Values::BySize { demo, single, micro, small, large } => {
            let sizes = [("demo", demo), ("single", single), ("micro", micro), ("small", small), ("large", large)];
            sizes.map(|(size, value)| format!("{size} {}", show(value))).join(", ")
        }
    }
}

/// Whether a document names the figure: `documented: installation guide 2`, `proposed: …`.
pub(super) fn basis(threshold: &Threshold) -> String {
    match threshold.basis {
        Basis::Documented(source) => format!("documented: {source}"),
        Basis::Proposed(why) => format!("proposed: {why}"),
    }
}
