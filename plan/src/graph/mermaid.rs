//! Mermaid, which repositories and wikis draw by themselves.

use super::Graph;

/// The graph as a Mermaid flowchart: stages as boxes, external things as rounded ones, arrows from what is used to who uses it.
pub fn mermaid(graph: &Graph) -> String {
    let mut text = String::from("flowchart TD\n");
    for (number, services) in graph.stages.iter().enumerate() {
        text += &format!("    subgraph stage{number}[\"stage {}\"]\n", number + 1);
        for service in services {
            let label = service.lines().iter().map(|line| escape(line)).collect::<Vec<_>>().join("<br/>");
            text += &format!("        {}[\"{label}\"]\n", service_id(graph, &service.name));
        }
        text += "    end\n";
    }
    for name in &graph.external {
        text += &format!("    {}([\"{}<br/>external\"])\n", external_id(graph, name), escape(name));
    }
    for edge in &graph.edges {
        let to = if edge.external { external_id(graph, &edge.to) } else { service_id(graph, &edge.to) };
        let label = edge.label().map(|label| format!("|\"{}\"|", escape(label))).unwrap_or_default();
        text += &format!("    {to} -->{label} {}\n", service_id(graph, &edge.from));
    }
    text
}

/// Numbers, since some names (`end`) are words of the language.
fn service_id(graph: &Graph, name: &str) -> String {
    let position = graph.stages.iter().flatten().position(|service| service.name == name);
    format!("s{}", position.unwrap_or_default())
}

fn external_id(graph: &Graph, name: &str) -> String {
    format!("x{}", graph.external.iter().position(|external| external == name).unwrap_or_default())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}
