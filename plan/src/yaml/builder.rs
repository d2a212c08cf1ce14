//! Parser events become a tree.

use std::collections::{HashMap, HashSet};

use serde_saphyr::granit_parser::{Event, ScalarStyle, Span as Marks, Tag};

use super::{DEPTH_LIMIT, NODE_LIMIT, scalar, syntax};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::node::{Kind, Node};
use crate::source::{FileId, Span, Spanned};

/// A problem, already reported, after which reading on is of no use.
pub(super) struct Stop;

/// What stands before the colon.
enum Key {
    Name(Spanned<String>),
    Merge,
    /// Reported; its value is read and dropped.
    Invalid,
}

/// A list or mapping whose end has not come yet.
struct Frame {
    anchor: usize,
    start: usize,
    /// Stands where a key should: reported, read, dropped.
    is_key: bool,
    /// Was meant as something else: reported, read, dropped.
    is_lost: bool,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<(Spanned<String>, Node)>, seen: HashMap<String, Span>, merges: Vec<Node>, key: Option<Key> },
}

/// What an alias may refer to.
struct Anchored {
    node: Node,
    /// Nodes in it.
    count: usize,
    /// Levels in it.
    height: usize,
}

pub(super) struct Builder<'t, 'd> {
    file: FileId,
    text: &'t str,
    diagnostics: &'d mut Diagnostics,
    frames: Vec<Frame>,
    anchors: HashMap<usize, Anchored>,
    root: Option<Node>,
    nodes: usize,
    documents: usize,
    complete: bool,
}

impl<'t, 'd> Builder<'t, 'd> {
    pub(super) fn new(file: FileId, text: &'t str, diagnostics: &'d mut Diagnostics) -> Self {
        let (frames, anchors) = (Vec::new(), HashMap::new());
        Self { file, text, diagnostics, frames, anchors, root: None, nodes: 0, documents: 0, complete: true }
    }

    /// Takes the next event.
    ///
    /// # Errors
    /// [`Stop`] when reading on is of no use.
    pub(super) fn event(&mut self, event: Event<'_>, marks: Marks) -> Result<(), Stop> {
        let span = self.span(&marks);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let error = Diagnostic::error(span, "a second YAML document begins here; a file holds one");
                    return Err(self.stop(error.hint("remove the `---`")));
                }
            }
            Event::Scalar(text, style, anchor, tag) => self.scalar(&text, style, anchor, tag.as_deref(), span)?,
            Event::SequenceStart(_, anchor, tag) => {
                self.open(Content::List(Vec::new()), anchor, tag.as_deref(), span)?;
            }
            Event::MappingStart(_, anchor, tag) => {
                let content = Content::Map { entries: Vec::new(), seen: HashMap::new(), merges: Vec::new(), key: None };
                self.open(content, anchor, tag.as_deref(), span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(Some(span.end)),
            Event::Alias(id) => self.alias(id, span)?,
            Event::UnresolvedAlias(name) => {
                let error = Diagnostic::error(span, format!("no anchor `&{name}` stands before this alias"));
                self.report(error.hint("text that begins with `*` must be in quotes"));
                self.lose();
            }
            _ => {}
        }
        Ok(())
    }

    /// Reports an error after which reading on is of no use.
    pub(super) fn stop(&mut self, diagnostic: Diagnostic) -> Stop {
        self.report(diagnostic);
        Stop
    }

    /// The tree as far as it was read, and whether all of it is there.
    pub(super) fn finish(mut self) -> (Option<Node>, bool) {
        while let Some(frame) = self.frames.last_mut() {
            if let Content::Map { key, .. } = &mut frame.content {
                *key = None;
            }
            self.close(None);
        }
        (self.root, self.complete)
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.complete = false;
        self.diagnostics.push(diagnostic);
    }

    fn span(&self, marks: &Marks) -> Span {
        let start = marks.start.byte_offset().unwrap_or(0).min(self.text.len());
        let end = marks.end.byte_offset().unwrap_or(start).clamp(start, self.text.len());
        let trimmed = self.text.get(start..end).map_or(end, |text| start + text.trim_end().len());
        Span { file: self.file, start, end: trimmed }
    }

    /// Whether the next node is a key.
    fn at_key(&self) -> bool {
        matches!(self.frames.last(), Some(Frame { content: Content::Map { key: None, .. }, .. }))
    }

    fn count(&mut self, added: usize, span: Span) -> Result<(), Stop> {
        self.nodes += added;
        if self.nodes <= NODE_LIMIT {
            return Ok(());
        }
        let message = format!("with its aliases resolved, the file has more than {NODE_LIMIT} values");
        Err(self.stop(Diagnostic::error(span, message).hint("use fewer aliases of large values")))
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<(), Stop> {
        self.count(1, span)?;
        let plain = style == ScalarStyle::Plain;
        if self.at_key() {
            let key = match text {
                "<<" if plain => Key::Merge,
                "" if plain => self.invalid_key(span),
                _ => Key::Name(Spanned::new(text.to_owned(), span)),
            };
            if anchor > 0 {
                let node = Node { kind: Kind::String(text.to_owned()), span };
                self.anchors.insert(anchor, Anchored { node, count: 1, height: 0 });
            }
            self.key(key);
            return Ok(());
        }
        let as_text = !plain || self.tag(tag, span)?;
        let kind = if as_text { Ok(Kind::String(text.to_owned())) } else { scalar::resolve(text) };
        match kind {
            Err(message) => {
                self.report(Diagnostic::error(span, message));
                self.lose();
            }
            Ok(kind) => {
                if let Kind::Float(value) = kind
                    && scalar::loses_digits(text, value)
                {
                    self.diagnostics.push(
                        Diagnostic::warning(span, format!("`{text}` is read as the number {value}"))
                            .hint(format!("if text is meant, put it in quotes: \"{text}\"")),
                    );
                }
                let span = if span.start == span.end { self.key_span().unwrap_or(span) } else { span };
                self.complete(Node { kind, span }, anchor);
            }
        }
        Ok(())
    }

    /// Whether a tag asks for text. Tags of lists and mappings are checked by the same rule.
    fn tag(&mut self, tag: Option<&Tag>, span: Span) -> Result<bool, Stop> {
        let Some(tag) = tag else { return Ok(false) };
        match tag.to_string().trim_start_matches("tag:yaml.org,2002:").trim_start_matches('!') {
            "str" => Ok(true),
            "" | "int" | "float" | "bool" | "null" | "seq" | "map" => Ok(false),
            name => {
                let error = Diagnostic::error(span, format!("the tag `!{name}` is not known"));
                Err(self.stop(error.hint("text that begins with `!` must be in quotes")))
            }
        }
    }

    fn open(&mut self, content: Content, anchor: usize, tag: Option<&Tag>, span: Span) -> Result<(), Stop> {
        self.count(1, span)?;
        if self.frames.len() == DEPTH_LIMIT {
            return Err(self.stop(Diagnostic::error(span, syntax::too_deep())));
        }
        self.tag(tag, span)?;
        let is_key = self.at_key();
        if is_key {
            self.invalid_key(span);
        }
        self.frames.push(Frame { anchor, start: span.start, is_key, is_lost: false, content });
        Ok(())
    }

    fn invalid_key(&mut self, span: Span) -> Key {
        let before = self.text[..span.start].trim_end();
        let error = Diagnostic::error(span, "a key must be text");
        let template = before.ends_with('{') || self.text[span.start..].starts_with("{{");
        if let Some(frame) = self.frames.last_mut() {
            frame.is_lost |= template;
        }
        self.report(error.hint(if template {
            "put a template in quotes: \"{{ … }}\""
        } else {
            "write `key: value`"
        }));
        Key::Invalid
    }

    fn close(&mut self, end: Option<usize>) {
        let Some(Frame { anchor, start, is_key, is_lost, content }) = self.frames.pop() else { return };
        let (kind, last) = match content {
            Content::List(items) => {
                let last = items.last().map(|node| node.span);
                (Kind::List(items), last)
            }
            Content::Map { entries, merges, .. } => {
                let last = entries.last().map(|(_, node)| node.span);
                (Kind::Map(self.merge(entries, &merges)), last)
            }
        };
        if is_key {
            self.key(Key::Invalid);
            return;
        }
        if is_lost {
            self.lose();
            return;
        }
        // The end event of a block collection stands where the next token is; its last value says where it ends for a reader.
        let flow = self.text[start..].starts_with(['[', '{']);
        let end = match (end, last) {
            (Some(end), _) if flow => end,
            (_, Some(last)) if last.file == self.file && last.end > start => last.end,
            _ => end.unwrap_or(start),
        };
        let end = start + self.text.get(start..end).map_or(0, |text| text.trim_end().len());
        self.complete(Node { kind, span: Span { file: self.file, start, end } }, anchor);
    }

    /// What is written in the mapping itself wins over what is merged; of what is merged, the first wins.
    fn merge(&mut self, mut entries: Vec<(Spanned<String>, Node)>, merges: &[Node]) -> Vec<(Spanned<String>, Node)> {
        if merges.is_empty() {
            return entries;
        }
        let mut names: HashSet<String> = entries.iter().map(|(name, _)| name.value.clone()).collect();
        for merged in merges {
            let maps = merged.as_list().unwrap_or(std::slice::from_ref(merged));
            for map in maps {
                let Some(more) = map.as_map() else {
                    let error = Diagnostic::error(map.span, "`<<` takes a mapping or a list of mappings");
                    self.report(error.hint("write an alias of a mapping: `<<: *name`"));
                    continue;
                };
                for (key, node) in more {
                    if names.insert(key.value.clone()) {
                        entries.push((key.clone(), node.clone()));
                    }
                }
            }
        }
        entries
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<(), Stop> {
        let at_key = self.at_key();
        let Some(anchored) = self.anchors.get(&id) else {
            self.report(Diagnostic::error(span, "the alias stands inside of what it refers to"));
            self.lose();
            return Ok(());
        };
        let (count, height, node) = (anchored.count, anchored.height, anchored.node.clone());
        self.count(count, span)?;
        if at_key {
            let key = match node.as_str() {
                Some(text) => Key::Name(Spanned::new(text.to_owned(), span)),
                None => self.invalid_key(span),
            };
            self.key(key);
            return Ok(());
        }
        if self.frames.len() + height > DEPTH_LIMIT {
            return Err(self.stop(Diagnostic::error(span, syntax::too_deep())));
        }
        self.complete(node, 0);
        Ok(())
    }

    fn key(&mut self, new: Key) {
        if let Some(Frame { content: Content::Map { key, .. }, .. }) = self.frames.last_mut() {
            *key = Some(new);
        }
    }

    fn key_span(&self) -> Option<Span> {
        match self.frames.last()?.content {
            Content::Map { key: Some(Key::Name(ref name)), .. } => Some(name.span),
            _ => None,
        }
    }

    /// The value at this place is an error that has been reported: its key goes with it.
    fn lose(&mut self) {
        if let Some(Frame { content: Content::Map { key, .. }, .. }) = self.frames.last_mut() {
            *key = if key.is_none() { Some(Key::Invalid) } else { None };
        }
    }

    /// Puts a value in its place.
    fn complete(&mut self, node: Node, anchor: usize) {
        if anchor > 0 {
            let (count, height) = measure(&node);
            self.anchors.insert(anchor, Anchored { node: node.clone(), count, height });
        }
        let mut twice = None;
        match self.frames.last_mut().map(|frame| &mut frame.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { entries, seen, merges, key }) => match key.take() {
                Some(Key::Merge) => merges.push(node),
                Some(Key::Name(name)) => match seen.get(&name.value) {
                    Some(first) => twice = Some((name, *first)),
                    None => {
                        seen.insert(name.value.clone(), name.span);
                        entries.push((name, node));
                    }
                },
                Some(Key::Invalid) | None => {}
            },
        }
        if let Some((name, first)) = twice {
            let error = Diagnostic::error(name.span, format!("`{}` is written twice in this mapping", name.value))
                .related(first, "first written here");
            self.report(error.hint("remove one of them"));
        }
    }
}

/// Nodes and levels of a tree. The tree is at most [`DEPTH_LIMIT`] levels deep.
fn measure(node: &Node) -> (usize, usize) {
    let children: Vec<&Node> = match &node.kind {
        Kind::List(items) => items.iter().collect(),
        Kind::Map(entries) => entries.iter().map(|(_, node)| node).collect(),
        _ => return (1, 0),
    };
    let (count, height) =
        children.into_iter().map(measure).fold((1, 0), |(count, height), (c, h)| (count + c, height.max(h)));
    (count, height + 1)
}
