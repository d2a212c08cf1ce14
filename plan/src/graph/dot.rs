//! DOT, for Graphviz.

use super::Graph;

/// The graph in DOT: stages as clusters, external things as ellipses, arrows from what is used to who uses it.
pub fn dot(graph: &Graph) -> String {
    let mut text =
        format!("digraph {} {{\n    rankdir=TB;\n    node [shape=box, style=rounded];\n", quoted(&graph.environment));
    for (number, services) in graph.stages.iter().enumerate() {
        text += &format!("    subgraph cluster_stage{number} {{\n        label=\"stage {}\";\n", number + 1);
        for service in services {
            let label = service.lines().iter().map(|line| escape(line)).collect::<Vec<_>>().join("\\n");
            text += &format!("        {} [label=\"{label}\"];\n", quoted(&service.name));
        }
        text += "    }\n";
    }
    for name in &graph.external {
        text += &format!(
            "    {} [label=\"{}\\nexternal\", shape=ellipse, style=dashed];\n",
            quoted(&external(name)),
            escape(name)
        );
    }
    for edge in &graph.edges {
        let to = if edge.external { external(&edge.to) } else { edge.to.clone() };
        let label = edge.label().map(|label| format!(" [label={}]", quoted(label))).unwrap_or_default();
        text += &format!("    {} -> {}{label};\n", quoted(&to), quoted(&edge.from));
    }
    text + "}\n"
}

/// A name that no service has: a service and something external may be called the same.
fn external(name: &str) -> String {
    format!("external.{name}")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escape(text))
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
